//! Every operation, and which scope of a token it needs. What stands between a request and its handler stands here, at
//! one place.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodFilter;

use super::{
    account_settings, aliases, concurrency, event_invoke, event_sources, fixed, functions, invoke, layers,
    policy, tags, versions,
};
use crate::app::App;
use crate::http::routes::GuardedRoutes;
use crate::tokens::Scope::{self, Execute, Manage, Read};

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
const PUT: MethodFilter = MethodFilter::PUT;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// The routes of AWS Lambda's API over `app`. Handlers check for which functions a token is, since their names have many
/// forms.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let operations = Operations(GuardedRoutes::new(app));
    of_the_rest(of_event_sources(of_layers(of_versions(of_functions(operations))))).0.into_router()
}

fn of_functions(operations: Operations) -> Operations {
    operations
        .on(GET, "/2015-03-31/functions", Read, functions::list)
        .on(GET, "/2015-03-31/functions/", Read, functions::list)
        .on(POST, "/2015-03-31/functions", Manage, functions::create)
        .on(GET, "/2015-03-31/functions/{function}", Read, functions::get)
        .on(DELETE, "/2015-03-31/functions/{function}", Manage, functions::delete)
        .on(GET, "/2015-03-31/functions/{function}/configuration", Read, functions::get_configuration)
        .on(PUT, "/2015-03-31/functions/{function}/configuration", Manage, functions::update_configuration)
        .on(PUT, "/2015-03-31/functions/{function}/code", Manage, functions::update_code)
        .on(POST, "/2015-03-31/functions/{function}/invocations", Execute, invoke::invoke)
        .on(
            POST,
            "/2021-11-15/functions/{function}/response-streaming-invocations",
            Execute,
            invoke::invoke_with_response_stream,
        )
        .on(POST, "/2014-11-13/functions/{function}/invoke-async", Execute, invoke::invoke_async)
        .on(POST, "/2014-11-13/functions/{function}/invoke-async/", Execute, invoke::invoke_async)
}

fn of_versions(operations: Operations) -> Operations {
    operations
        .on(GET, "/2015-03-31/functions/{function}/versions", Read, versions::list)
        .on(POST, "/2015-03-31/functions/{function}/versions", Manage, versions::publish)
        .on(GET, "/2015-03-31/functions/{function}/aliases", Read, aliases::list)
        .on(POST, "/2015-03-31/functions/{function}/aliases", Manage, aliases::create)
        .on(GET, "/2015-03-31/functions/{function}/aliases/{alias}", Read, aliases::get)
        .on(PUT, "/2015-03-31/functions/{function}/aliases/{alias}", Manage, aliases::update)
        .on(DELETE, "/2015-03-31/functions/{function}/aliases/{alias}", Manage, aliases::delete)
        .on(GET, "/2015-03-31/functions/{function}/policy", Read, policy::get)
        .on(POST, "/2015-03-31/functions/{function}/policy", Manage, policy::add)
        .on(DELETE, "/2015-03-31/functions/{function}/policy/{statement}", Manage, policy::remove)
        .on(GET, "/2019-09-25/functions/{function}/event-invoke-config", Read, event_invoke::get)
        .on(PUT, "/2019-09-25/functions/{function}/event-invoke-config", Manage, event_invoke::put)
        .on(POST, "/2019-09-25/functions/{function}/event-invoke-config", Manage, event_invoke::update)
        .on(DELETE, "/2019-09-25/functions/{function}/event-invoke-config", Manage, event_invoke::delete)
        .on(GET, "/2019-09-25/functions/{function}/event-invoke-config/list", Read, event_invoke::list)
}

fn of_layers(operations: Operations) -> Operations {
    operations
        .on(GET, "/2018-10-31/layers", Read, layers::list_or_get_by_arn)
        .on(GET, "/2018-10-31/layers/{layer}/versions", Read, layers::list_versions)
        .on(POST, "/2018-10-31/layers/{layer}/versions", Manage, layers::publish)
        .on(GET, "/2018-10-31/layers/{layer}/versions/{version}", Read, layers::get)
        .on(DELETE, "/2018-10-31/layers/{layer}/versions/{version}", Manage, layers::delete)
        .on(GET, "/2018-10-31/layers/{layer}/versions/{version}/policy", Read, layers::refuse_permissions)
        .on(POST, "/2018-10-31/layers/{layer}/versions/{version}/policy", Manage, layers::refuse_permissions)
        .on(
            DELETE,
            "/2018-10-31/layers/{layer}/versions/{version}/policy/{statement}",
            Manage,
            layers::refuse_permissions,
        )
}

fn of_event_sources(operations: Operations) -> Operations {
    operations
        .on(GET, "/2015-03-31/event-source-mappings", Read, event_sources::list)
        .on(POST, "/2015-03-31/event-source-mappings", Manage, event_sources::create)
        .on(GET, "/2015-03-31/event-source-mappings/", Read, event_sources::list)
        .on(POST, "/2015-03-31/event-source-mappings/", Manage, event_sources::create)
        .on(GET, "/2015-03-31/event-source-mappings/{uuid}", Read, event_sources::get)
        .on(PUT, "/2015-03-31/event-source-mappings/{uuid}", Manage, event_sources::update)
        .on(DELETE, "/2015-03-31/event-source-mappings/{uuid}", Manage, event_sources::delete)
}

fn of_the_rest(operations: Operations) -> Operations {
    operations
        .on(PUT, "/2017-10-31/functions/{function}/concurrency", Manage, concurrency::put)
        .on(DELETE, "/2017-10-31/functions/{function}/concurrency", Manage, concurrency::delete)
        .on(GET, "/2019-09-30/functions/{function}/concurrency", Read, concurrency::get)
        .on(GET, "/2019-09-30/functions/{function}/provisioned-concurrency", Read, concurrency::provisioned)
        .on(
            PUT,
            "/2019-09-30/functions/{function}/provisioned-concurrency",
            Manage,
            concurrency::put_provisioned,
        )
        .on(
            DELETE,
            "/2019-09-30/functions/{function}/provisioned-concurrency",
            Manage,
            concurrency::delete_provisioned,
        )
        .on(GET, "/2017-03-31/tags/{arn}", Read, tags::list)
        .on(POST, "/2017-03-31/tags/{arn}", Manage, tags::add)
        .on(DELETE, "/2017-03-31/tags/{arn}", Manage, tags::remove)
        .on(GET, "/2016-08-19/account-settings", Read, account_settings::get)
        .on(GET, "/2016-08-19/account-settings/", Read, account_settings::get)
        .on(GET, "/2020-06-30/functions/{function}/code-signing-config", Read, fixed::code_signing)
        .on(PUT, "/2020-06-30/functions/{function}/code-signing-config", Manage, fixed::put_code_signing)
        .on(
            DELETE,
            "/2020-06-30/functions/{function}/code-signing-config",
            Manage,
            fixed::delete_code_signing,
        )
        .on(GET, "/2024-08-31/functions/{function}/recursion-config", Read, fixed::recursion)
        .on(PUT, "/2024-08-31/functions/{function}/recursion-config", Manage, fixed::put_recursion)
        .on(
            GET,
            "/2021-07-20/functions/{function}/runtime-management-config",
            Read,
            fixed::runtime_management,
        )
        .on(
            PUT,
            "/2021-07-20/functions/{function}/runtime-management-config",
            Manage,
            fixed::put_runtime_management,
        )
        .on(GET, "/2021-10-31/functions/{function}/url", Read, fixed::url)
        .on(POST, "/2021-10-31/functions/{function}/url", Manage, fixed::put_url)
        .on(PUT, "/2021-10-31/functions/{function}/url", Manage, fixed::put_url)
        .on(DELETE, "/2021-10-31/functions/{function}/url", Manage, fixed::url)
        .on(GET, "/2021-10-31/functions/{function}/urls", Read, fixed::urls)
}

struct Operations(GuardedRoutes);

impl Operations {
    fn on<T: 'static>(
        self,
        method: MethodFilter,
        path: &str,
        scope: Scope,
        handler: impl Handler<T, Arc<App>>,
    ) -> Self {
        Self(self.0.route_of_lambda(method, path, scope, handler))
    }
}
