//! Clients of SQS and S3, made once. Where the endpoints and credentials come from is the only difference
//! between local mode and AWS.

pub mod event_stream;
pub mod queue;
pub mod retry;
pub mod signature;
pub mod store;

mod requests;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::endpoint::{DefaultResolver, EndpointFuture, Params, ResolveEndpoint};
use aws_sdk_sqs::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{ConnectorBuilder, tls};
use aws_smithy_types::checksum_config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_types::endpoint::Endpoint;

use self::requests::CountRequests;
use crate::limits;

const POOL_IDLE: Duration = Duration::from_secs(14);

/// An endpoint with fixed credentials, as the embedded servers have it.
#[derive(Clone, Debug)]
pub struct FixedEndpoint {
    /// Where SQS and S3 both answer.
    pub endpoint: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The region.
    pub region: String,
}

/// What all clients are made from.
#[derive(Clone, Debug)]
pub struct AwsClients {
    sdk: SdkConfig,
    last_credentials: LastCredentials,
}

impl AwsClients {
    /// From the SDK's own settings: region, endpoints and the usual chain of credentials.
    pub async fn from_process() -> Self {
        Self::from_sdk(aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await)
    }

    /// For one endpoint with fixed credentials, whatever the process's environment says.
    pub fn fixed(fixed: FixedEndpoint) -> Self {
        let credentials = Credentials::new(fixed.access_key_id, fixed.secret_access_key, None, None, "fixed");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(fixed.region))
            .endpoint_url(fixed.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self::from_sdk(sdk)
    }

    fn from_sdk(sdk: SdkConfig) -> Self {
        let last_credentials = LastCredentials::default();
        // TLS, and the hash that each signature covers, guard what is sent. A call that stalls ends by its timeouts.
        let sdk = sdk
            .into_builder()
            .http_client(http_client())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        let sdk = match sdk.credentials_provider() {
            None => sdk,
            Some(inner) => {
                let observed = Observed { inner, last: last_credentials.clone() };
                let provider = SharedCredentialsProvider::new(observed);
                sdk.into_builder().credentials_provider(provider).build()
            }
        };
        Self { sdk, last_credentials }
    }

    /// The region that is configured, else `us-east-1`.
    pub fn region(&self) -> &str {
        self.sdk.region().map_or("us-east-1", Region::as_ref)
    }

    /// What AWS's own clients are made from.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The client for long polls: SQS's client has no read timeout by default, and a poll could hang for ever. Who
    /// receives does so again in any case, so that it need not be tried again here.
    pub(crate) fn sqs_for_receiving(&self) -> aws_sdk_sqs::Client {
        let wait = limits::SQS_WAIT;
        let timeouts = timeouts(wait + Duration::from_secs(5), wait + Duration::from_secs(10));
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled())
            .interceptor(CountRequests)
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// The client for everything else in SQS.
    pub(crate) fn sqs_for_the_rest(&self) -> aws_sdk_sqs::Client {
        let timeouts = timeouts(Duration::from_secs(5), Duration::from_secs(5));
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk).timeout_config(timeouts);
        aws_sdk_sqs::Client::from_conf(config.interceptor(CountRequests).build())
    }

    /// A client of S3.
    pub(crate) fn s3(&self, path_style: bool) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(self.s3_config(path_style).interceptor(CountRequests).build())
    }

    /// A client that signs URLs of S3, at `endpoint` if that is given, and makes no requests.
    pub(crate) fn s3_for_presigning(&self, path_style: bool, endpoint: Option<&str>) -> aws_sdk_s3::Client {
        let mut config = self.s3_config(path_style);
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        aws_sdk_s3::Client::from_conf(config.build())
    }

    fn s3_config(&self, path_style: bool) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::config::Builder::from(&self.sdk)
            .force_path_style(path_style)
            .endpoint_resolver(ResolvedOnce::default())
            .timeout_config(timeouts(Duration::from_secs(10), Duration::from_secs(30)))
    }

    /// The credentials that clients were handed out last.
    pub(crate) fn last_credentials(&self) -> LastCredentials {
        self.last_credentials.clone()
    }
}

/// An error and what caused it, in one line. The SDK's own `DisplayErrorContext` adds the raw response.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// The SDK's own HTTP client, but for how long it keeps idle connections: S3 closes them after 20 s, and a request on
/// one that is just being closed fails.
fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_with_connector_fn(|settings, components| {
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
        let mut connector = ConnectorBuilder::default()
            .tls_provider(provider)
            .proxy_config(ProxyConfig::from_env())
            .pool_idle_timeout(POOL_IDLE);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(|components| components.sleep_impl()));
        connector.build()
    })
}

fn timeouts(read: Duration, attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(read)
        .operation_attempt_timeout(attempt)
        .build()
}

/// The endpoint of a client's one bucket, resolved by its first call. The SDK would go through its rules for each key.
#[derive(Debug, Default)]
struct ResolvedOnce {
    rules: DefaultResolver,
    resolved: OnceLock<Endpoint>,
}

impl ResolveEndpoint for ResolvedOnce {
    fn resolve_endpoint<'a>(&'a self, params: &'a Params) -> EndpointFuture<'a> {
        if let Some(endpoint) = self.resolved.get() {
            return EndpointFuture::ready(Ok(endpoint.clone()));
        }
        EndpointFuture::new(async {
            let endpoint = self.rules.resolve_endpoint(params).await?;
            Ok(self.resolved.get_or_init(|| endpoint).clone())
        })
    }
}

/// Remembers the credentials in use: presigned URLs are signed with them, and end with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastCredentials(Arc<Mutex<Option<Credentials>>>);

impl LastCredentials {
    /// `None` before the first call to AWS.
    pub(crate) fn get(&self) -> Option<Credentials> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, credentials: Credentials) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials);
    }
}

#[derive(Debug)]
struct Observed {
    inner: SharedCredentialsProvider,
    last: LastCredentials,
}

impl ProvideCredentials for Observed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.inner.provide_credentials().await?;
            self.last.set(credentials.clone());
            Ok(credentials)
        })
    }
}
