//! Which API a command asks: one that it is told of, or the `up` that runs in this folder.

mod leading;
mod profiles;
mod running;

use std::path::Path;

use badlambda_client::Client;
use badlambda_shared::process::config::{self, Environment};
use clap::Args;

pub use self::leading::LeadingConnectionArguments;
use self::profiles::{Profile, read_profile};
pub use self::running::{announce, running_in};
use crate::output::Failure;

/// Where `up` has its data unless it is told otherwise, and commands look for it.
pub const DATA: &str = ".badlambda";

/// Which API is asked.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArguments {
    /// The API's URL [else BADLAMBDA_URL, or that of the `up` that runs in this folder].
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The token to show [else BADLAMBDA_TOKEN; there, other users of this machine can't see it].
    #[arg(long, global = true, value_name = "TOKEN")]
    pub token: Option<String>,
    /// Which profile of the config file has URL and token [else BADLAMBDA_PROFILE].
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "url")]
    pub profile: Option<String>,
}

/// An API and the token for it.
pub(crate) struct Target {
    pub(crate) url: String,
    /// What says that this one is meant.
    pub(crate) from: String,
    pub(crate) token: Option<String>,
}

impl ConnectionArguments {
    /// A client of the API that is meant.
    pub fn connect(&self) -> Result<Client, Failure> {
        let none = "no API to ask: no `badlambda up` runs in this folder; start it, or say which with --url URL, --profile \
                    NAME or BADLAMBDA_URL";
        self.find()?.ok_or_else(|| Failure::Usage(none.to_owned()))?.client()
    }

    /// Which API is meant, if any.
    pub(crate) fn find(&self) -> Result<Option<Target>, Failure> {
        let environment = Environment::from_process().map_err(|error| Failure::Usage(error.to_string()))?;
        self.choose(&environment, read_profile, || running_in(Path::new(DATA)))
    }

    /// What stands on the command line goes before what the environment says. A token of either is shown to whichever API
    /// is asked; that of a profile to its own API alone.
    fn choose(
        &self,
        environment: &Environment,
        profile: impl FnOnce(&str) -> Result<Profile, Failure>,
        running: impl FnOnce() -> Result<Option<String>, Failure>,
    ) -> Result<Option<Target>, Failure> {
        let token = self.token.as_deref().or(environment.text(config::TOKEN)).map(str::to_owned);
        let (url, name) = match (&self.url, &self.profile) {
            (None, None) => (environment.text(config::URL), environment.text(config::PROFILE)),
            (url, name) => (url.as_deref(), name.as_deref()),
        };
        Ok(match (url, name) {
            (Some(url), _) => {
                let from = if self.url.is_some() { "--url" } else { config::URL.name };
                Some(Target { url: url.to_owned(), from: from.to_owned(), token })
            }
            (None, Some(name)) => {
                let Profile { url, token: own } = profile(name)?;
                Some(Target { url, from: format!("the profile {name}"), token: token.or(own) })
            }
            (None, None) => {
                let from = "the `up` that runs in this folder".to_owned();
                running()?.map(|url| Target { url, from, token })
            }
        })
    }
}

impl Target {
    /// A client of it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let address = self.url.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
        Ok(Client::new(address, self.token.as_deref())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        arguments: [Option<&str>; 3],
        variables: &[(&str, &str)],
        running: Option<&str>,
    ) -> Option<[String; 3]> {
        let [url, token, profile] = arguments.map(|argument| argument.map(str::to_owned));
        let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::from_pairs(pairs).unwrap();
        let profile_of =
            |name: &str| Ok(Profile { url: format!("of {name}"), token: Some("its own".to_owned()) });
        let arguments = ConnectionArguments { url, token, profile };
        let target = arguments.choose(&environment, profile_of, || Ok(running.map(str::to_owned))).unwrap();
        target.map(|Target { url, from, token }| [url, from, token.unwrap_or_default()])
    }

    fn target(url: &str, from: &str, token: &str) -> Option<[String; 3]> {
        Some([url, from, token].map(str::to_owned))
    }

    #[test]
    fn the_nearest_word_counts() {
        let (url, token, profile) =
            (("BADLAMBDA_URL", "variable"), ("BADLAMBDA_TOKEN", "secret"), ("BADLAMBDA_PROFILE", "p"));
        let of_up = "the `up` that runs in this folder";
        assert_eq!(chosen([None; 3], &[], None), None);
        assert_eq!(chosen([None; 3], &[], Some("up")), target("up", of_up, ""));
        assert_eq!(chosen([None; 3], &[profile], Some("up")), target("of p", "the profile p", "its own"));
        assert_eq!(chosen([None; 3], &[url, profile], Some("up")), target("variable", "BADLAMBDA_URL", ""));
        let by_name = chosen([None, None, Some("q")], &[url, profile], None);
        assert_eq!(by_name, target("of q", "the profile q", "its own"));
        let by_flag = chosen([Some("flag"), None, None], &[url, profile, token], None);
        assert_eq!(by_flag, target("flag", "--url", "secret"));
        let with_token = chosen([None, Some("mine"), Some("q")], &[token], None);
        assert_eq!(with_token, target("of q", "the profile q", "mine"));
    }
}
