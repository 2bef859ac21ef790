//! Routes that each say which scope they need: [`GuardedRoutes`] takes none without it.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::app::App;
use crate::http::admission::admit;
use crate::tokens::Scope;
use crate::tokens::authorize::{FunctionCheck, Needed, authorize};

/// Routes behind the check of tokens, each within the room that there is for requests.
pub(crate) struct GuardedRoutes {
    app: Arc<App>,
    routes: Router<Arc<App>>,
}

impl GuardedRoutes {
    pub(crate) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app), routes: Router::new() }
    }

    /// A route about the `{function}` in its path.
    pub(crate) fn route<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        scope: Scope,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        let handler = self.admitted(method, handler);
        self.add(path, Needed { scope, checked: FunctionCheck::ByPath }, handler)
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
        let handler = self.admitted(method, handler);
        self.add(path, Needed { scope, checked: FunctionCheck::ByHandler }, handler)
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
        self.add(path, Needed { scope, checked: FunctionCheck::ByPath }, on(method, handler))
    }

    fn admitted<T: 'static>(
        &self,
        method: MethodFilter,
        handler: impl Handler<T, Arc<App>>,
    ) -> MethodRouter<Arc<App>> {
        on(method, handler).route_layer(from_fn_with_state(Arc::clone(&self.app), admit))
    }

    fn add(self, path: &str, needed: Needed, routes: MethodRouter<Arc<App>>) -> Self {
        let Self { app, routes: others } = self;
        let guarded = routes.route_layer(from_fn_with_state((Arc::clone(&app), needed), authorize));
        Self { routes: others.route(path, guarded), app }
    }

    pub(crate) fn into_router(self) -> Router<Arc<App>> {
        self.routes
    }
}
