//! URLs by which anyone can read an object for a while. The SDK goes through all steps of a request for each, which
//! takes longer than the signature. So it signs the first one, and those that follow take its bucket's URL and region.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use super::{PresignedUrl, StoreError, failed};
use crate::aws::LastCredentials;

/// Credentials that end sooner are the SDK's to renew.
const LAST_FOR: Duration = Duration::from_secs(60);

/// Signs URLs of one bucket.
#[derive(Debug)]
pub(super) struct Presigner {
    presigning: Client,
    bucket: String,
    ttl: Duration,
    credentials: LastCredentials,
    signed_before: OnceLock<SignedBefore>,
}

/// What all URLs of the bucket have in common, taken from one that the SDK signed.
#[derive(Debug)]
struct SignedBefore {
    /// The bucket's URL, with a slash at its end.
    bucket_url: String,
    region: String,
}

impl Presigner {
    /// Of `bucket`, for URLs that work for `ttl`. `presigning` is a client whose credentials are `credentials`.
    pub(super) fn new(
        presigning: Client,
        bucket: String,
        ttl: Duration,
        credentials: LastCredentials,
    ) -> Self {
        Self { presigning, bucket, ttl, credentials, signed_before: OnceLock::new() }
    }

    /// Signs a URL for `key`. It ends with the credentials that sign it, if not sooner.
    pub(super) async fn presign(&self, key: &str) -> Result<PresignedUrl, StoreError> {
        let now = SystemTime::now();
        let url = match self.sign(key, now) {
            Some(url) => url,
            None => self.let_sdk_sign(key).await?,
        };
        let asked = now + self.ttl;
        let credentials_end = self.credentials.get().and_then(|credentials| credentials.expiry());
        let expires_at = credentials_end.map_or(asked, |end| end.min(asked));
        Ok(PresignedUrl { url, expires_at: expires_at.into() })
    }

    async fn let_sdk_sign(&self, key: &str) -> Result<String, StoreError> {
        let config =
            PresigningConfig::expires_in(self.ttl).map_err(|error| failed("presigning", key, &error))?;
        let call = self.presigning.get_object().bucket(&self.bucket).key(key);
        let request = call.presigned(config).await.map_err(|error| failed("presigning", key, &error))?;
        let url = request.uri().to_owned();
        if let Some(signed) = SignedBefore::of(&url, key) {
            self.signed_before.get_or_init(|| signed);
        }
        Ok(url)
    }

    /// `None` if it is for the SDK to sign.
    fn sign(&self, key: &str, now: SystemTime) -> Option<String> {
        let before = self.signed_before.get().filter(|_| is_same_in_urls(key))?;
        let credentials = self.credentials.get().filter(|credentials| last(credentials, now))?;
        let url = format!("{}{key}", before.bucket_url);
        let identity = credentials.into();
        // As S3 has it, other than all other services.
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(self.ttl);
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&before.region)
            .name("s3")
            .time(now)
            .settings(settings)
            .build()
            .ok()?
            .into();
        let body = SignableBody::UnsignedPayload;
        let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), body).ok()?;
        let (instructions, _signature) = sign(request, &params).ok()?.into_parts();
        let mut request = http::Request::get(url).body(()).ok()?;
        instructions.apply_to_request_http1x(&mut request);
        Some(request.uri().to_string())
    }
}

impl SignedBefore {
    /// `None` if another key's URL may differ by more than key, time and signature.
    fn of(url: &str, key: &str) -> Option<Self> {
        let (path, query) = url.split_once('?')?;
        let bucket_url = path.strip_suffix(key).filter(|bucket_url| bucket_url.ends_with('/'))?;
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let scope: Vec<&str> = value("X-Amz-Credential")?.split("%2F").collect();
        let &[_, _, region, "s3", "aws4_request"] = scope.as_slice() else { return None };
        (value("X-Amz-Algorithm") == Some("AWS4-HMAC-SHA256") && value("X-Amz-SignedHeaders") == Some("host"))
            .then(|| Self { bucket_url: bucket_url.to_owned(), region: region.to_owned() })
    }
}

fn last(credentials: &Credentials, now: SystemTime) -> bool {
    credentials.expiry().is_none_or(|end| end > now + LAST_FOR)
}

/// Whether nothing of a key is percent-encoded in a URL.
fn is_same_in_urls(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{AwsClients, FixedEndpoint};

    fn presigner(path_style: bool) -> Presigner {
        let aws = AwsClients::fixed(FixedEndpoint {
            endpoint: "http://127.0.0.1:4566".to_owned(),
            access_key_id: "ID".to_owned(),
            secret_access_key: "secret".to_owned(),
            region: "eu-west-3".to_owned(),
        });
        let (bucket, ttl) = ("bucket".to_owned(), Duration::from_secs(900));
        Presigner::new(aws.s3_for_presigning(path_style, None), bucket, ttl, aws.last_credentials())
    }

    #[tokio::test]
    async fn urls_that_follow_have_what_the_first_one_has() {
        for path_style in [true, false] {
            let presigner = presigner(path_style);
            assert_eq!(presigner.sign("a/b.json", SystemTime::now()), None, "there is none to go by");
            let first = presigner.presign("a/b.json").await.unwrap().url;
            let parts = |url: &str| {
                let (path, query) = url.split_once('?').unwrap();
                let (varying, mut fixed): (Vec<_>, Vec<_>) = query
                    .split('&')
                    .map(str::to_owned)
                    .partition(|pair| pair.starts_with("X-Amz-Date") || pair.starts_with("X-Amz-Signature"));
                // The SDK's own name for the call, which S3 ignores.
                fixed.retain(|pair| pair != "x-id=GetObject");
                fixed.sort_unstable();
                (path.to_owned(), fixed, varying.len())
            };
            let second = presigner.sign("a/b.json", SystemTime::now()).unwrap();
            assert_eq!(parts(&first), parts(&second));
        }
    }

    #[tokio::test]
    async fn what_has_to_be_encoded_is_left_to_the_sdk() {
        let presigner = presigner(true);
        presigner.presign("a").await.unwrap();
        assert!(presigner.sign("a~b", SystemTime::now()).is_some());
        assert_eq!(presigner.sign("a b", SystemTime::now()), None);
        assert!(presigner.presign("a b").await.unwrap().url.contains("/bucket/a%20b?"));
    }

    #[test]
    fn other_ways_to_sign_are_left_to_the_sdk() {
        let url = |algorithm, scope| {
            let query =
                format!("X-Amz-Algorithm={algorithm}&X-Amz-Credential={scope}&X-Amz-SignedHeaders=host");
            SignedBefore::of(&format!("https://bucket.s3.amazonaws.com/a?{query}"), "a").is_some()
        };
        assert!(url("AWS4-HMAC-SHA256", "ID%2F20261129%2Fus-east-1%2Fs3%2Faws4_request"));
        assert!(!url("AWS4-ECDSA-P256-SHA256", "ID%2F20261129%2Fs3%2Faws4_request"));
        assert!(!url("AWS4-HMAC-SHA256", "ID%2F20261129%2Fus-east-1%2Fs3express%2Faws4_request"));
    }

    #[test]
    fn credentials_that_end_soon_are_left_to_the_sdk() {
        let now = SystemTime::now();
        let credentials = |end| Credentials::new("ID", "secret", None, end, "test");
        assert!(last(&credentials(None), now));
        assert!(last(&credentials(Some(now + LAST_FOR * 2)), now));
        assert!(!last(&credentials(Some(now + LAST_FOR / 2)), now));
    }
}
