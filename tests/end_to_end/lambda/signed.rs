//! Whose signatures are taken, where the API wants to know who asks.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::Credentials;
use aws_sdk_lambda::error::ProvideErrorMetadata as _;

use super::programs::Settings;
use crate::fixtures::fleet::Fleet;

#[tokio::test]
async fn only_who_signs_with_a_known_pair_is_let_in() {
    let fleet = Fleet::start_with(&[("BADLAMBDA_API_TOKEN", "root-0123456789abcdef")]).await;
    let client = Settings::of(&fleet).rust(Duration::from_secs(30));
    // The pair that `up` prints signs for Lambda's API, too.
    let listed = client.list_functions().send().await.unwrap();
    assert!(listed.functions().is_empty());

    let (key, secret) = (fleet.address("access_key_id"), fleet.address("secret_access_key"));
    for (key, secret, code) in [
        (key, "another-secret", "InvalidSignatureException"),
        ("AKIAIOSFODNN7EXAMPLE", secret, "UnrecognizedClientException"),
    ] {
        let credentials = Credentials::new(key, secret, None, None, "a test");
        let config = client.config().to_builder().credentials_provider(credentials);
        let refused = Client::from_conf(config.build()).list_functions().send().await.unwrap_err();
        assert_eq!(refused.code(), Some(code), "{refused:?}");
    }
    let path = format!("{}/2015-03-31/functions", fleet.address("api"));
    let unsigned = fleet.http.get(&path).send().await.unwrap();
    assert_eq!(
        (unsigned.status().as_u16(), &unsigned.headers()["x-amzn-errortype"]),
        (403, &"MissingAuthenticationTokenException".parse().unwrap())
    );
    let with_token = fleet.http.get(&path).bearer_auth("root-0123456789abcdef").send().await.unwrap();
    assert_eq!(with_token.status(), 200);
}
