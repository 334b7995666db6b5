//! The server on loopback.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::guard::guard;
use super::live::Live;
use super::past::{Incidents, Past, Span, Story};
use super::{WebSettings, page};
use crate::history::{History, HistoryError};
use crate::metrics::{CONTENT_TYPE, Metrics};
use crate::platform::clock;
use crate::platform::listener::LimitedListener;
use crate::snapshot::Snapshot;
use crate::text::Language;

/// Most connections at a time. A browser keeps up to six, and one for the events.
const MOST_CONNECTIONS: usize = 32;

/// Longest life of a connection; a browser opens its events anew.
const LONGEST_CONNECTION: Duration = Duration::from_mins(10);

/// Longest time from connecting to the first byte of an answer. The page and its events are answered at once, and the
/// history within its own limit.
const SILENCE: Duration = Duration::from_secs(10);

/// Limit for an answer out of the history.
const HISTORY_LIMIT: Duration = Duration::from_secs(5);

/// Longest silence of the events: the page takes twice as much for an end.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Shortest distance of two events: in trouble there is a new picture many times a second.
const BREATH: Duration = Duration::from_millis(400);

/// The server, bound to its port.
#[derive(Debug)]
pub struct WebServer {
    listener: TcpListener,
    address: SocketAddr,
}

/// Why there is no status page.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("port {0} is taken by another program, so there is no status page; set another one as web.port")]
    Taken(u16),
    /// The system refused.
    #[error("port {port} cannot be opened, so there is no status page: {cause}; set another one as web.port")]
    Failed {
        /// The port.
        port: u16,
        /// What the system said.
        cause: io::Error,
    },
}

impl WebServer {
    /// Binds to a port of 127.0.0.1; 0: any that is free.
    pub async fn bind(port: u16) -> Result<Self, BindError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::AddrInUse => BindError::Taken(port),
            _ => BindError::Failed { port, cause },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Address of the status page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until `stop` resolves. Requests that are being answered are not waited for.
    pub async fn serve(
        self,
        settings: WebSettings,
        snapshots: watch::Receiver<Snapshot>,
        history: Arc<History>,
        metrics: Arc<Metrics>,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let listener =
            LimitedListener::new(self.listener, MOST_CONNECTIONS, LONGEST_CONNECTION).answering_within(SILENCE);
        let shared = Shared { settings: Arc::new(settings), snapshots, history, metrics };
        tokio::select! {
            served = axum::serve(listener, router(shared)) => served,
            () = stop => Ok(()),
        }
    }
}

#[derive(Clone)]
struct Shared {
    settings: Arc<WebSettings>,
    snapshots: watch::Receiver<Snapshot>,
    history: Arc<History>,
    metrics: Arc<Metrics>,
}

impl Shared {
    fn language(&self, named: Option<&str>) -> Language {
        page::named(named).unwrap_or(self.settings.language)
    }

    /// The present, as JSON.
    fn live(&self, language: Language) -> serde_json::Result<String> {
        let snapshot = self.snapshots.borrow().clone();
        let (now, now_elapsed) = (clock::wall(), clock::elapsed());
        serde_json::to_string(&Live::of(&snapshot, self.settings.limits, language, now, now_elapsed))
    }

    /// Looks something up in the history, on a thread that may wait for the disk.
    async fn look_up<T: Serialize + Send + 'static>(
        &self,
        find: impl FnOnce(&Self) -> Result<T, HistoryError> + Send + 'static,
    ) -> Response {
        let shared = self.clone();
        let found = tokio::task::spawn_blocking(move || find(&shared));
        match timeout(HISTORY_LIMIT, found).await {
            Ok(Ok(Ok(found))) => Json(found).into_response(),
            Ok(Ok(Err(error))) => {
                tracing::warn!(%error, "the status page could not look into the history");
                (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "looking into the history ended in a way that it should not have");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Err(_) => (StatusCode::GATEWAY_TIMEOUT, "the history did not answer in time\n").into_response(),
        }
    }
}

fn router(shared: Shared) -> Router {
    let text =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", get(index))
        .route("/page.css", text("text/css; charset=utf-8", page::STYLE))
        .route("/page.js", text("text/javascript; charset=utf-8", page::SCRIPT))
        .route("/events", get(events))
        .route("/api/past", get(past))
        .route("/api/incidents", get(incidents))
        .route("/api/incident", get(incident))
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        .layer(middleware::from_fn(guard))
        .with_state(shared)
}

#[derive(Deserialize)]
struct Spoken {
    language: Option<String>,
}

async fn index(State(shared): State<Shared>, Query(spoken): Query<Spoken>) -> Response {
    let page = page::page(shared.language(spoken.language.as_deref()));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>): the present, whenever it
/// changes, and as a sign of life.
async fn events(State(shared): State<Shared>, Query(spoken): Query<Spoken>) -> Response {
    let language = shared.language(spoken.language.as_deref());
    let beats = stream::unfold((shared, true), move |(mut shared, first)| async move {
        if !first {
            sleep(BREATH).await;
            // Nothing new is as good a reason to speak as news; an end is none.
            if let Ok(Err(_)) = timeout(HEARTBEAT, shared.snapshots.changed()).await {
                return None;
            }
        }
        shared.snapshots.mark_unchanged();
        let live = shared.live(language).ok()?;
        Some((Ok::<_, Infallible>(Bytes::from(format!("data: {live}\n\n"))), (shared, false)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(beats)).into_response()
}

#[derive(Deserialize)]
struct PastQuery {
    gateway: String,
    span: Span,
}

async fn past(State(shared): State<Shared>, Query(query): Query<PastQuery>) -> Response {
    shared.look_up(move |shared| Past::of(&shared.history, &query.gateway, query.span, clock::wall())).await
}

#[derive(Deserialize)]
struct IncidentsQuery {
    gateway: String,
    before: Option<i64>,
    language: Option<String>,
}

async fn incidents(State(shared): State<Shared>, Query(query): Query<IncidentsQuery>) -> Response {
    let language = shared.language(query.language.as_deref());
    shared.look_up(move |shared| Incidents::of(&shared.history, &query.gateway, query.before, language)).await
}

#[derive(Deserialize)]
struct IncidentQuery {
    gateway: String,
    id: u64,
    language: Option<String>,
}

async fn incident(State(shared): State<Shared>, Query(query): Query<IncidentQuery>) -> Response {
    let language = shared.language(query.language.as_deref());
    let find = move |shared: &Shared| {
        Story::of(&shared.history, &shared.settings.state_dir, &query.gateway, query.id, language)
    };
    shared.look_up(find).await
}

async fn metrics(State(shared): State<Shared>) -> Response {
    let text = shared.metrics.render(&shared.snapshots.borrow(), clock::elapsed());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

/// Lifeguard's own health, not the gateway's: 200 while it looks, 503 when nobody has looked for too long.
async fn healthz(State(shared): State<Shared>) -> Response {
    let stale = shared.snapshots.borrow().is_stale(clock::elapsed());
    let (status, word) = if stale { (StatusCode::SERVICE_UNAVAILABLE, "stale") } else { (StatusCode::OK, "watching") };
    (status, Json(Own { ok: !stale, status: word })).into_response()
}

#[derive(Serialize)]
struct Own {
    ok: bool,
    status: &'static str,
}
