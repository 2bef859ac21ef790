//! Servers with a queue and a bucket of their own, and clients of them. Tests ask by `endpoint` alone, so that another
//! implementation can be put there; what only the embedded servers have is in `embedded`.

use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use badlambda_local::{LocalAws, LocalAwsConfig};
use tempfile::TempDir;

use crate::emulators::Emulator;

/// Loopback, with any free port.
pub(crate) const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Where an SQS and an S3 answer, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    pub(crate) bucket: String,
    pub(crate) account: &'static str,
}

impl From<&LocalAws> for Endpoint {
    fn from(aws: &LocalAws) -> Self {
        Self {
            url: format!("http://{}", aws.address),
            region: aws.region.clone(),
            access_key_id: aws.access_key_id.clone(),
            secret_access_key: aws.secret_access_key.clone(),
            queue_url: aws.queue_url.clone(),
            dead_letter_queue_url: aws.dead_letter_queue_url.clone(),
            bucket: aws.bucket.clone(),
            account: "000000000000",
        }
    }
}

/// Servers, and what a test asks them with.
pub(crate) struct Fixture {
    pub(crate) endpoint: Endpoint,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    /// Before the names of this fixture's queues, where others share the server.
    prefix: String,
    servers: Servers,
}

enum Servers {
    /// Of this fixture alone.
    Embedded(Box<LocalAws>, TempDir),
    /// One process for all.
    Emulator,
}

impl Fixture {
    /// The embedded servers, new.
    pub(crate) async fn start() -> Self {
        Self::over(TempDir::new().unwrap()).await
    }

    /// The embedded servers over what others left.
    pub(crate) async fn over(data: TempDir) -> Self {
        let config = LocalAwsConfig::new(ANYWHERE, data.path().to_owned());
        let embedded = badlambda_local::start(config).await.unwrap();
        let endpoint = Endpoint::from(&embedded);
        let (sqs, s3) = clients(&endpoint, &endpoint.access_key_id, &endpoint.secret_access_key);
        let servers = Servers::Embedded(Box::new(embedded), data);
        Self { endpoint, sqs, s3, prefix: String::new(), servers }
    }

    /// Queues and a bucket of its own in an emulator.
    pub(crate) async fn on(emulator: &Emulator) -> Self {
        let prefix = format!("t{:x}-", rand::random::<u64>());
        let mut endpoint = emulator.endpoint(format!("{prefix}bucket"));
        let (sqs, s3) = clients(&endpoint, &endpoint.access_key_id, &endpoint.secret_access_key);
        s3.create_bucket().bucket(&endpoint.bucket).send().await.unwrap();
        let mut fixture = Self { endpoint: endpoint.clone(), sqs, s3, prefix, servers: Servers::Emulator };
        endpoint.dead_letter_queue_url = fixture.queue("dead-letters", &[]).await;
        endpoint.queue_url = fixture.queue("executions", &[]).await;
        fixture.endpoint = endpoint;
        fixture
    }

    /// The servers, where they are the embedded ones.
    pub(crate) fn embedded(&self) -> &LocalAws {
        match &self.servers {
            Servers::Embedded(embedded, _) => embedded,
            Servers::Emulator => panic!("this is about the embedded servers"),
        }
    }

    /// The embedded servers' folder.
    pub(crate) fn data(&self) -> &Path {
        match &self.servers {
            Servers::Embedded(_, data) => data.path(),
            Servers::Emulator => panic!("this is about the embedded servers"),
        }
    }

    /// Ends the embedded servers, and leaves their folder.
    pub(crate) async fn shutdown(self) -> TempDir {
        match self.servers {
            Servers::Embedded(embedded, data) => {
                embedded.shutdown().await;
                data
            }
            Servers::Emulator => panic!("this is about the embedded servers"),
        }
    }

    /// Ends the embedded servers, and starts others over the same folder.
    pub(crate) async fn restart(self) -> Self {
        Self::over(self.shutdown().await).await
    }

    /// What a queue is called here.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The ARN of the queue of that name.
    pub(crate) fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:us-east-1:{}:{}", self.endpoint.account, self.name(name))
    }

    /// Makes a queue with these attributes; returns its URL.
    pub(crate) async fn queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        let mut create = self.sqs.create_queue().queue_name(self.name(name));
        for (attribute, value) in attributes {
            create = create.attributes((*attribute).into(), *value);
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    /// Sends a message to the usual queue; returns its id.
    pub(crate) async fn send(&self, body: &str) -> String {
        let send = self.sqs.send_message().queue_url(&self.endpoint.queue_url).message_body(body);
        send.send().await.unwrap().message_id.unwrap()
    }

    /// Receives up to ten messages with everything about them.
    pub(crate) async fn receive(&self, queue: &str, wait_seconds: i32) -> Vec<Message> {
        let receive = self.sqs.receive_message().queue_url(queue).wait_time_seconds(wait_seconds);
        let everything = receive
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All);
        everything.send().await.unwrap().messages.unwrap_or_default()
    }

    /// Receives the one message there is.
    pub(crate) async fn receive_one(&self, queue: &str, wait_seconds: i32) -> Message {
        let mut messages = self.receive(queue, wait_seconds).await;
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.remove(0)
    }

    /// How many requests of this kind the servers have counted.
    pub(crate) fn requests(&self, operation: &str) -> u64 {
        self.embedded().requests().get(operation).copied().unwrap_or_default()
    }

    /// Returns once the servers have counted so many requests of this kind. Where they do not count, they should have
    /// taken it by then.
    pub(crate) async fn counted(&self, operation: &str, times: u64) {
        if matches!(self.servers, Servers::Emulator) {
            return tokio::time::sleep(Duration::from_millis(500)).await;
        }
        while self.requests(operation) < times {
            tokio::task::yield_now().await;
        }
    }

    /// Puts an object, and returns its ETag.
    pub(crate) async fn put(&self, key: &str, body: &[u8]) -> String {
        let put = self.s3.put_object().bucket(&self.endpoint.bucket).key(key).body(body.to_vec().into());
        put.send().await.unwrap().e_tag.unwrap()
    }

    /// What an object holds.
    pub(crate) async fn get(&self, key: &str) -> Vec<u8> {
        let got = self.s3.get_object().bucket(&self.endpoint.bucket).key(key).send().await.unwrap();
        got.body.collect().await.unwrap().to_vec()
    }
}

/// Clients of `endpoint` with these credentials.
pub(crate) fn clients(
    endpoint: &Endpoint,
    key_id: &str,
    secret: &str,
) -> (aws_sdk_sqs::Client, aws_sdk_s3::Client) {
    let credentials = aws_sdk_sqs::config::Credentials::new(key_id, secret, None, None, "test");
    let sqs = aws_sdk_sqs::Config::builder()
        .endpoint_url(&endpoint.url)
        .region(aws_sdk_sqs::config::Region::new(endpoint.region.clone()))
        .credentials_provider(credentials.clone())
        .build();
    let s3 = aws_sdk_s3::Config::builder()
        .endpoint_url(&endpoint.url)
        .region(aws_sdk_s3::config::Region::new(endpoint.region.clone()))
        .credentials_provider(credentials)
        .force_path_style(true)
        .build();
    (aws_sdk_sqs::Client::from_conf(sqs), aws_sdk_s3::Client::from_conf(s3))
}

/// The code of the error that this must have ended with.
pub(crate) fn code<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, SdkError<E, R>>,
) -> String {
    let error = result.unwrap_err();
    error.code().unwrap_or_else(|| panic!("an error without a code: {error:?}")).to_owned()
}
