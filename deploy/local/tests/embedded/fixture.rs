//! Servers of a test's own, and clients of them.

use std::path::Path;

use aws_credential_types::Credentials;
use badlambda_local::{LocalAws, LocalAwsConfig, StartError};
use tempfile::TempDir;

/// Running servers with a folder of their own.
pub struct Servers {
    pub aws: LocalAws,
    pub sqs: aws_sdk_sqs::Client,
    pub s3: aws_sdk_s3::Client,
    pub _data: Option<TempDir>,
}

impl Servers {
    pub async fn start() -> Self {
        let data = TempDir::new().unwrap();
        let mut servers = Self::over(data.path()).await.unwrap();
        servers._data = Some(data);
        servers
    }

    pub async fn over(data: &Path) -> Result<Self, StartError> {
        let config = LocalAwsConfig::new("127.0.0.1:0".parse().unwrap(), data.to_owned());
        let aws = badlambda_local::start(config).await?;
        let (sqs, s3) = clients(&aws, &aws.secret_access_key);
        Ok(Self { aws, sqs, s3, _data: None })
    }
}

/// Clients that sign with `secret`.
pub fn clients(aws: &LocalAws, secret: &str) -> (aws_sdk_sqs::Client, aws_sdk_s3::Client) {
    let credentials = Credentials::new(&aws.access_key_id, secret, None, None, "test");
    let endpoint = format!("http://{}", aws.address);
    let sqs = aws_sdk_sqs::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_sqs::config::Region::new(aws.region.clone()))
        .endpoint_url(&endpoint)
        .credentials_provider(credentials.clone())
        .build();
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_s3::config::Region::new(aws.region.clone()))
        .endpoint_url(&endpoint)
        .credentials_provider(credentials)
        .force_path_style(true)
        .build();
    (aws_sdk_sqs::Client::from_conf(sqs), aws_sdk_s3::Client::from_conf(s3))
}
