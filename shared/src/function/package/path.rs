//! Paths inside a package.

use crate::limits;

const MAX_NAME_BYTES: usize = 255;
const MAX_SHOWN_CHARS: usize = 100;

/// The path without a leading `./` and a trailing `/`, or what is wrong with it.
pub(super) fn checked(raw: &[u8]) -> Result<String, &'static str> {
    let path = std::str::from_utf8(raw).map_err(|_| "has a name that is not UTF-8")?;
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.len() > limits::MAX_PATH_BYTES {
        return Err("has too long a path");
    }
    if path.starts_with('/') {
        return Err("has an absolute path");
    }
    path.split('/').try_for_each(check_name)?;
    Ok(path.to_owned())
}

fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" | "." => Err("has an empty part in its path"),
        ".." => Err("has `..` in its path"),
        _ if name.len() > MAX_NAME_BYTES => Err("has too long a name"),
        _ if name.contains('\\') => Err("has a backslash in its path"),
        _ if name.chars().any(char::is_control) => Err("has a control character in its path"),
        _ => Ok(()),
    }
}

/// Where the link at `path` leads, or what is wrong with that. It may go up from the link's own folder first, but not out of
/// the package; then only down, since a `..` behind a name leads elsewhere where that name is a link, too.
pub(super) fn checked_target(path: &str, raw: Vec<u8>) -> Result<String, &'static str> {
    const OUT: &str = "is a link out of the zip";
    let target = String::from_utf8(raw).map_err(|_| "is a link whose target is not UTF-8")?;
    let (depth, mut up, mut names) = (path.matches('/').count(), 0, 0);
    if target.is_empty() || target.starts_with('/') {
        return Err(OUT);
    }
    for part in target.split('/') {
        match part {
            ".." if names > 0 => return Err(OUT),
            ".." => up += 1,
            _ => {
                check_name(part).map_err(|_| "is a link with a target that is no path")?;
                names += 1;
            }
        }
    }
    if up > depth { Err(OUT) } else { Ok(target) }
}

/// A path of which nothing is known, for an error.
pub(super) fn shown(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).chars().take(MAX_SHOWN_CHARS).collect()
}
