//! Every route, and what stands around all of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post, put};
use badlambda_shared::limits;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::app::App;
use crate::executions::{batch, cancel, poll, replay, results, run, submit};
use crate::functions::{routes as functions, versions};
use crate::health;
use crate::http::access;
use crate::http::admission;
use crate::http::error::ApiError;
use crate::http::problem;

/// The routes over `app`.
///
/// The contract has more, which belong here:
/// - `GET /v1/functions/{function}/executions`: list, newest first
/// - `GET /v1/stats`
/// - `GET /metrics`, `GET /openapi.json`, and the console at `GET /`
pub(crate) fn router(app: Arc<App>) -> Router {
    let v1 = Router::new()
        .route("/v1/functions", post(functions::create).get(functions::list))
        .route("/v1/functions/{function}", put(functions::put).get(functions::get).delete(functions::delete))
        .route("/v1/functions/{function}/versions", get(versions::list))
        .route("/v1/functions/{function}/versions/{version}/code", get(versions::code))
        .route("/v1/functions/{function}/aliases/{alias}", put(versions::put_alias))
        .route("/v1/functions/{function}/executions", post(submit::submit))
        .route("/v1/functions/{function}/executions/batch", post(batch::batch))
        .route("/v1/run", post(run::run))
        .route("/v1/functions/{function}/executions/{id}", get(poll::poll).delete(cancel::cancel))
        .route("/v1/functions/{function}/executions/{id}/replay", post(replay::replay))
        .route("/v1/functions/{function}/executions/{id}/input", get(results::input))
        .route("/v1/functions/{function}/executions/{id}/result", get(results::result))
        .route("/v1/functions/{function}/executions/{id}/logs", get(results::logs))
        .route_layer(from_fn_with_state(Arc::clone(&app), access::require_token))
        .route_layer(from_fn_with_state(Arc::clone(&app), admission::admit));
    let probes = Router::new().route("/healthz", get(health::live)).route("/readyz", get(health::ready));
    surrounded(v1.merge(probes), app)
}

/// What stands around every route, the outermost last.
fn surrounded(routes: Router<Arc<App>>, app: Arc<App>) -> Router {
    routes
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(RequestBodyTimeoutLayer::new(limits::BODY_STALL))
        .layer(from_fn_with_state(Arc::clone(&app), access::refuse_other_sites))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(from_fn(problem::finish))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use badlambda_shared::aws::{AwsClients, FixedEndpoint};
    use badlambda_shared::config::Environment;
    use badlambda_shared::shutdown::Shutdown;
    use tower::ServiceExt as _;

    use super::*;
    use crate::config::Config;

    /// An app whose services nobody asks.
    fn app() -> Arc<App> {
        let pairs = [
            ("BADLAMBDA_QUEUE_URL", "http://127.0.0.1:1/q"),
            ("BADLAMBDA_DEAD_LETTER_QUEUE_URL", "http://127.0.0.1:1/d"),
            ("BADLAMBDA_BUCKET", "b"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::from_environment(&Environment::from_pairs(pairs).unwrap()).unwrap();
        let aws = AwsClients::fixed(FixedEndpoint {
            endpoint: "http://127.0.0.1:1".to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: "secret".to_owned(),
            region: "us-east-1".to_owned(),
        });
        Arc::new(App::new(&config, &aws, config.listen, Shutdown::default()))
    }

    async fn panics() -> &'static str {
        panic!("the inside")
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing() {
        let routes = Router::new().route("/panic", get(panics));
        let request = Request::get("/panic").body(Body::empty()).unwrap();
        let response = surrounded(routes, app()).oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["type"], &problem["status"]), (&"internal".into(), &500.into()));
        assert!(!problem.to_string().contains("the inside"), "{problem}");
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_is_refused_and_may_come_again() {
        let app = app();
        let mut held = app.admission.for_body();
        held.take(limits::MAX_BODY_BYTES_UNDER_WAY - 1).unwrap();
        let request = || {
            Request::post("/v1/functions/f/executions")
                .header("Host", "localhost")
                .body(Body::from("[1, 2, 3]"))
                .unwrap()
        };
        let response = router(Arc::clone(&app)).oneshot(request()).await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["retry-after"]),
            (503.try_into().unwrap(), &"1".parse().unwrap())
        );
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("\"busy\""), "{body:?}");
        // With room for it, it gets as far as to the bucket that is not there.
        held.clear();
        let response = router(Arc::clone(&app)).oneshot(request()).await.unwrap();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("\"unavailable\""), "{body:?}");
    }
}
