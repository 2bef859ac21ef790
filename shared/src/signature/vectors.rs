//! AWS's published test vectors, `vectors.txt`: signed requests of [its test
//! suite](https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4) (Apache-2.0).
//!
//! Left out is what no request can be here (a space in the path, a header of several lines), what another service's rules
//! were used for (paths that are not normalized), and a session token that is not signed.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::requests::{KEY_ID, SECRET, at, from_text};
use super::{Signature, SignatureError, SignatureRequirements};

fn checked(request: &str) -> Result<(), SignatureError> {
    let is_lambdas = request.contains("/lambda/aws4_request");
    let required = SignatureRequirements {
        service: if is_lambdas { "lambda" } else { "service" },
        region: Some(if is_lambdas { "us-east-2" } else { "us-east-1" }),
        max_skew: Duration::ZERO,
        allow_session_token: true,
        allow_unsigned_body: false,
    };
    let signed_at = at(if is_lambdas { 1_620_747_645 } else { 1_440_938_160 });
    let (parts, body) = from_text(request);
    let signature = Signature::read(&parts)?;
    assert_eq!(signature.access_key_id(), KEY_ID);
    signature.check(Some(SECRET), &Sha256::digest(body).into(), &required, signed_at)
}

#[test]
fn requests_that_aws_has_signed_are_taken_and_no_others() {
    let mut count = 0;
    for vector in include_str!("vectors.txt").split("## ").skip(1) {
        let (name, request) = vector.split_once('\n').unwrap();
        let request = request.trim_end();
        assert_eq!(checked(request), Ok(()), "{name}");
        let signature = request.find("Signature=").unwrap() + "Signature=".len();
        let digit = if &request[signature..=signature] == "0" { "1" } else { "0" };
        let forged = format!("{}{digit}{}", &request[..signature], &request[signature + 1..]);
        assert_eq!(checked(&forged), Err(SignatureError::Mismatch), "{name}");
        count += 1;
    }
    assert!(count > 25, "{count}");
}
