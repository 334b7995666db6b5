//! Asks the gateway's own health endpoints, and believes only their JSON.
//!
//! A 200 alone proves nothing: OpenClaw answers every unknown path with its web page (gateway.md, fact 2). Every
//! wait has a limit, and no more than `BODY_LIMIT` of an answer is read.

use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;

use crate::platform::http::local_client;
use crate::redact::harmless;
use crate::supervisor::observation::{Answer, HealthBody, ReadyBody, StartupBody};

/// The real answers have under 2 KB (gateway.md, section 3).
const BODY_LIMIT: usize = 64 * 1024;

/// Most names that are taken of one list: a gateway has a handful of channels.
const MOST_NAMES: usize = 32;

/// The gateway closes idle connections after 5 s (its `Keep-Alive` header): one is used again within a round, and
/// never in the next.
const IDLE_LIMIT: Duration = Duration::from_secs(2);

/// Asks one gateway.
#[derive(Debug, Clone)]
pub struct HttpProbe {
    client: Client,
    base: String,
}

/// What the three endpoints said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// `/startupz`.
    pub startup: Answer<StartupBody>,
    /// `/healthz`.
    pub health: Answer<HealthBody>,
    /// `/readyz`.
    pub ready: Answer<ReadyBody>,
    /// How long `/healthz` took, if it answered.
    pub latency: Option<Duration>,
}

#[derive(Deserialize)]
struct HealthJson {
    ok: bool,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartupJson {
    status: String,
    pending_reason: Option<String>,
    version: Option<String>,
    uptime_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadyJson {
    ready: bool,
    #[serde(default)]
    failing: Vec<String>,
    #[serde(default)]
    suppressed: Vec<String>,
    uptime_ms: Option<u64>,
}

impl HttpProbe {
    /// A probe of 127.0.0.1:`port`; `timeout` limits one answer from connecting to its last byte.
    pub fn new(port: u16, connect_timeout: Duration, timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = local_client()
            .connect_timeout(connect_timeout)
            .timeout(timeout)
            .pool_idle_timeout(IDLE_LIMIT)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { client, base: format!("http://127.0.0.1:{port}") })
    }

    /// Asks `/healthz`, and the other two only if that one answered.
    pub async fn ask(&self) -> Answers {
        let asked = Instant::now();
        let health = self.get("/healthz", read_health).await;
        let mut answers = Answers { startup: Answer::NotAsked, health, ready: Answer::NotAsked, latency: None };
        if !matches!(answers.health, Answer::Json { .. }) {
            return answers;
        }
        answers.latency = Some(asked.elapsed());
        answers.startup = self.get("/startupz", read_startup).await;
        answers.ready = self.get("/readyz", read_ready).await;
        answers
    }

    async fn get<Body>(&self, path: &str, read: impl FnOnce(&[u8]) -> Option<Body>) -> Answer<Body> {
        let response = match self.client.get(format!("{}{path}", self.base)).send().await {
            Ok(response) => response,
            Err(error) => return failure(&error),
        };
        let status = response.status();
        let is_json = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
        if !is_json {
            return foreign(status, "not JSON");
        }
        let body = match limited_body(response).await {
            Ok(Some(body)) => body,
            Ok(None) => return foreign(status, "an answer that does not end"),
            Err(error) => return failure(&error),
        };
        match read(&body) {
            Some(body) => Answer::Json { status: status.as_u16(), body },
            None => foreign(status, "JSON of another kind"),
        }
    }
}

/// Reads the body of `/healthz`; `None` if it is none.
#[must_use]
pub fn read_health(body: &[u8]) -> Option<HealthBody> {
    let body: HealthJson = serde_json::from_slice(body).ok()?;
    Some(HealthBody { live: body.ok && body.status == "live" })
}

/// Reads the body of `/startupz`; `None` if it is none.
#[must_use]
pub fn read_startup(body: &[u8]) -> Option<StartupBody> {
    let body: StartupJson = serde_json::from_slice(body).ok()?;
    Some(StartupBody {
        started: body.status == "started",
        draining: body.status == "draining",
        pending_reason: body.pending_reason.as_deref().map(harmless),
        version: body.version.as_deref().map(harmless),
        uptime: body.uptime_ms.map(Duration::from_millis),
    })
}

/// Reads the body of `/readyz`; `None` if it is none.
#[must_use]
pub fn read_ready(body: &[u8]) -> Option<ReadyBody> {
    let body: ReadyJson = serde_json::from_slice(body).ok()?;
    Some(ReadyBody {
        ready: body.ready,
        failing: names(&body.failing),
        suppressed: names(&body.suppressed),
        uptime: body.uptime_ms.map(Duration::from_millis),
    })
}

/// Names that a gateway gives, fit to be shown; more than these would fill the screen.
fn names(given: &[String]) -> Vec<String> {
    given.iter().take(MOST_NAMES).map(|name| harmless(name)).collect()
}

fn foreign<Body>(status: StatusCode, reason: &str) -> Answer<Body> {
    Answer::Foreign { status: status.as_u16(), reason: reason.to_owned() }
}

async fn limited_body(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn failure<Body>(error: &reqwest::Error) -> Answer<Body> {
    if error.is_timeout() {
        return Answer::TimedOut;
    }
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut innermost = String::new();
    while let Some(current) = cause {
        if current.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
        {
            return Answer::Refused;
        }
        innermost = current.to_string();
        cause = current.source();
    }
    Answer::Broken(innermost)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static [u8]) -> Answer<HealthBody> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _ = socket.read(&mut request).await;
                let _ = socket.write_all(answer).await;
            }
        });
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_millis(300)).unwrap();
        probe.ask().await.health
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_secs(1)).unwrap();
        assert_eq!(probe.ask().await.health, Answer::Refused);
    }

    #[tokio::test]
    async fn silence_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_millis(200)).unwrap();
        assert_eq!(probe.ask().await.health, Answer::TimedOut);
    }

    #[tokio::test]
    async fn the_web_page_is_not_health() {
        let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
        assert_eq!(answering(page).await, Answer::Foreign { status: 200, reason: "not JSON".to_owned() });
    }

    #[tokio::test]
    async fn json_of_another_kind_is_not_health() {
        let other = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}";
        let reason = "JSON of another kind".to_owned();
        assert_eq!(answering(other).await, Answer::Foreign { status: 200, reason });
    }

    #[tokio::test]
    async fn the_gateways_own_words_are_health() {
        let live = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 27\r\n\r\n{\"ok\":true,\"status\":\"live\"}";
        assert_eq!(answering(live).await, Answer::Json { status: 200, body: HealthBody { live: true } });
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_broken() {
        let cut = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"ok\"";
        assert!(matches!(answering(cut).await, Answer::Broken(_)));
    }

    /// A server that begins with `head` and then says `piece` again and again, so far apart.
    async fn endless(head: &'static str, piece: &'static [u8], apart: Duration) -> (Answer<HealthBody>, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _ = socket.read(&mut request).await;
                let _ = socket.write_all(head.as_bytes()).await;
                while socket.write_all(piece).await.is_ok() {
                    if !apart.is_zero() {
                        tokio::time::sleep(apart).await;
                    }
                }
            }
        });
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_secs(2)).unwrap();
        let begin = Instant::now();
        let answer = probe.ask().await.health;
        (answer, begin.elapsed())
    }

    const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up_in_time() {
        let large = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n";
        let (answer, took) = endless(large, vec![b' '; 65_536].leak(), Duration::ZERO).await;
        let reason = "an answer that does not end".to_owned();
        assert_eq!(answer, Answer::Foreign { status: 200, reason });
        assert!(took < Duration::from_secs(10), "{took:?}");
        let (answer, took) = endless(large, b" ", Duration::from_millis(100)).await;
        assert_eq!(answer, Answer::TimedOut, "a byte at a time");
        assert!(took < Duration::from_secs(10), "{took:?}");
        let (answer, took) = endless(JSON, b"X-More: and more\r\n", Duration::ZERO).await;
        assert!(matches!(answer, Answer::Broken(_)), "{answer:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    #[tokio::test]
    async fn what_is_no_text_and_what_leads_elsewhere_is_not_health() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"ok\":\xff\xfe,\"status\"";
        let reason = "JSON of another kind".to_owned();
        assert_eq!(answering(bytes).await, Answer::Foreign { status: 200, reason });
        let circle = b"HTTP/1.1 302 Found\r\nLocation: /healthz\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(answering(circle).await, Answer::Foreign { status: 302, reason: "not JSON".to_owned() });
        assert!(matches!(answering(b"\x00\x01\x02 not HTTP\r\n\r\n").await, Answer::Broken(_)));
    }
}
