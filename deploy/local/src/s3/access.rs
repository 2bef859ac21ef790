//! Who may do what: holders of the key everything, others nothing.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Result, s3_error};

use crate::counters::Counters;

/// Counts what it lets pass.
pub(crate) struct Counted(pub(crate) Arc<Counters>);

#[async_trait::async_trait]
impl S3Access for Counted {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "the request is not signed"));
        }
        self.0.count("S3", context.s3_op().name());
        Ok(())
    }
}
