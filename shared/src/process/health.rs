//! A program's look at its own kind: whether what listens where it is configured to listen lives. This is what a
//! container's health check runs, so that an image needs no HTTP client beside its program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Below the shortest time-out that orchestrators give a health check by default, 5 s.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why what listens does not count as alive.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// It did not answer, or not in time.
    #[error("{url} did not answer: {cause}")]
    Silent {
        /// What was asked.
        url: String,
        /// What happened instead.
        cause: String,
    },
    /// It answered with something else than 200.
    #[error("{url} answered {status}")]
    Unhealthy {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
    },
}

/// Asks `/healthz` of whatever listens at `listen`, for at most four seconds.
///
/// # Errors
/// When it does not answer with 200.
pub async fn check(listen: SocketAddr) -> Result<(), HealthError> {
    let url = format!("http://{}/healthz", reachable(listen));
    let silent = |error: reqwest::Error| HealthError::Silent {
        url: url.clone(),
        cause: crate::aws::causes(&error.without_url()),
    };
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().map_err(silent)?;
    let status = client.get(&url).send().await.map_err(silent)?.status().as_u16();
    if status == 200 { Ok(()) } else { Err(HealthError::Unhealthy { url, status }) }
}

/// Who listens on all addresses listens on loopback, too.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_are_reached_on_loopback() {
        for (listen, asked) in
            [("0.0.0.0:8080", "127.0.0.1:8080"), ("[::]:1", "[::1]:1"), ("192.0.2.7:9090", "192.0.2.7:9090")]
        {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
