//! Why a signature is not good.

/// How many characters of a header's name are told.
const SHOWN_CHARS: usize = 64;

/// Why a request is not believed to come from the holder of a secret access key, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum SignatureError {
    #[error("The request is not signed; sign it with Signature Version 4.")]
    Missing,
    #[error("The signature stands in the query; sign the header Authorization instead of presigning a URL.")]
    Presigned,
    #[error("The Authorization header must begin with AWS4-HMAC-SHA256; sign with Signature Version 4.")]
    OtherScheme,
    #[error(
        "The Authorization header's {0} is missing, repeated or malformed; send AWS4-HMAC-SHA256 \
         Credential=KEY_ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=NAMES, Signature=DIGITS."
    )]
    Malformed(&'static str),
    #[error("X-Amz-Date is missing or malformed; send one like 20150830T123600Z.")]
    MalformedDate,
    #[error("The header {0} is there more than once; send it once.")]
    RepeatedHeader(String),
    #[error("The header {0} holds more than visible ASCII; encode its value.")]
    NotAscii(String),
    #[error("The {what} is longer than {most} bytes; shorten it.")]
    TooLong { what: &'static str, most: usize },
    #[error("This request can't be signed; send one with a path and visible ASCII in its headers.")]
    Unsignable,
    // Clients know the first sentence from AWS.
    #[error(
        "The security token included in the request is invalid. Its access key is unknown here; use one that is known."
    )]
    UnknownKey,
    #[error(
        "The security token included in the request is invalid. There are no temporary credentials here; \
         use an access key without a session token (unset AWS_SESSION_TOKEN)."
    )]
    SessionToken,
    #[error("Credential should be scoped to the {what} {needed}; set it in the client, and sign again.")]
    OtherScope { what: &'static str, needed: String },
    #[error(
        "The request was signed at {signed_at} and came at {now}, more than {max_minutes} minutes apart; \
         set the client's clock, and sign again."
    )]
    Skewed { signed_at: String, now: String, max_minutes: u64 },
    #[error(
        "The header {0} is not signed; sign the host, the date and every header that begins with X-Amz-."
    )]
    UnsignedHeader(String),
    #[error("The header {0} is signed and not in the request; see whether something on the way removes it.")]
    AbsentHeader(String),
    #[error("X-Amz-Content-SHA256 is not the body's SHA-256; send its 64 lower-case hexadecimal digits.")]
    OtherBody,
    #[error("UNSIGNED-PAYLOAD is not taken over this connection; sign the body, too.")]
    UnsignedBody,
    #[error(
        "The signature does not match; check the secret access key, and that nothing on the way changes the request."
    )]
    Mismatch,
}

/// What AWS's services tell of it by a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureErrorClass {
    /// There is no signature.
    Missing,
    /// It can't be read.
    Incomplete,
    /// It is nobody's who is known.
    Unrecognized,
    /// It is not that of this request, here and now.
    Invalid,
}

impl SignatureError {
    /// Which class of errors it belongs to.
    pub fn class(&self) -> SignatureErrorClass {
        match self {
            Self::Missing => SignatureErrorClass::Missing,
            Self::Presigned
            | Self::OtherScheme
            | Self::Malformed(_)
            | Self::MalformedDate
            | Self::RepeatedHeader(_)
            | Self::NotAscii(_)
            | Self::TooLong { .. }
            | Self::Unsignable => SignatureErrorClass::Incomplete,
            Self::UnknownKey | Self::SessionToken => SignatureErrorClass::Unrecognized,
            Self::OtherScope { .. }
            | Self::Skewed { .. }
            | Self::UnsignedHeader(_)
            | Self::AbsentHeader(_)
            | Self::OtherBody
            | Self::UnsignedBody
            | Self::Mismatch => SignatureErrorClass::Invalid,
        }
    }

    pub(super) fn repeated_header(name: &str) -> Self {
        Self::RepeatedHeader(shown(name))
    }

    pub(super) fn not_ascii(name: &str) -> Self {
        Self::NotAscii(shown(name))
    }

    pub(super) fn unsigned_header(name: &str) -> Self {
        Self::UnsignedHeader(shown(name))
    }

    pub(super) fn absent_header(name: &str) -> Self {
        Self::AbsentHeader(shown(name))
    }
}

fn shown(name: &str) -> String {
    name.chars().take(SHOWN_CHARS).collect()
}
