//! The console: a page, served at `/`, from files that are part of this program. Anybody may have it: it holds nothing but
//! code, and asks for a token once the API does.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY};
use axum::middleware::map_response;
use axum::response::Response;

use crate::http::error::ApiError;

// `static_router()`: made by `build.rs`.
include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// The page loads its own files and asks its own API, and nobody else. Only the code editor makes HTML, by the one policy
/// of Trusted Types (`base/trusted.js`).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// With every file. That it is asked for again costs an answer without a body, by its `ETag`.
const HEADERS: [(HeaderName, &str); 3] =
    [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache"), (REFERRER_POLICY, "no-referrer")];

/// The console's files; all else is not found.
pub(crate) fn files() -> Router {
    static_router()
        .layer(map_response(with_headers))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
