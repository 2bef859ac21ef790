//! Receipt handles: what a client shows to delete a message it received, or to change how long it stays invisible.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::SqsError;

/// What a receipt handle says: which message, and which of its receives.
#[derive(Debug)]
pub(crate) struct Receipt {
    pub(crate) message: i64,
    pub(crate) nonce: String,
}

impl Receipt {
    /// A receipt for a new receive of this message.
    pub(crate) fn of(message: i64) -> Self {
        Self { message, nonce: uuid::Uuid::new_v4().simple().to_string() }
    }

    pub(crate) fn parse(handle: &str) -> Result<Self, SqsError> {
        let parse = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(handle).ok()?).ok()?;
            let (message, nonce) = text.split_once(':')?;
            Some(Self { message: message.parse().ok()?, nonce: nonce.to_owned() })
        };
        parse().ok_or(SqsError::ReceiptHandleIsInvalid)
    }

    pub(crate) fn handle(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.message, self.nonce))
    }
}
