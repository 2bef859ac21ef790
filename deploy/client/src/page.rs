//! Lists, page by page.

use reqwest::RequestBuilder;
use serde::Deserialize;

use crate::error::Error;

/// A page of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct Page<T> {
    /// What is on it, under the name that this list has.
    #[serde(alias = "functions", alias = "versions", alias = "executions", alias = "dead_letters")]
    pub items: Vec<T>,
    /// The cursor of the next page. A page may be short, or empty, and still have one.
    pub next: Option<String>,
    /// Of dead letters alone: whether there are no more than these.
    pub complete: Option<bool>,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct PageRange {
    /// How many entries a page may have.
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

/// Asks for one page after another until there are `limit` entries, or no more. A page has at most `most` of them.
///
/// # Errors
/// The first that `fetch` has.
pub async fn collect_pages<T>(
    limit: usize,
    most: usize,
    fetch: impl AsyncFn(&PageRange) -> Result<Page<T>, Error>,
) -> Result<Vec<T>, Error> {
    let (mut items, mut cursor) = (vec![], None);
    while items.len() < limit {
        let page = fetch(&PageRange { limit: Some((limit - items.len()).min(most)), cursor }).await?;
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(items)
}

impl PageRange {
    pub(crate) fn of(&self, request: RequestBuilder) -> RequestBuilder {
        let request = with(request, "limit", self.limit.map(|limit| limit.to_string()));
        with(request, "cursor", self.cursor.as_deref())
    }
}

/// The request with this in its query, where it is there.
pub(crate) fn with(
    request: RequestBuilder,
    name: &str,
    value: Option<impl serde::Serialize>,
) -> RequestBuilder {
    match value {
        Some(value) => request.query(&[(name, value)]),
        None => request,
    }
}
