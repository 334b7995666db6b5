//! A Discord on loopback that enforces the documented rules of webhooks and keeps what it accepted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests fails the test")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use lifeguard::alert::secret::SecretUrl;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The webhook that exists.
pub(crate) const NUMBER: &str = "1234567890123456789";
/// Its token: must never be seen anywhere but in a request.
pub(crate) const TOKEN: &str = "pLaNtEd-SeCrEt_0123456789abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP";

/// What the next request meets.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A 429, and whoever comes back earlier than this is counted as a hammerer.
    Limit { wait: Duration, global: bool, header_only: bool },
    /// This status, with a body in Discord's form.
    Status(u16),
    /// Accepts the request and never answers.
    Hang,
    /// A 200 that is not Discord's.
    Garbage,
    /// Leads to another webhook of this server, which would accept it.
    Redirect,
    /// A 500 with a body without end.
    Flood,
}

/// What the server has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Messages as they were created, in order.
    pub(crate) messages: Vec<Value>,
    /// The same messages as they stand now; `None`: deleted by a person.
    pub(crate) standing: Vec<Option<Value>>,
    /// Files that came with them: name and content.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Requests of any kind.
    pub(crate) requests: usize,
    /// Rules that were broken.
    pub(crate) violations: Vec<String>,
    /// Requests that came although a limit was still in force.
    pub(crate) hammered: usize,
}

struct Inner {
    faults: Mutex<VecDeque<Fault>>,
    /// Every request meets this one while it is set.
    always: Mutex<Option<Fault>>,
    limited_until: Mutex<Option<Instant>>,
    seen: watch::Sender<Seen>,
}

/// The server. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct FakeDiscord {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl FakeDiscord {
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner {
            faults: Mutex::default(),
            always: Mutex::default(),
            limited_until: Mutex::default(),
            seen: watch::channel(Seen::default()).0,
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/api/webhooks/{number}/{token}", any(execute))
            .route("/api/webhooks/{number}/{token}/messages/{message}", any(edit))
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inner }
    }

    pub(crate) fn webhook(&self) -> SecretUrl {
        SecretUrl::parse(&format!("http://{}/api/webhooks/{NUMBER}/{TOKEN}", self.address)).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn deleted_webhook(&self) -> SecretUrl {
        SecretUrl::parse(&format!("http://{}/api/webhooks/1/{TOKEN}", self.address)).unwrap()
    }

    /// The next request meets this; several form a queue.
    pub(crate) fn then(&self, fault: Fault) -> &Self {
        self.inner.faults.lock().unwrap().push_back(fault);
        self
    }

    /// A person deletes a message, by its place in the order of creation.
    pub(crate) fn delete(&self, place: usize) {
        self.inner.seen.send_modify(|seen| seen.standing[place] = None);
    }

    /// Every request meets this, until `None`.
    pub(crate) fn always(&self, fault: Option<Fault>) {
        *self.inner.always.lock().unwrap() = fault;
    }

    pub(crate) fn seen(&self) -> Seen {
        self.inner.seen.borrow().clone()
    }

    /// Waits until the condition holds; fails the test after half a minute.
    pub(crate) async fn wait_until(&self, what: &str, condition: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.inner.seen.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(30), seen.wait_for(condition)).await;
        waited.unwrap_or_else(|_| panic!("{what} did not happen: {:?}", self.seen())).unwrap().clone()
    }
}

async fn execute(
    State(inner): State<Arc<Inner>>,
    Path((number, token)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = gate(&inner, &number, &token).await {
        return refusal;
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (body, file) = match kind.strip_prefix("multipart/form-data; boundary=") {
        Some(boundary) => parts(&body, boundary),
        None => (body.to_vec(), None),
    };
    let mut broken = request_broken(&headers, &body);
    let shown = serde_json::from_slice::<Value>(&body).unwrap_or_default()["embeds"][0]["image"]["url"].clone();
    let shown = shown.as_str().map(|url| url.trim_start_matches("attachment://").to_owned());
    if shown != file.as_ref().map(|(name, _)| name.clone()) {
        broken.push(format!("the picture {shown:?} is not the file"));
    }
    if !query.iter().any(|(name, value)| name == "wait" && value == "true") {
        broken.push("wait=true".to_owned());
    }
    if !broken.is_empty() {
        inner.seen.send_modify(|seen| seen.violations.extend(broken));
        return error(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body");
    }
    let mut message: Value = serde_json::from_slice(&body).unwrap();
    let mut id = 0;
    inner.seen.send_modify(|seen| {
        id = seen.messages.len() + 1;
        seen.messages.push(message.clone());
        seen.standing.push(Some(message.clone()));
        seen.files.extend(file);
    });
    message["id"] = json!(id.to_string());
    axum::Json(message).into_response()
}

/// "Uploading Files": the part `payload_json`, and the file `files[0]`.
fn parts(body: &[u8], boundary: &str) -> (Vec<u8>, Option<(String, Vec<u8>)>) {
    let find = |body: &[u8], mark: &[u8]| body.windows(mark.len()).position(|window| window == mark);
    let (mut json, mut file, mut rest) = (Vec::new(), None, body);
    let opening = format!("--{boundary}\r\n");
    let closing = format!("\r\n--{boundary}");
    while let Some(begin) = find(rest, opening.as_bytes()) {
        rest = &rest[begin + opening.len()..];
        let Some(head) = find(rest, b"\r\n\r\n") else { break };
        let headers = String::from_utf8_lossy(&rest[..head]).into_owned();
        rest = &rest[head + 4..];
        let Some(end) = find(rest, closing.as_bytes()) else { break };
        let content = rest[..end].to_vec();
        rest = &rest[end + 2..];
        if headers.contains("name=\"payload_json\"") {
            json = content;
        } else if let Some((_, name)) = headers.split_once("name=\"files[0]\"; filename=\"") {
            file = name.split_once('"').map(|(name, _)| (name.to_owned(), content));
        }
    }
    (json, file)
}

/// "Edit Webhook Message".
async fn edit(
    State(inner): State<Arc<Inner>>,
    Path((number, token, message)): Path<(String, String, String)>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = gate(&inner, &number, &token).await {
        return refusal;
    }
    let mut broken = request_broken(&headers, &body);
    if method != Method::PATCH {
        broken.push("PATCH".to_owned());
    }
    let mut changed: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !changed["username"].is_null() {
        broken.push("no username in an edit".to_owned());
    }
    if !broken.is_empty() {
        inner.seen.send_modify(|seen| seen.violations.extend(broken));
        return error(StatusCode::BAD_REQUEST, 50035, "Invalid Form Body");
    }
    let place = message.parse::<usize>().ok().and_then(|id| id.checked_sub(1));
    let known = inner.seen.send_if_modified(|seen| {
        let found = place.and_then(|place| seen.standing.get_mut(place)).and_then(Option::as_mut);
        found.map(|standing| *standing = changed.clone()).is_some()
    });
    if !known {
        return error(StatusCode::NOT_FOUND, 10008, "Unknown Message");
    }
    changed["id"] = json!(message);
    axum::Json(changed).into_response()
}

/// What stands in the way of any request.
async fn gate(inner: &Inner, number: &str, token: &str) -> Option<Response> {
    inner.seen.send_modify(|seen| seen.requests += 1);
    if inner.limited_until.lock().unwrap().is_some_and(|until| Instant::now() < until) {
        inner.seen.send_modify(|seen| seen.hammered += 1);
        return Some(error(StatusCode::TOO_MANY_REQUESTS, 0, "You are being rate limited."));
    }
    let fault = inner.faults.lock().unwrap().pop_front().or_else(|| inner.always.lock().unwrap().clone());
    if let Some(fault) = fault {
        return Some(meet(inner, fault).await);
    }
    if number != NUMBER {
        return Some(error(StatusCode::NOT_FOUND, 10015, "Unknown Webhook"));
    }
    (token != TOKEN).then(|| error(StatusCode::UNAUTHORIZED, 50027, "Invalid Webhook Token"))
}

async fn meet(inner: &Inner, fault: Fault) -> Response {
    match fault {
        Fault::Limit { wait, global, header_only } => {
            *inner.limited_until.lock().unwrap() = Some(Instant::now() + wait);
            let seconds = wait.as_secs_f64();
            let headers = [(header::RETRY_AFTER, wait.as_secs().max(u64::from(header_only)).to_string())];
            if header_only {
                return (StatusCode::TOO_MANY_REQUESTS, headers, "error code: 1015").into_response();
            }
            let body = json!({ "message": "You are being rate limited.", "retry_after": seconds, "global": global });
            (StatusCode::TOO_MANY_REQUESTS, headers, axum::Json(body)).into_response()
        }
        Fault::Status(status) => error(StatusCode::from_u16(status).unwrap(), 0, "as the test wants it"),
        Fault::Hang => std::future::pending().await,
        Fault::Garbage => "<html><title>Log in to the airport's network</title></html>".into_response(),
        Fault::Redirect => {
            let target = format!("/api/webhooks/{NUMBER}/{TOKEN}?wait=true");
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, target)]).into_response()
        }
        Fault::Flood => (StatusCode::INTERNAL_SERVER_ERROR, vec![b'x'; 32 * 1024 * 1024]).into_response(),
    }
}

fn error(status: StatusCode, code: u32, message: &str) -> Response {
    (status, axum::Json(json!({ "message": message, "code": code }))).into_response()
}

fn request_broken(headers: &HeaderMap, body: &[u8]) -> Vec<String> {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let mut broken = rules_broken(body);
    if !agent.starts_with("openclaw-lifeguard/") {
        broken.push("a user agent".to_owned());
    }
    broken
}

/// The rules that hold for every message ("Execute Webhook", "Embed Limits") and that this body breaks.
pub(crate) fn rules_broken(body: &[u8]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut rule = |kept: bool, name: &str| {
        if !kept {
            broken.push(name.to_owned());
        }
    };
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        rule(false, "JSON");
        return broken;
    };
    rule(message["allowed_mentions"] == json!({ "parse": [] }), "allowed_mentions");
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    if !message["username"].is_null() {
        let name = message["username"].as_str().unwrap_or_default().to_lowercase();
        rule((1..=80).contains(&name.chars().count()), "username of 1 to 80");
        rule(!name.contains("discord") && !name.contains("clyde"), "username without reserved words");
    }
    let embeds = message["embeds"].as_array().cloned().unwrap_or_default();
    rule((1..=10).contains(&embeds.len()), "1 to 10 embeds");
    let mut together = 0;
    for embed in &embeds {
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        rule((1..=256).contains(&length(&embed["title"])), "title of 1 to 256");
        rule((1..=4096).contains(&length(&embed["description"])), "description of 1 to 4096");
        rule(length(&embed["footer"]["text"]) <= 2048, "footer of 2048");
        rule(fields.len() <= 25, "25 fields");
        rule(embed["color"].as_u64().is_some_and(|colour| colour <= 0x00FF_FFFF), "a colour");
        rule(embed["timestamp"].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok()), "a timestamp");
        for field in &fields {
            rule((1..=256).contains(&length(&field["name"])), "field name of 1 to 256");
            rule((1..=1024).contains(&length(&field["value"])), "field value of 1 to 1024");
            together += length(&field["name"]) + length(&field["value"]);
        }
        together += length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]);
    }
    rule(together <= 6000, "6000 together");
    broken
}
