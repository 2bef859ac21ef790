//! A guard against pages that a browser on this machine shows.
//!
//! An API on loopback is reached by every page in a browser there: by a request to another origin, or, once a
//! name of the page's site resolves to 127.0.0.1 (DNS rebinding), by one to its own. The first kind carries a
//! foreign `Origin`, the second a foreign `Host`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri, Version};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::http::error::ApiError;

/// Refuses what a page of another site may have sent.
pub(crate) async fn refuse_other_sites(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    // Two of them may mean one thing to whoever stands before the API, and another to it (RFC 9112, section 3.2).
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(ApiError::InvalidHost);
    }
    let host = host(request.uri(), request.headers());
    if app.on_loopback && !host.is_none_or(is_this_machine) {
        return Err(ApiError::ForbiddenHost);
    }
    if !request.headers().get_all(ORIGIN).iter().all(|origin| is_same(origin.to_str().ok(), host)) {
        return Err(ApiError::ForbiddenOrigin);
    }
    Ok(next.run(request).await)
}

fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let authority = uri.authority().map(|authority| authority.as_str());
    authority.or_else(|| headers.get(HOST).map(|host| host.to_str().unwrap_or("")))
}

/// An address can't be rebound, and `localhost` is nobody's domain (RFC 6761, section 6.3).
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let name = name.to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost")
}

/// Whether the origin is that of the host itself. The scheme is left out: a load balancer may have ended TLS.
fn is_same(origin: Option<&str>, host: Option<&str>) -> bool {
    let same = || {
        let (scheme, authority) = origin?.split_once("://")?;
        let default_port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        let bare = |authority: &str| {
            let authority = authority.to_ascii_lowercase();
            authority.strip_suffix(default_port).map(str::to_owned).unwrap_or(authority)
        };
        Some(bare(authority) == bare(host?))
    };
    same().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_reach_loopback() {
        for good in
            ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080", "app.localhost:80", "10.1.2.3"]
        {
            assert!(is_this_machine(good), "{good}");
        }
        for bad in ["evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "", "xlocalhost"]
        {
            assert!(!is_this_machine(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_the_hosts_own_or_foreign() {
        let same = |origin, host| is_same(Some(origin), Some(host));
        assert!(same("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(same("https://api.example", "api.example:443"));
        assert!(!same("http://127.0.0.1:9999", "127.0.0.1:8080"));
        assert!(!same("https://evil.example", "127.0.0.1:8080"));
        assert!(!same("null", "127.0.0.1:8080"));
        assert!(!same("file://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(!is_same(None, Some("127.0.0.1:8080")));
    }
}
