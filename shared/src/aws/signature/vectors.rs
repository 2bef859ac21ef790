//! Requests that others have signed.
//!
//! `vectors.txt` are AWS's published [test
//! vectors](https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4) (Apache-2.0). Left out is what
//! no request can be here (a space in the path, a header of several lines), what another service's rules were used for
//! (paths that are not normalized), and a session token that is not signed. `clients.txt` are requests that Lambda's clients
//! sent: boto3 1.43.106, the AWS CLI 1.46.3 and the SDK for JavaScript 3.1163.0.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::requests::{KEY_ID, SECRET, from_text};
use super::{Signature, SignatureError, SignatureRequirements};

/// Checks it at the time at which it was signed.
fn checked(request: &str, service: &str, region: &str) -> Result<(), SignatureError> {
    let required = SignatureRequirements {
        service,
        region: Some(region),
        max_skew: Duration::ZERO,
        allow_session_token: true,
        allow_unsigned_body: false,
    };
    let (parts, body) = from_text(request);
    let signature = Signature::read(&parts)?;
    assert_eq!(signature.access_key_id(), KEY_ID);
    signature.check(Some(SECRET), &Sha256::digest(body).into(), &required, signature.signed_at)
}

/// Checks all requests of a file, and each with another signature; returns how many they are.
fn check_all(file: &str) -> usize {
    let requests = file.split("## ").skip(1);
    let check = |named: &str| {
        let (name, request) = named.split_once('\n').unwrap();
        let request = request.trim_end();
        let scope = request.split_once("Credential=AKIDEXAMPLE/").unwrap().1;
        let mut scope = scope.split('/').skip(1);
        let (region, service) = (scope.next().unwrap(), scope.next().unwrap());
        assert_eq!(checked(request, service, region), Ok(()), "{name}");
        let (before, signature) = request.split_once("Signature=").unwrap();
        let digit = if signature.starts_with('0') { '1' } else { '0' };
        let forged = format!("{before}Signature={digit}{}", &signature[1..]);
        assert_eq!(checked(&forged, service, region), Err(SignatureError::Mismatch), "{name}");
    };
    requests.map(check).count()
}

#[test]
fn aws_own_test_vectors_are_taken() {
    assert_eq!(check_all(include_str!("vectors.txt")), 29);
}

#[test]
fn what_lambdas_clients_send_is_taken() {
    assert_eq!(check_all(include_str!("clients.txt")), 9);
}
