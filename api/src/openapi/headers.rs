//! The headers of responses. A handler names those it sends; what they mean stands here.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Components, Ref, RefOr};

use crate::schema::text;

/// Each header with what its value matches, and what it says.
const TEXTS: [(&str, &str, &str); 11] = [
    ("Location", "^(/|https?://).+$", "Where it is."),
    ("ETag", "^\"[0-9a-f]{32}\"$", "Its entity tag, which every change of it changes."),
    ("Link", "^<.+>; rel=\"next\"$", "The next page, if there is one."),
    (
        "Preference-Applied",
        "^wait=[0-9]+$",
        "How long the answer was held at most, where a wait was asked for.",
    ),
    ("WWW-Authenticate", "^Bearer( .+)?$", "What is asked of the token, as RFC 6750 has it."),
    ("Allow", "^[A-Z]+(,[A-Z]+)*$", "The methods that there are."),
    ("RateLimit", "^\"token\";r=[0-9]+;t=1$", "What is left of the token's rate, if it has one."),
    ("RateLimit-Policy", "^\"token\";q=[0-9]+;w=1$", "The token's rate, if it has one."),
    ("X-Request-Id", "^[A-Za-z0-9_.:=+/-]+$", "The request's id: the caller's, or a new one."),
    ("Cache-Control", "^(no-store|no-cache)$", "Whether an answer may be kept."),
    ("X-Content-Type-Options", "^nosniff$", "That a browser takes the media type as it is."),
];
const RETRY_AFTER: &str = "Retry-After";
/// Those of every response.
const OF_ALL: [&str; 3] = ["X-Request-Id", "Cache-Control", "X-Content-Type-Options"];
/// Those of every response to a token.
const OF_TOKENS: [&str; 2] = ["RateLimit", "RateLimit-Policy"];

/// Describes each header once.
pub(super) fn describe(components: &mut Components) {
    for (name, pattern, description) in TEXTS {
        components.headers.insert(name.to_owned(), header(text(pattern, 1..=8192), description).into());
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
    let description = "In how many seconds to ask again, where it is not finished, or may pass.";
    components.headers.insert(RETRY_AFTER.to_owned(), header(seconds.into(), description).into());
    let responses = components.responses.values_mut();
    for response in responses.filter_map(|response| match response {
        RefOr::T(response) => Some(response),
        RefOr::Ref(_) => None,
    }) {
        let names = OF_ALL.into_iter().chain(OF_TOKENS);
        response.headers.extend(names.map(|name| (name.to_owned(), reference(name))));
    }
}

fn header(schema: Schema, description: &str) -> Header {
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

/// Has the operation's responses refer to the headers that they name, and to those that all have.
pub(super) fn add_to(operation: &mut Operation) {
    // Only what asks for no token says anything of tokens.
    let of_tokens: &[&str] = if operation.security.is_none() { &OF_TOKENS } else { &[] };
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let own: Vec<String> = response.headers.keys().cloned().collect();
        let common = OF_ALL.iter().chain(of_tokens).map(|name| (*name).to_owned());
        response.headers =
            own.into_iter().chain(common).map(|name| (name.clone(), reference(&name))).collect();
    }
}

/// A reference to a header that is described once.
pub(super) fn reference(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}
