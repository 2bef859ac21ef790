//! Where an API is.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

/// The URL of an API, which may have a path where something stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

/// The text is no API's URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It can't be read as a URL.
    #[error("{0:?} is no URL; write it like http://127.0.0.1:8080 or https://api.example.com")]
    NoUrl(String),
    /// Its scheme is another one.
    #[error("{0:?} must begin with http:// or https://")]
    OtherScheme(String),
    /// It has more than scheme, host, port and path.
    #[error("{0} must have no user, query or fragment; a token is given by itself")]
    TooMuch(String),
}

impl Address {
    /// The URL of what these segments of a path name. They are encoded, whatever they hold.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The URL of a path as the API itself writes it, which may have a query.
    pub(crate) fn join_path(&self, path: &str) -> Result<Url, AddressError> {
        let text = format!("{self}/{}", path.trim_start_matches('/'));
        Url::parse(&text).map_err(|_| AddressError::NoUrl(text))
    }

    /// Whether it is on this machine, where no proxy belongs in between.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let ip: Option<std::net::IpAddr> = host.parse().ok();
        host == "localhost" || ip.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text).map_err(|_| AddressError::NoUrl(text.to_owned()))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(AddressError::OtherScheme(text.to_owned()));
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            // What is in the way may be a secret.
            return Err(AddressError::TooMuch(url.host_str().unwrap_or_default().to_owned()));
        }
        Ok(Self(url))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_apis_url_is_refused() {
        for (text, says) in [
            ("localhost:8080", "must begin with http"),
            ("nowhere", "is no URL"),
            ("http://", "is no URL"),
            ("ftp://host", "must begin with http"),
            ("http://me:secret@host", "host must have no user"),
            ("http://host?token=secret", "host must have no user"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn paths_are_appended_and_encoded() {
        for base in ["http://host:1/behind", "http://host:1/behind/"] {
            let address: Address = base.parse().unwrap();
            assert_eq!(address.to_string(), "http://host:1/behind");
            assert_eq!(address.join(&["v1", "a/../b?c"]).as_str(), "http://host:1/behind/v1/a%2F..%2Fb%3Fc");
            assert_eq!(
                address.join_path("/v1/x?limit=2").unwrap().as_str(),
                "http://host:1/behind/v1/x?limit=2"
            );
        }
    }

    #[test]
    fn proxies_stay_out_of_this_machine() {
        for (text, is) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://127.0.0.1.example.com", false),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_loopback(), is, "{text}");
        }
    }
}
