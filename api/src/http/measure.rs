//! Counts requests by route and status, and how long they took.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use badlambda_shared::process::metrics::{LabelValues, OTHER};

use crate::metrics::{HTTP_REQUEST_SECONDS, HTTP_REQUESTS};

/// More than there are. Both come from code of ours, which has no list of them.
static ROUTES: LabelValues = LabelValues::new(100);
static STATUSES: LabelValues = LabelValues::new(60);

/// Counts a request. One whose client went away before its answer is not counted.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(OTHER, |path| ROUTES.value(path.as_str()));
    let response = next.run(request).await;
    let labels = [method, route, STATUSES.value(response.status().as_str())];
    HTTP_REQUESTS.count(labels);
    HTTP_REQUEST_SECONDS.record(labels, began_at.elapsed());
    response
}

/// The value of the label `method`. A request may name any method.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}
