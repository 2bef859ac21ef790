//! Every route, and what stands around all of them.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, get};
use badlambda_shared::limits;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::app::App;
use crate::console;
use crate::dead_letters::{bulk, one, routes as dead_letters};
use crate::executions::{batch, cancel, events, list, poll, replay, results, run, submit};
use crate::functions::{routes as functions, versions};
use crate::health;
use crate::http::access;
use crate::http::error::ApiError;
use crate::http::measure::measure;
use crate::http::problem;
use crate::http::request::refuse_unknown_query;
use crate::http::routes::GuardedRoutes;
use crate::lambda;
use crate::maps;
use crate::openapi;
use crate::stats;
use crate::tokens;
use crate::tokens::Scope::{Execute, Manage, Read};

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// The routes over `app`.
pub(crate) fn router(app: Arc<App>) -> Router {
    // Anybody may ask for these.
    let open = Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::get));
    // What nothing else answers may be a file of the console.
    let all = guarded(&app).into_router().merge(open).merge(lambda::routes(&app));
    surrounded(all.fallback_service(console::files()), app)
}

fn guarded(app: &Arc<App>) -> GuardedRoutes {
    GuardedRoutes::new(app)
        .route_over_functions(GET, "/v1/functions", Read, functions::list)
        .route_over_functions(POST, "/v1/functions", Manage, functions::create)
        .route(GET, "/v1/functions/{function}", Read, functions::get)
        .route(PUT, "/v1/functions/{function}", Manage, functions::put)
        .route(DELETE, "/v1/functions/{function}", Manage, functions::delete)
        .route(GET, "/v1/functions/{function}/versions", Read, versions::list)
        .route(GET, "/v1/functions/{function}/versions/{version}", Read, versions::get)
        .route(DELETE, "/v1/functions/{function}/versions/{version}", Manage, versions::delete)
        .route(GET, "/v1/functions/{function}/versions/{version}/code", Read, versions::code)
        .route(PUT, "/v1/functions/{function}/aliases/{alias}", Manage, versions::put_alias)
        .route(DELETE, "/v1/functions/{function}/aliases/{alias}", Manage, versions::delete_alias)
        .route_over_functions(GET, "/v1/stats", Read, stats::of_fleet)
        .route(GET, "/v1/functions/{function}/stats", Read, stats::of_function)
        .route_over_functions(GET, "/v1/executions", Read, list::all)
        .route(GET, "/v1/functions/{function}/executions", Read, list::of_function)
        .route(POST, "/v1/functions/{function}/executions", Execute, submit::submit)
        .route(POST, "/v1/functions/{function}/executions/batch", Execute, batch::batch)
        .route(POST, "/v1/run", Execute, run::run)
        .route(GET, "/v1/functions/{function}/executions/{id}", Read, poll::poll)
        .route(DELETE, "/v1/functions/{function}/executions/{id}", Execute, cancel::cancel)
        .route(GET, "/v1/functions/{function}/executions/{id}/events", Read, events::events)
        .route(POST, "/v1/functions/{function}/executions/{id}/replay", Execute, replay::replay)
        .route(GET, "/v1/functions/{function}/executions/{id}/input", Read, results::input)
        .route(GET, "/v1/functions/{function}/executions/{id}/result", Read, results::result)
        .route(GET, "/v1/functions/{function}/executions/{id}/logs", Read, results::logs)
        .route(POST, "/v1/functions/{function}/maps", Execute, maps::create::create)
        .route(GET, "/v1/functions/{function}/maps/{id}", Read, maps::show::show)
        .route(GET, "/v1/functions/{function}/maps/{id}/results", Read, maps::results::results)
        .route(DELETE, "/v1/functions/{function}/maps/{id}", Execute, maps::cancel::cancel)
        .route_over_functions(GET, "/v1/maps", Read, maps::list::list)
        .route_over_functions(GET, "/v1/dead-letters", Read, dead_letters::list)
        .route_over_functions(DELETE, "/v1/dead-letters", Manage, bulk::delete)
        .route_over_functions(POST, "/v1/dead-letters/redrive", Manage, bulk::redrive)
        .route_over_functions(GET, "/v1/dead-letters/{id}", Read, dead_letters::get)
        .route_over_functions(DELETE, "/v1/dead-letters/{id}", Manage, one::delete)
        .route_over_functions(POST, "/v1/dead-letters/{id}/redrive", Manage, one::redrive)
        .route_of_any_token(GET, "/v1/token", tokens::show::show)
        .route_of_operator(GET, "/metrics", Read, health::metrics)
}

/// What stands around every route, the outermost last.
fn surrounded(routes: Router<Arc<App>>, app: Arc<App>) -> Router {
    routes
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(RequestBodyTimeoutLayer::new(limits::BODY_STALL))
        .layer(from_fn(refuse_unknown_query))
        .layer(from_fn_with_state(Arc::clone(&app), access::refuse_other_sites))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(from_fn(lambda::finish))
        .layer(from_fn(problem::finish))
        .layer(from_fn(measure))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use serde_json::Value;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;
    use crate::app::tests::app;

    #[tokio::test]
    async fn every_route_is_documented_and_no_other() {
        let document: Value = serde_json::from_str(crate::openapi_document()).unwrap();
        let operations = |item: &Value| item.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let paths = document["paths"].as_object().unwrap().iter();
        let documented: BTreeSet<(String, String)> = paths
            .flat_map(|(path, item)| operations(item).into_iter().map(|method| (method, path.clone())))
            .collect();
        let open = ["/healthz", "/readyz", "/openapi.json"].map(|path| ("get".to_owned(), path.to_owned()));
        let guarded = guarded(&app()).listed();
        assert_eq!(documented, guarded.into_iter().chain(open).collect());
    }

    async fn panics() -> &'static str {
        panic!("the inside")
    }

    #[tokio::test]
    async fn a_panic_is_an_internal_error_that_tells_nothing() {
        let routes = Router::new().route("/panic", get(panics));
        let request = Request::get("/panic").header("Host", "localhost").body(Body::empty()).unwrap();
        let response = surrounded(routes, app()).oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["type"], &problem["status"]), (&"internal".into(), &500.into()));
        assert!(!problem.to_string().contains("the inside"), "{problem}");
    }

    #[tokio::test]
    async fn a_request_takes_room_until_its_answer_is_sent() {
        let app = app();
        let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let waits = {
            let (begun, end) = (Arc::clone(&begun), Arc::clone(&end));
            async move || {
                begun.notify_one();
                end.notified().await;
                "a long answer"
            }
        };
        let routes = GuardedRoutes::new(&app).route(GET, "/waits", Read, waits).into_router();
        let ask = || {
            let request = Request::get("/waits").header("Host", "localhost").body(Body::empty()).unwrap();
            surrounded(routes.clone(), Arc::clone(&app)).oneshot(request)
        };
        let _others = app.admission.take(u32::try_from(limits::MAX_REQUESTS).unwrap() - 1);
        let waiting = tokio::spawn(ask());
        begun.notified().await;
        let refused = ask().await.unwrap();
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
        end.notify_one();
        let answered = waiting.await.unwrap().unwrap();
        assert_eq!((answered.status().as_u16(), app.admission.free()), (200, 0));
        assert_eq!(answered.headers()["content-length"], "13");
        assert_eq!(to_bytes(answered.into_body(), 100).await.unwrap(), "a long answer");
        assert_eq!(app.admission.free(), 1);
    }

    #[tokio::test]
    async fn metrics_are_told_where_there_is_no_room_for_requests() {
        let app = app();
        let _all = app.admission.take(u32::try_from(limits::MAX_REQUESTS).unwrap());
        let ask = async |path: &str| {
            let request = Request::get(path).header("Host", "localhost").body(Body::empty()).unwrap();
            router(Arc::clone(&app)).oneshot(request).await.unwrap().status().as_u16()
        };
        assert_eq!((ask("/v1/functions").await, ask("/metrics").await), (503, 200));
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
