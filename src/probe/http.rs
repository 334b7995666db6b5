//! Asks the gateway's own health endpoints, and believes only their JSON.
//!
//! A 200 alone proves nothing: OpenClaw answers every unknown path with its web page (gateway.md, fact 2). Every
//! wait has a limit, and no more than `BODY_LIMIT` of an answer is read.

use std::error::Error;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, Connection, SendRequest};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::redact::harmless;
use crate::supervisor::observation::{Answer, HealthBody, ReadyBody, StartupBody};

/// The real answers have under 2 KB (gateway.md, section 3).
const BODY_LIMIT: usize = 64 * 1024;

/// Most names that are taken of one list: a gateway has a handful of channels.
const MOST_NAMES: usize = 32;

/// Asks one gateway: over a connection of its own for each round, because only a new one tells a port that refuses from
/// a gateway that hangs, and the gateway closes idle ones after 5 s (its `Keep-Alive` header).
#[derive(Debug, Clone)]
pub struct HttpProbe {
    port: u16,
    connect_timeout: Duration,
    timeout: Duration,
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
    #[must_use]
    pub fn new(port: u16, connect_timeout: Duration, timeout: Duration) -> Self {
        Self { port, connect_timeout, timeout }
    }

    /// Asks `/healthz`, and the other two only if that one answered.
    pub async fn ask(&self) -> Answers {
        let asked = Instant::now();
        let mut line = None;
        let health = self.get(&mut line, "/healthz", read_health).await;
        let mut answers = Answers { startup: Answer::NotAsked, health, ready: Answer::NotAsked, latency: None };
        if !matches!(answers.health, Answer::Json { .. }) {
            return answers;
        }
        answers.latency = Some(asked.elapsed());
        answers.startup = self.get(&mut line, "/startupz", read_startup).await;
        answers.ready = self.get(&mut line, "/readyz", read_ready).await;
        answers
    }

    async fn get<Body>(
        &self,
        line: &mut Option<Line>,
        path: &str,
        read: impl FnOnce(&[u8]) -> Option<Body>,
    ) -> Answer<Body> {
        match timeout(self.timeout, self.fetch(line, path)).await {
            Ok(Ok(Reply::Json(status, body))) => match read(&body) {
                Some(body) => Answer::Json { status: status.as_u16(), body },
                None => foreign(status, "JSON of another kind"),
            },
            Ok(Ok(Reply::Foreign(status, reason))) => foreign(status, reason),
            Ok(Err(Failure::Refused)) => Answer::Refused,
            Ok(Err(Failure::Broken(reason))) => Answer::Broken(reason),
            Ok(Err(Failure::Unconnected)) | Err(_) => Answer::TimedOut,
        }
    }

    /// Asks over the line, if there is one, and leaves one for the next question.
    async fn fetch(&self, line: &mut Option<Line>, path: &str) -> Result<Reply, Failure> {
        let request = || {
            let host = format!("127.0.0.1:{}", self.port);
            Request::get(path).header(HOST, host).body(Empty::new()).map_err(|error| Failure::Broken(error.to_string()))
        };
        // The gateway may have closed the line after its last answer.
        if let Some(mut used) = line.take().filter(|line| !line.sender.is_closed())
            && let Ok(reply) = used.exchange(request()?).await
        {
            *line = Some(used);
            return Ok(reply);
        }
        let mut fresh = self.connect().await?;
        let reply = fresh.exchange(request()?).await?;
        *line = Some(fresh);
        Ok(reply)
    }

    async fn connect(&self) -> Result<Line, Failure> {
        let connecting = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let stream = timeout(self.connect_timeout, connecting).await.map_err(|_| Failure::Unconnected)??;
        let (sender, connection) = Builder::new().max_buf_size(BODY_LIMIT).handshake(TokioIo::new(stream)).await?;
        Ok(Line { sender, connection: Some(Box::pin(connection)) })
    }
}

/// A connection to the gateway. It moves only while somebody waits for an answer.
struct Line {
    sender: SendRequest<Empty<Bytes>>,
    /// `None` once it has ended.
    connection: Option<Pin<Box<Moving>>>,
}

/// What moves a connection when it is polled.
type Moving = Connection<TokioIo<TcpStream>, Empty<Bytes>>;

impl Line {
    async fn exchange(&mut self, request: Request<Empty<Bytes>>) -> Result<Reply, Failure> {
        let Self { sender, connection } = self;
        let exchange = async {
            sender.ready().await?;
            read_reply(sender.send_request(request).await?).await
        };
        Ok(drive(connection, exchange).await?)
    }
}

/// Does the work while the connection moves. Once it has ended it is dropped, by which whoever waits for it learns so.
async fn drive<Done>(connection: &mut Option<impl Future + Unpin>, work: impl Future<Output = Done>) -> Done {
    let mut work = std::pin::pin!(work);
    if let Some(moving) = connection {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = moving => {}
        }
        *connection = None;
    }
    work.await
}

/// An answer as far as it was read.
enum Reply {
    Json(StatusCode, Vec<u8>),
    Foreign(StatusCode, &'static str),
}

async fn read_reply(response: Response<Incoming>) -> Result<Reply, hyper::Error> {
    let status = response.status();
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    if !is_json {
        return Ok(Reply::Foreign(status, "not JSON"));
    }
    let (mut rest, mut body) = (response.into_body(), Vec::new());
    while let Some(frame) = rest.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if body.len() + piece.len() > BODY_LIMIT {
            return Ok(Reply::Foreign(status, "an answer that does not end"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Reply::Json(status, body))
}

/// Why there was no answer.
enum Failure {
    Refused,
    /// The connection did not open in time.
    Unconnected,
    Broken(String),
}

impl From<hyper::Error> for Failure {
    /// What is innermost tells the most.
    fn from(error: hyper::Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            reason = inner.to_string();
            cause = inner.source();
        }
        Self::Broken(reason)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::TimedOut => Self::Unconnected,
            _ => Self::Broken(error.to_string()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

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
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_millis(300));
        probe.ask().await.health
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_secs(1));
        assert_eq!(probe.ask().await.health, Answer::Refused);
    }

    #[tokio::test]
    async fn silence_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_millis(200));
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

    /// How many connections a server gets for one round of questions, each of which it answers `with` this in its head.
    async fn connections_of_a_round(with: &'static str, closes: bool) -> (Answers, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let mut request = [0; 1024];
                while let Ok(length @ 1..) = socket.read(&mut request).await {
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    assert!(request.to_lowercase().contains(&format!("host: 127.0.0.1:{port}\r\n")), "{request}");
                    let body = match request.split(' ').nth(1) {
                        Some("/healthz") => r#"{"ok":true,"status":"live"}"#,
                        Some("/startupz") => r#"{"status":"started"}"#,
                        _ => r#"{"ready":true}"#,
                    };
                    let length = body.len();
                    let answer = format!("{JSON}Content-Length: {length}\r\n{with}\r\n{body}");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                    if closes {
                        break;
                    }
                }
            }
        });
        let probe = HttpProbe::new(port, Duration::from_secs(5), Duration::from_secs(5));
        let answers = probe.ask().await;
        (answers, count.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_round_takes_one_connection_and_more_only_if_the_gateway_closes_them() {
        for (with, closes, connections) in [("", false, 1), ("Connection: close\r\n", true, 3), ("", true, 3)] {
            let (answers, count) = connections_of_a_round(with, closes).await;
            assert!(matches!(answers.health, Answer::Json { .. }), "{answers:?}");
            assert!(matches!(answers.startup, Answer::Json { .. }), "{answers:?}");
            assert!(matches!(answers.ready, Answer::Json { .. }), "{answers:?}");
            assert!(answers.latency.is_some());
            assert_eq!(count, connections);
        }
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
        let probe = HttpProbe::new(port, Duration::from_secs(1), Duration::from_secs(2));
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
