//! Sending a request, and reading what is answered.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::address::Address;
use crate::error::{Error, innermost};

/// Longer than a load balancer takes to give up.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Longer than the API holds an answer back (50 s), and than the pauses between server-sent events (15 s).
const READ_TIME: Duration = Duration::from_secs(90);

/// One API. Its clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    address: Address,
}

impl Client {
    /// The API at this address, to which `token` is shown, if there is one.
    ///
    /// # Errors
    /// When the token can't stand in a header, or this machine has no certificates to check others' by.
    pub fn new(address: Address, token: Option<&str>) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let bearer = HeaderValue::try_from(format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|_| {
                Error::Client("the token has characters that no token has; was it copied whole?".to_owned())
            })?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let builder = reqwest::Client::builder().default_headers(headers);
        let builder = builder.connect_timeout(CONNECT_TIME);
        let builder = if address.is_loopback() { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| Error::Client(innermost(&error)))?;
        Ok(Self { http, address })
    }

    /// Where the API is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Any request, to a path as the API writes it, with a query if need be; whatever the status, its answer.
    ///
    /// # Errors
    /// When nobody answers, or method, path or headers can't be sent.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<String>,
    ) -> Result<Answer, Error> {
        let method = method.to_uppercase().parse();
        let method: Method = method.map_err(|_| Error::Client("the method is none of HTTP's".to_owned()))?;
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(Error::Client(format!("{name:?} can't be a header, or its value can't")));
            };
            sent.insert(name, value);
        }
        let request = self.http.request(method, self.address.join_path(path)?).headers(sent);
        self.send(match body {
            Some(body) => request.body(body),
            None => request,
        })
        .await
    }

    /// A request to what these segments of a path name.
    pub(crate) fn to(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.http.request(method, self.address.join(segments))
    }

    /// Sends it; whatever the status, its answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, Error> {
        match timeout(READ_TIME, self.send_all(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(Error::Unreachable { address: self.address.to_string(), reason: stalled() }),
        }
    }

    /// The same, however long it takes to send: TCP tells when the other side is gone.
    async fn send_all(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let address = self.address.to_string();
        match request.send().await {
            Ok(response) => Ok(Answer { response, address }),
            Err(error) => Err(Error::Unreachable { address, reason: innermost(&error) }),
        }
    }

    /// Sends what must be answered with success.
    pub(crate) async fn ask(&self, request: RequestBuilder) -> Result<Answer, Error> {
        self.send(request).await?.succeeded().await
    }

    /// The same, and reads the answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        self.ask(request).await?.json().await
    }

    /// The same of a request with a large body, or one that comes bit by bit.
    pub(crate) async fn upload<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        self.send_all(request).await?.succeeded().await?.json().await
    }
}

/// An answer, of which the body may still be on its way.
#[derive(Debug)]
pub struct Answer {
    response: Response,
    address: String,
}

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// A header, where it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// This answer, where it is a success.
    ///
    /// # Errors
    /// With the [`Problem`](crate::Problem) that it is, or that it is none of this API's.
    pub async fn succeeded(self) -> Result<Self, Error> {
        let status = self.status();
        if status.is_success() {
            return Ok(self);
        }
        let is_problem = self.header(CONTENT_TYPE.as_str()) == Some("application/problem+json");
        let address = self.address.clone();
        let body = self.bytes().await?;
        let problem = if is_problem { serde_json::from_slice(&body).ok() } else { None };
        Err(match problem {
            Some(problem) => Error::Problem(problem),
            None => Error::NotOurs { address, status: status.as_u16(), what: shown(&body) },
        })
    }

    /// The next piece of the body, or `None` at its end.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match timeout(READ_TIME, self.response.chunk()).await {
            Ok(chunk) => Ok(chunk.map_err(|error| broken_off(&self.address, &error))?.map(Vec::from)),
            Err(_) => Err(Error::BrokenOff { address: self.address.clone(), reason: stalled() }),
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// When the connection breaks off.
    pub async fn bytes(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![];
        while let Some(chunk) = self.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The whole body, as what it must be.
    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (address, status) = (self.address.clone(), self.status().as_u16());
        let body = self.bytes().await?;
        serde_json::from_slice(&body).map_err(|_| Error::NotOurs { address, status, what: shown(&body) })
    }

    /// That the body is none of this API's.
    pub(crate) fn not_ours(&self, body: &[u8]) -> Error {
        Error::NotOurs { address: self.address.clone(), status: self.status().as_u16(), what: shown(body) }
    }
}

fn stalled() -> String {
    format!("nothing came for {} s", READ_TIME.as_secs())
}

fn broken_off(address: &str, error: &reqwest::Error) -> Error {
    Error::BrokenOff { address: address.to_owned(), reason: innermost(error) }
}

/// The beginning of a body, as it may stand in a sentence.
fn shown(body: &[u8]) -> String {
    const MOST_CHARS: usize = 60;
    let text = String::from_utf8_lossy(body);
    let line: String = text.trim().chars().take_while(|c| !c.is_control()).take(MOST_CHARS).collect();
    if line.is_empty() { "nothing".to_owned() } else { format!("{line:?}") }
}
