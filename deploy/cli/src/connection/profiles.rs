//! Named APIs in a config file, which nobody else may read, since it holds tokens.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use etcetera::BaseStrategy as _;
use serde::Deserialize;

use crate::output::{Failure, did_you_mean};

/// Where it stands in the folder of the user's config files.
const FILE: &str = "badlambda/config.toml";
/// The rights of group and others.
const OTHERS: u32 = 0o077;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// An API, and the token for it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) url: String,
    pub(super) token: Option<String>,
}

/// Without the token.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The profile of this name in the user's config file.
pub(super) fn read_profile(name: &str) -> Result<Profile, Failure> {
    let folders = etcetera::choose_base_strategy()
        .map_err(|error| Failure::Usage(format!("there is no folder for config files: {error}")))?;
    profile_in(&folders.config_dir().join(FILE), name)
}

fn profile_in(path: &Path, name: &str) -> Result<Profile, Failure> {
    let shown = path.display();
    let text = read_private(path, name)?;
    let file: ConfigFile = toml::from_str(&text).map_err(|error| {
        // The error itself would show the line, and with it perhaps a token.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Failure::Usage(format!("{shown}, line {line}: {}", error.message()))
    })?;
    file.profiles.get(name).cloned().ok_or_else(|| {
        let hint = did_you_mean(name, file.profiles.keys().map(String::as_str));
        Failure::Usage(format!("there is no profile {name} in {shown}{hint}"))
    })
}

/// The text of the config file, where nobody else may read it.
fn read_private(path: &Path, name: &str) -> Result<String, Failure> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        Failure::Usage(match error.kind() {
            io::ErrorKind::NotFound => format!(
                "there is no profile {name}: {shown} does not exist; write it, with mode 0600, like\n\
                 [profiles.{name}]\nurl = \"https://api.example.com\"\ntoken = \"…\""
            ),
            _ => format!("could not read {shown}: {error}"),
        })
    };
    let mut file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.mode() & OTHERS != 0 {
        let sentence =
            format!("others may read the tokens in {shown}; take that from them: chmod 600 {shown}");
        return Err(Failure::Usage(sentence));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn read(text: &str, mode: u32, name: &str) -> Result<Profile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        profile_in(&path, name).map_err(|failure| failure.to_string())
    }

    const TEXT: &str = "[profiles.production]\nurl = \"https://api\"\ntoken = \"secret\"\n";

    #[test]
    fn a_profile_is_read_where_nobody_else_may() {
        let profile = Profile { url: "https://api".to_owned(), token: Some("secret".to_owned()) };
        assert_eq!(read(TEXT, 0o600, "production"), Ok(profile));
        for mode in [0o640, 0o604, 0o660] {
            let error = read(TEXT, mode, "production").unwrap_err();
            assert!(error.contains("chmod 600") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_token_shown() {
        for (text, name, says) in [
            (TEXT, "produktion", "did you mean production?"),
            ("[profiles.a]\nurl = \"u\"\ntokem = \"secret\"", "a", "line 3: unknown field `tokem`"),
            ("[profiles.a]\nurl = \"u\"\ntoken = secret", "a", "line 3"),
        ] {
            let error = read(text, 0o600, name).unwrap_err();
            assert!(error.contains(says) && !error.contains("secret"), "{error}");
        }
        let error = profile_in(Path::new("/no/such/file"), "a").unwrap_err().to_string();
        assert!(error.contains("[profiles.a]"), "{error}");
    }
}
