//! A problem that stands within an answer, as what became of one part of a request.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What of a problem stands in an answer that is none itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemInAnswer {
    /// A stable slug.
    #[serde(rename = "type")]
    pub slug: Cow<'static, str>,
    /// What the slug means.
    pub title: Cow<'static, str>,
    /// What to do about it.
    pub detail: String,
}
