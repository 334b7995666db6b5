//! Slack, Telegram, ntfy and a server of one's own, on loopback: each enforces the documented rules of the real one,
//! as far as Lifeguard has to do with them, and keeps what it accepted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests fails the test")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifeguard::alert::AlertSettings;
use lifeguard::alert::ntfy::NtfySettings;
use lifeguard::alert::secret::SecretUrl;
use lifeguard::alert::slack::SlackSettings;
use lifeguard::alert::telegram::TelegramSettings;
use lifeguard::alert::webhook::{SigningKey, WebhookSettings};
use lifeguard::redact::secret::Secret;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// In every address and token: must never be seen anywhere but in a request.
pub(crate) const PLANTED: &str = "pLaNtEdSeCrEt0123456789abcdefghijklmn";
const KEY: &str = "a key of the test's own";

/// Which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Slack,
    Telegram,
    Ntfy,
    Webhook,
}

impl Service {
    pub(crate) const ALL: [Self; 4] = [Self::Slack, Self::Telegram, Self::Ntfy, Self::Webhook];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Telegram => "telegram",
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
        }
    }
}

/// What the next request meets.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// A 429 in the service's own form; whoever comes back earlier is counted as a hammerer.
    Limit(Duration),
    /// This status, with this body.
    Refuse(u16, String),
    /// A 200 that is not the service's, or for the server of one's own a page that says nothing.
    Garbage,
    /// A 204 without a body.
    NoContent,
    /// Leads to this server itself, which would accept it.
    Redirect,
    /// Accepts the message and never answers.
    Swallow,
}

/// One accepted message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// The name by which a repeat is known, where the service has a place for one.
    pub(crate) id: String,
    /// The body as it stands now.
    pub(crate) body: Value,
    /// How often it was changed.
    pub(crate) edits: usize,
}

/// What the server has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) messages: Vec<Message>,
    pub(crate) requests: usize,
    pub(crate) violations: Vec<String>,
    pub(crate) hammered: usize,
}

struct Inner {
    service: Service,
    faults: Mutex<VecDeque<Fault>>,
    always: Mutex<Option<Fault>>,
    limited_until: Mutex<Option<Instant>>,
    seen: watch::Sender<Seen>,
}

/// The server. It ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct FakeService {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl FakeService {
    pub(crate) async fn start(service: Service) -> Self {
        let inner = Arc::new(Inner {
            service,
            faults: Mutex::default(),
            always: Mutex::default(),
            limited_until: Mutex::default(),
            seen: watch::channel(Seen::default()).0,
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inner }
    }

    /// The settings with this service as the only channel.
    pub(crate) fn settings(&self, settings: AlertSettings) -> AlertSettings {
        at(self.inner.service, &format!("http://{}", self.address), settings)
    }

    pub(crate) fn then(&self, fault: Fault) -> &Self {
        self.inner.faults.lock().unwrap().push_back(fault);
        self
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
        let name = self.inner.service.name();
        waited.unwrap_or_else(|_| panic!("{name}: {what} did not happen: {:?}", self.seen())).unwrap().clone()
    }
}

/// The settings with a service at `server` as the only channel.
pub(crate) fn at(service: Service, server: &str, settings: AlertSettings) -> AlertSettings {
    let url = |path: &str| SecretUrl::parse(&format!("{server}{path}")).unwrap();
    match service {
        Service::Slack => AlertSettings {
            slack: Some(SlackSettings { url: url(&format!("/services/T0/B0/{PLANTED}")) }.into()),
            ..settings
        },
        Service::Telegram => {
            let token = Secret::new(format!("123456789:{PLANTED}"));
            let telegram = TelegramSettings { server: url(""), token, chat: "-1001".to_owned() };
            AlertSettings { telegram: Some(telegram.into()), ..settings }
        }
        Service::Ntfy => {
            let token = Some(Secret::new(format!("tk_{PLANTED}")));
            let ntfy = NtfySettings { topic: url("/alerts"), token, click: Some("https://example.org/".to_owned()) };
            AlertSettings { ntfy: Some(ntfy.into()), ..settings }
        }
        Service::Webhook => {
            let webhook = WebhookSettings { url: url(&format!("/hook/{PLANTED}")), key: SigningKey::parse(KEY) };
            AlertSettings { webhook: Some(webhook.into()), ..settings }
        }
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    inner.seen.send_modify(|seen| seen.requests += 1);
    if inner.limited_until.lock().unwrap().is_some_and(|until| Instant::now() < until) {
        inner.seen.send_modify(|seen| seen.hammered += 1);
        return limited(inner.service, Duration::from_secs(1));
    }
    let fault = inner.faults.lock().unwrap().pop_front().or_else(|| inner.always.lock().unwrap().clone());
    match fault {
        Some(Fault::Limit(wait)) => {
            *inner.limited_until.lock().unwrap() = Some(Instant::now() + wait);
            limited(inner.service, wait)
        }
        Some(Fault::Refuse(status, body)) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Some(Fault::Garbage) => "<html><title>Log in to the airport's network</title></html>".into_response(),
        Some(Fault::NoContent) => StatusCode::NO_CONTENT.into_response(),
        Some(Fault::Redirect) => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, uri.to_string())]).into_response()
        }
        Some(Fault::Swallow) => {
            let _accepted = accept(&inner, &method, &uri, &headers, &body);
            std::future::pending().await
        }
        None => accept(&inner, &method, &uri, &headers, &body),
    }
}

/// A refusal for too many requests, in the service's own form.
fn limited(service: Service, wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let retry_after = [(header::RETRY_AFTER, seconds.to_string())];
    match service {
        Service::Slack | Service::Webhook => {
            (StatusCode::TOO_MANY_REQUESTS, retry_after, "rate_limited").into_response()
        }
        Service::Telegram => {
            let description = format!("Too Many Requests: retry after {seconds}");
            let parameters = json!({ "retry_after": seconds });
            let body = json!({ "ok": false, "error_code": 429, "description": description, "parameters": parameters });
            (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response()
        }
        Service::Ntfy => {
            let body =
                json!({ "code": 42901, "http": 429, "error": "limit reached: too many requests, please be nice" });
            (StatusCode::TOO_MANY_REQUESTS, axum::Json(body)).into_response()
        }
    }
}

/// Takes a message that keeps every rule.
fn accept(inner: &Inner, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Response {
    let mut rules = Rules(Vec::new());
    rules.check(*method == Method::POST, "POST");
    rules.check(header_text(headers, "user-agent").starts_with("openclaw-lifeguard/"), "a user agent");
    rules.check(header_text(headers, "content-type").starts_with("application/json"), "a JSON body");
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let response = match inner.service {
        Service::Slack => slack(&mut rules, uri, &message),
        Service::Telegram => return telegram(inner, rules, uri, &message),
        Service::Ntfy => ntfy(&mut rules, uri, headers, &message),
        Service::Webhook => webhook(&mut rules, uri, headers, body, &message),
    };
    match (response, rules.0.is_empty()) {
        (Ok((id, response)), true) => {
            keep(inner, id, message);
            response
        }
        (Ok(_), false) => {
            inner.seen.send_modify(|seen| seen.violations.extend(rules.0));
            StatusCode::BAD_REQUEST.into_response()
        }
        (Err(refusal), _) => *refusal,
    }
}

fn keep(inner: &Inner, id: String, body: Value) {
    inner.seen.send_modify(|seen| seen.messages.push(Message { id, body, edits: 0 }));
}

struct Rules(Vec<String>);

impl Rules {
    fn check(&mut self, kept: bool, name: &str) {
        if !kept {
            self.0.push(name.to_owned());
        }
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

type Verdict = Result<(String, Response), Box<Response>>;

/// "Sending messages using incoming webhooks", "Blocks", "Formatting text: escaping".
fn slack(rules: &mut Rules, uri: &Uri, message: &Value) -> Verdict {
    if uri.path() != format!("/services/T0/B0/{PLANTED}") {
        return Err(Box::new((StatusCode::NOT_FOUND, "no_service").into_response()));
    }
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let escaped = |value: &Value| {
        let text = value.as_str().unwrap_or_default().replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
        !text.contains(['&', '<', '>'])
    };
    rules.check((1..=40_000).contains(&length(&message["text"])), "a text of 1 to 40,000");
    rules.check(escaped(&message["text"]) && message["mrkdwn"] == json!(false), "a text without markup");
    let blocks = message["attachments"][0]["blocks"].as_array().cloned().unwrap_or_default();
    rules.check((1..=50).contains(&blocks.len()), "1 to 50 blocks");
    let mut plain = |value: &Value, most: usize| {
        rules.check(value["type"] == "plain_text", "plain text");
        rules.check((1..=most).contains(&length(&value["text"])), "a length");
        rules.check(escaped(&value["text"]), "escaped");
    };
    for block in &blocks {
        if block["text"].is_object() {
            plain(&block["text"], 3000);
        }
        let fields = block["fields"].as_array().cloned().unwrap_or_default();
        let elements = block["elements"].as_array().cloned().unwrap_or_default();
        assert!(fields.len() <= 10 && elements.len() <= 10, "too many in one block");
        fields.iter().chain(&elements).for_each(|text| plain(text, 2000));
    }
    // No name of its own has a place there; the footer carries it.
    let footer = blocks.last().map(|block| block["elements"][0]["text"].clone()).unwrap_or_default();
    let id = footer.as_str().unwrap_or_default().rsplit(' ').next().unwrap_or_default().to_owned();
    Ok((id, "ok".into_response()))
}

/// "Making requests", `sendMessage`, `editMessageText`.
fn telegram(inner: &Inner, mut rules: Rules, uri: &Uri, message: &Value) -> Response {
    let refuse = |status: StatusCode, description: &str| {
        let body = json!({ "ok": false, "error_code": status.as_u16(), "description": description });
        (status, axum::Json(body)).into_response()
    };
    let Some(method) = uri.path().strip_prefix(&format!("/bot123456789:{PLANTED}/")) else {
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    if message["chat_id"] != "-1001" {
        return refuse(StatusCode::BAD_REQUEST, "Bad Request: chat not found");
    }
    let text = message["text"].as_str().unwrap_or_default();
    let units = text.encode_utf16().count();
    if units > 4096 {
        return refuse(StatusCode::BAD_REQUEST, "Bad Request: message is too long");
    }
    rules.check(units > 0, "a text");
    rules.check(message["parse_mode"].is_null(), "no markup");
    let calls = text.split('@').skip(1).any(|rest| rest.starts_with(|letter: char| letter.is_ascii_alphanumeric()));
    rules.check(!calls, "nobody is called");
    for entity in message["entities"].as_array().cloned().unwrap_or_default() {
        let (offset, length) = (entity["offset"].as_u64().unwrap(), entity["length"].as_u64().unwrap());
        rules.check(length > 0 && offset + length <= units as u64, "entities within the text");
    }
    if !rules.0.is_empty() {
        inner.seen.send_modify(|seen| seen.violations.extend(rules.0));
        return refuse(StatusCode::BAD_REQUEST, "Bad Request: as the test wants it");
    }
    let id = text.rsplit(' ').next().unwrap_or_default().to_owned();
    let number = match method {
        "sendMessage" => {
            keep(inner, id, message.clone());
            inner.seen.borrow().messages.len() as u64
        }
        "editMessageText" => {
            let number = message["message_id"].as_u64().unwrap_or_default();
            let mut outcome = Err("Bad Request: message to edit not found");
            inner.seen.send_modify(|seen| {
                let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                if let Some(kept) = place.and_then(|place| seen.messages.get_mut(place)) {
                    outcome = if kept.body["text"] == message["text"] {
                        Err("Bad Request: message is not modified: specified new message content is exactly the same")
                    } else {
                        kept.body = message.clone();
                        kept.edits += 1;
                        Ok(())
                    };
                }
            });
            if let Err(description) = outcome {
                return refuse(StatusCode::BAD_REQUEST, description);
            }
            number
        }
        _ => return refuse(StatusCode::NOT_FOUND, "Not Found"),
    };
    axum::Json(json!({ "ok": true, "result": { "message_id": number } })).into_response()
}

/// "Publish as JSON", "Updating notifications", "Limitations". A repeat takes the place of what it repeats.
fn ntfy(rules: &mut Rules, uri: &Uri, headers: &HeaderMap, message: &Value) -> Verdict {
    let refuse = |status: StatusCode, code: u32, error: &str| {
        let body = json!({ "code": code, "http": status.as_u16(), "error": error });
        Err(Box::new((status, axum::Json(body)).into_response()))
    };
    if uri.path() != "/" {
        return refuse(StatusCode::NOT_FOUND, 40401, "page not found");
    }
    if header_text(headers, "authorization") != format!("Bearer tk_{PLANTED}") {
        return refuse(StatusCode::FORBIDDEN, 40301, "forbidden");
    }
    let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let id = text("sequence_id");
    rules.check(text("topic") == "alerts", "the topic");
    rules.check((1..=4096).contains(&text("message").len()), "a message of 1 to 4096 bytes");
    rules.check(message["priority"].as_u64().is_some_and(|priority| (1..=5).contains(&priority)), "priority 1 to 5");
    rules.check(message["tags"].is_array() && message["click"] == "https://example.org/", "tags and click");
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    rules.check((1..=64).contains(&id.len()) && id.chars().all(is_name), "a sequence id");
    let published = json!({ "id": "x".repeat(12), "event": "message", "topic": "alerts", "sequence_id": id });
    Ok((id, axum::Json(published).into_response()))
}

/// Standard Webhooks: the three headers, and the signature over name, moment and body.
fn webhook(rules: &mut Rules, uri: &Uri, headers: &HeaderMap, body: &[u8], message: &Value) -> Verdict {
    if uri.path() != format!("/hook/{PLANTED}") {
        return Err(Box::new(StatusCode::NOT_FOUND.into_response()));
    }
    let (id, timestamp) = (header_text(headers, "webhook-id"), header_text(headers, "webhook-timestamp"));
    let signature = header_text(headers, "webhook-signature").strip_prefix("v1,").unwrap_or_default();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, KEY.as_bytes());
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let signature = STANDARD.decode(signature).unwrap_or_default();
    rules.check(ring::hmac::verify(&key, &signed, &signature).is_ok(), "a signature");
    let age = lifeguard::platform::clock::wall() / 1000 - timestamp.parse::<i64>().unwrap_or_default();
    rules.check(age.abs() < 300, "a fresh timestamp");
    rules.check(message["version"] == 1 && message["id"] == id && !id.is_empty(), "version and name");
    Ok((id.to_owned(), "thank you".into_response()))
}
