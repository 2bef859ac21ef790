//! A proxy between the fleet and its SQS and S3 that behaves as badly as these may on a bad day: it throttles, fails,
//! delays, drops connections before and after the request took effect, sends what is sent twice, refuses conditional
//! writes, or answers nothing at all. It can also let every request take as long as it does on AWS. What it does to a
//! request is drawn from a seed.

mod answer;
mod calls;
mod plan;
mod timer;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub use self::calls::Call;
use self::plan::{Asked, Dice};
pub use self::plan::{Fault, Latency, Plan};
use self::timer::Timer;

/// The proxy, until it is dropped.
pub struct FaultProxy {
    /// Its URL, to be used in the place of the upstream's.
    pub url: String,
    upstream: Arc<Upstream>,
    _stop: oneshot::Sender<()>,
}

/// When a call came, and when it was answered.
#[derive(Clone, Debug)]
pub struct TracedCall {
    /// The call.
    pub call: Call,
    /// When it came.
    pub asked_at: Instant,
    /// When it was answered.
    pub answered_at: Instant,
}

/// What requests are passed on to, and what becomes of them on the way.
struct Upstream {
    url: String,
    client: reqwest::Client,
    timer: Timer,
    state: Mutex<State>,
}

struct State {
    plan: Plan,
    dice: Dice,
    done: BTreeMap<Fault, u64>,
    calls: BTreeMap<Call, u64>,
    trace: Option<Vec<TracedCall>>,
    last_receive: Option<Response<Full<Bytes>>>,
}

/// The connection is to be dropped.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct Dropped;

impl FaultProxy {
    /// Starts a proxy before `upstream` on any free port of loopback.
    ///
    /// It has a thread of its own, and goes on while who started it waits for processes.
    pub fn start(upstream: &str, seed: u64, plan: Plan) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = reqwest::Client::builder().no_proxy().build().map_err(std::io::Error::other)?;
        let state = State {
            plan,
            dice: Dice::new(StdRng::seed_from_u64(seed)),
            done: BTreeMap::new(),
            calls: BTreeMap::new(),
            trace: None,
            last_receive: None,
        };
        let (url_of_upstream, state) = (upstream.to_owned(), Mutex::new(state));
        let upstream = Arc::new(Upstream { url: url_of_upstream, client, timer: Timer::start(), state });
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = serve(listener, Arc::clone(&upstream));
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = serving => {}
                }
            });
        });
        Ok(Self { url, upstream, _stop: stop })
    }

    /// Behaves by another plan from now on.
    pub fn follow(&self, plan: Plan) {
        self.upstream.lock().plan = plan;
    }

    /// What was done so far, and how often.
    pub fn done(&self) -> BTreeMap<Fault, u64> {
        self.upstream.lock().done.clone()
    }

    /// Every call that was made so far, and how often.
    pub fn calls(&self) -> BTreeMap<Call, u64> {
        self.upstream.lock().calls.clone()
    }

    /// The calls that were answered since this was asked last, in the order of their answers; at first none.
    pub fn take_trace(&self) -> Vec<TracedCall> {
        self.upstream.lock().trace.replace(vec![]).unwrap_or_default()
    }
}

impl Upstream {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latency(&self, asked: &Asked) -> Duration {
        let State { plan, dice, .. } = &mut *self.lock();
        dice.latency(plan, asked)
    }

    fn draw(&self, asked: &Asked) -> Option<Fault> {
        let mut state = self.lock();
        let State { plan, dice, done, .. } = &mut *state;
        let fault = dice.draw(plan, asked)?;
        *done.entry(fault).or_default() += 1;
        Some(fault)
    }
}

async fn serve(listener: std::net::TcpListener, upstream: Arc<Upstream>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&upstream)));
    }
}

async fn connection(stream: TcpStream, upstream: Arc<Upstream>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let upstream = Arc::clone(&upstream);
        async move { answer(&upstream, request).await }
    });
    // It ends with an error where a connection is dropped on purpose.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(upstream: &Upstream, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let (call, asked_at) = (Call::of(&parts, &body), Instant::now());
    *upstream.lock().calls.entry(call.clone()).or_default() += 1;
    let asked = Asked::of(&parts);
    let one_way = upstream.latency(&asked) / 2;
    upstream.timer.wait(one_way).await;
    let answered = misbehave(upstream, &asked, &parts, &body).await;
    upstream.timer.wait(one_way).await;
    if let Some(trace) = &mut upstream.lock().trace {
        trace.push(TracedCall { call, asked_at, answered_at: Instant::now() });
    }
    answered
}

/// Passes the request on, unless something is to go wrong with it.
async fn misbehave(
    upstream: &Upstream,
    asked: &Asked,
    parts: &Parts,
    body: &Bytes,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let again = async || forward(upstream, parts, body.clone()).await;
    match upstream.draw(asked) {
        None if asked.receives => {
            let received = again().await?;
            upstream.lock().last_receive = Some(received.clone());
            Ok(received)
        }
        None => again().await,
        Some(Fault::Repeat) => {
            let last = upstream.lock().last_receive.clone();
            match last {
                Some(last) => Ok(last),
                None => again().await,
            }
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Drop) => Err(Dropped),
        Some(Fault::Delay) => {
            let delay = upstream.lock().dice.delay();
            tokio::time::sleep(delay).await;
            again().await
        }
        Some(Fault::LoseAnswer) => {
            again().await?;
            Err(Dropped)
        }
        Some(Fault::Twice) => {
            again().await?;
            again().await
        }
        Some(fault @ (Fault::Throttle | Fault::Fail | Fault::Deny | Fault::Refuse | Fault::Conflict)) => {
            Ok(answer::of(fault, asked))
        }
    }
}

/// Asks the upstream, by the name that the proxy was asked by, since that is what was signed.
async fn forward(upstream: &Upstream, parts: &Parts, body: Bytes) -> Result<Response<Full<Bytes>>, Dropped> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = parts.headers.clone();
    headers.remove(CONNECTION);
    let request = upstream.client.request(parts.method.clone(), format!("{}{path}", upstream.url));
    let answer = request.headers(headers).body(body).send().await.map_err(|_| Dropped)?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if *name != CONNECTION && *name != TRANSFER_ENCODING {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await.map_err(|_| Dropped)?;
    response.body(Full::new(body)).map_err(|_| Dropped)
}
