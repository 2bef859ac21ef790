//! Lists, page by page.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::Uri;
use badlambda_shared::aws::store::{Store, StoreError};
use badlambda_shared::limits;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::IntoParams;

use crate::http::error::ApiError;
use crate::http::response::ApiResponse;
use crate::schema;

/// Which part of a list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many entries a page may have.
    #[param(schema_with = schema::page_limit)]
    limit: Option<usize>,
    /// The `next` of the page before.
    #[param(ignore)]
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// How many entries are asked for.
    pub(crate) fn limit(&self) -> Result<usize, ApiError> {
        page_limit(self.limit, limits::MAX_PAGE)
    }
}

/// How many entries a page has for who asks for so many.
pub(crate) fn page_limit(asked: Option<usize>, most: usize) -> Result<usize, ApiError> {
    let limit = asked.unwrap_or(limits::PAGE);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::parameter("limit", format!("it must be from 1 to {most}")))
}

/// The names of at most `limit` folders below `prefix`, from behind `after` on, and where the page behind them begins, if
/// there is one. What is no name is left out.
pub(crate) async fn folders<N: FromStr + Display>(
    store: &Store,
    prefix: &str,
    after: Option<&N>,
    limit: usize,
) -> Result<(Vec<N>, Option<N>), StoreError> {
    // The character behind the slash: so the listing goes on behind everything below the folder.
    let after = after.map(|name| format!("{prefix}{name}0"));
    let listing = store.list(prefix, after.as_deref(), limit).await?;
    let name_of = |folder: &str| folder.strip_prefix(prefix)?.split('/').next()?.parse().ok();
    let names = listing.prefixes.iter().filter_map(|folder| name_of(folder)).collect();
    Ok((names, listing.next.as_deref().and_then(name_of)))
}

/// The page that `with_next` makes, which was asked for at `uri`, and the link to the one that begins at `next`, if there
/// is one.
pub(crate) fn page<P: Serialize>(
    uri: &Uri,
    next: Option<String>,
    with_next: impl FnOnce(Option<String>) -> P,
) -> ApiResponse {
    let link = next.as_deref().map(|cursor| format!("<{}>; rel=\"next\"", with_cursor(uri, cursor)));
    ApiResponse::Page(json!(with_next(next)), link)
}

/// The same path and query from `cursor` on.
fn with_cursor(uri: &Uri, cursor: &str) -> String {
    let asked = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(asked.filter(|(name, _)| name != "cursor"))
        .append_pair("cursor", cursor)
        .finish();
    format!("{}?{query}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_everything_but_the_cursor() {
        for (uri, expected) in [
            ("/v1/functions", "/v1/functions?cursor=a%2Fb"),
            ("/v1/functions?cursor=z&limit=2", "/v1/functions?limit=2&cursor=a%2Fb"),
            ("/v1/x?since=1%2B1&%63ursor=z", "/v1/x?since=1%2B1&cursor=a%2Fb"),
        ] {
            assert_eq!(with_cursor(&uri.parse().unwrap(), "a/b"), expected);
        }
    }
}
