//! Routes that each say which scope they need: [`GuardedRoutes`] takes none without it.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, on};

use crate::app::App;
use crate::http::admission::admit;
use crate::tokens::Scope;
use crate::tokens::authorize::{FunctionCheck, Needed, Shown, authorize};

/// Routes behind the check of tokens, each within the room that there is for requests.
pub(crate) struct GuardedRoutes {
    app: Arc<App>,
    routes: Router<Arc<App>>,
    /// Each with its method and path.
    #[cfg(test)]
    listed: Vec<(MethodFilter, String)>,
}

impl GuardedRoutes {
    pub(crate) fn new(app: &Arc<App>) -> Self {
        Self {
            app: Arc::clone(app),
            routes: Router::new(),
            #[cfg(test)]
            listed: vec![],
        }
    }

    /// A route about the `{function}` in its path.
    pub(crate) fn route<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        scope: Scope,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        self.add(method, path, Needed::of_bearer(Some(scope), FunctionCheck::ByPath), true, handler)
    }

    /// A route about more than one function, or one that the path does not name. Its handler takes the
    /// [`Caller`](crate::tokens::Caller), and leaves out or refuses what the caller's token is not for.
    pub(crate) fn route_over_functions<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        scope: Scope,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        self.add(method, path, Needed::of_bearer(Some(scope), FunctionCheck::ByHandler), true, handler)
    }

    /// A route of AWS Lambda's API. Its handler takes the [`Caller`](crate::tokens::Caller), as above.
    pub(crate) fn route_of_lambda<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        scope: Scope,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        let shown = Shown::TokenOrSignature;
        let needed = Needed { scope: Some(scope), checked: FunctionCheck::ByHandler, shown };
        self.add(method, path, needed, true, handler)
    }

    /// A route about the caller's own token, whatever that may be used for.
    pub(crate) fn route_of_any_token<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        self.add(method, path, Needed::of_bearer(None, FunctionCheck::ByHandler), true, handler)
    }

    /// A route of the operator's, about all functions, which is answered also where there is no room for requests.
    pub(crate) fn route_of_operator<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        scope: Scope,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        // The path names no function, so that a token for some functions is refused.
        self.add(method, path, Needed::of_bearer(Some(scope), FunctionCheck::ByPath), false, handler)
    }

    fn add<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        needed: Needed,
        takes_room: bool,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        let app = self.app;
        let mut guarded = on(method, handler);
        if takes_room {
            guarded = guarded.route_layer(from_fn_with_state(Arc::clone(&app), admit));
        }
        let guarded = guarded.route_layer(from_fn_with_state((Arc::clone(&app), needed), authorize));
        Self {
            routes: self.routes.route(path, guarded),
            app,
            #[cfg(test)]
            listed: self.listed.into_iter().chain([(method, path.to_owned())]).collect(),
        }
    }

    /// Method, as OpenAPI writes it, and path of each.
    #[cfg(test)]
    pub(crate) fn listed(&self) -> Vec<(String, String)> {
        let name = |method: MethodFilter| match method {
            MethodFilter::GET => "get",
            MethodFilter::POST => "post",
            MethodFilter::PUT => "put",
            MethodFilter::DELETE => "delete",
            other => panic!("{other:?} has no name here"),
        };
        self.listed.iter().map(|(method, path)| (name(*method).to_owned(), path.clone())).collect()
    }

    pub(crate) fn into_router(self) -> Router<Arc<App>> {
        self.routes
    }
}
