//! A small HTTP/1.1 server with its hands on the sockets: it must be able to hang, drip, reset and break off, which
//! a well-behaved server library takes care to prevent.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::control::Faults;
use super::endpoints::{self, Phase, ProbePath, Reply, View};
use super::version::Version;
use crate::drill::faults::BodyFault;

/// How long an idle connection stays open, as the real one says in `Keep-Alive`.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Longest request head; Node's limit.
const HEAD_LIMIT: usize = 16 * 1024;
/// Longest request body that is read and thrown away.
const BODY_LIMIT: u64 = 1024 * 1024;
/// The real one's backlog.
const BACKLOG: u32 = 511;

/// What changes while a generation serves.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) phase: Phase,
    pub(super) held_back: Vec<String>,
    pub(super) has_page: bool,
}

/// What every connection needs to answer.
#[derive(Clone)]
pub(super) struct Face {
    pub(super) version: Version,
    pub(super) born: Instant,
    pub(super) stage: watch::Receiver<Stage>,
    pub(super) faults: watch::Receiver<Faults>,
}

/// The listeners of one generation.
pub(super) struct Listeners {
    four: TcpListener,
    six: Option<TcpListener>,
}

impl Listeners {
    /// Binds 127.0.0.1, and `::1` where that is possible.
    pub(super) fn bind(port: u16) -> io::Result<Self> {
        let four = TcpSocket::new_v4()?;
        four.set_reuseaddr(true)?;
        four.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        let four = four.listen(BACKLOG)?;
        let six = TcpSocket::new_v6().and_then(|six| {
            six.set_reuseaddr(true)?;
            six.bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port)))?;
            six.listen(BACKLOG)
        });
        let six = six.inspect_err(|error| tracing::debug!(%error, "not listening on ::1")).ok();
        Ok(Self { four, six })
    }

    /// Serves until the returned set is dropped, which closes the port and every connection.
    pub(super) fn serve(self, face: &Face) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(self.four, face.clone()));
        if let Some(six) = self.six {
            tasks.spawn(accept(six, face.clone()));
        }
        tasks
    }
}

async fn accept(listener: TcpListener, mut face: Face) {
    let mut connections = JoinSet::new();
    loop {
        face.awake().await;
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let face = face.clone();
                    connections.spawn(async move {
                        // A peer that goes away in the middle is its own business.
                        if let Err(error) = converse(stream, face).await {
                            tracing::debug!(%error, "a connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection could be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Face {
    /// Waits until the gateway does not hang.
    async fn awake(&mut self) {
        if self.faults.wait_for(|faults| !faults.hang).await.is_err() {
            // The process is ending; whoever waits here ends with it.
            std::future::pending::<()>().await;
        }
    }

    fn view(&self, faults: &Faults) -> View {
        let stage = self.stage.borrow().clone();
        let suppressed = if faults.suppressed.is_empty() { stage.held_back } else { faults.suppressed.clone() };
        View {
            version: self.version,
            phase: stage.phase,
            uptime: self.born.elapsed(),
            failing: faults.failing.clone(),
            suppressed,
            has_page: stage.has_page,
        }
    }
}

async fn converse(mut stream: TcpStream, mut face: Face) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(request) = read_request(&mut stream, &mut buffer).await? else { return Ok(()) };
        face.awake().await;
        let faults = face.faults.borrow().clone();
        if faults.reset {
            return stream.set_zero_linger();
        }
        tokio::time::sleep(faults.latency).await;
        let mut reply = endpoints::answer(&request.method, &request.path, &face.view(&faults));
        let mut manner = Manner::Whole;
        if ProbePath::of(&request.path, face.version).is_some() {
            if let Some(status) = faults.status {
                reply = endpoints::text(status, "Internal Server Error");
            } else if let Some(fault) = faults.body {
                manner = spoil(&mut reply, fault);
            }
        }
        send(&mut stream, &request, &reply, manner).await?;
        if request.close || manner == Manner::Truncated {
            return stream.shutdown().await;
        }
    }
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Whole,
    Drip,
    Truncated,
}

fn spoil(reply: &mut Reply, fault: BodyFault) -> Manner {
    match fault {
        BodyFault::Invalid => reply.body = b"{\"ok\":true,\"sta".to_vec(),
        BodyFault::Strange => reply.body = b"{\"hello\":\"world\"}".to_vec(),
        BodyFault::Huge => reply.body = vec![b' '; 64 * 1024 * 1024],
        BodyFault::Page => *reply = endpoints::page(),
        BodyFault::Drip => return Manner::Drip,
        BodyFault::Truncated => return Manner::Truncated,
    }
    Manner::Whole
}

struct Request {
    method: String,
    path: String,
    close: bool,
}

/// Reads one request, its body included. `None`: the peer closed, stayed idle, or speaks something else.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let reading = async {
        loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(Some(end + 4));
            }
            if buffer.len() > HEAD_LIMIT || stream.read_buf(buffer).await? == 0 {
                return Ok::<_, io::Error>(None);
            }
        }
    };
    let Ok(end) = tokio::time::timeout(KEEP_ALIVE, reading).await else { return Ok(None) };
    let Some(end) = end? else { return Ok(None) };
    let head: Vec<u8> = buffer.drain(..end).collect();
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(protocol)) = (words.next(), words.next(), words.next()) else {
        return Ok(None);
    };
    let mut close = protocol != "HTTP/1.1";
    let mut length = 0_u64;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("connection") {
            close |= value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap_or(u64::MAX);
        }
    }
    if length > BODY_LIMIT {
        return Ok(None);
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    while buffer.len() < length {
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
    buffer.drain(..length);
    let path = target.split('?').next().unwrap_or(target);
    Ok(Some(Request { method: method.to_owned(), path: path.to_owned(), close }))
}

async fn send(stream: &mut TcpStream, request: &Request, reply: &Reply, manner: Manner) -> io::Result<()> {
    let date = jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&jiff::Timestamp::now())
        .map_err(io::Error::other)?;
    let headers: Vec<String> = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let connection = if request.close {
        "Connection: close".to_owned()
    } else {
        format!("Connection: keep-alive\r\nKeep-Alive: timeout={}", KEEP_ALIVE.as_secs())
    };
    let head = format!(
        "HTTP/1.1 {} {}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n{headers}\
         Content-Length: {}\r\nDate: {date}\r\n{connection}\r\n\r\n",
        reply.status,
        reason(reply.status),
        reply.body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    if request.method == "HEAD" {
        return Ok(());
    }
    match manner {
        Manner::Whole => stream.write_all(&reply.body).await,
        Manner::Truncated => stream.write_all(&reply.body[..reply.body.len() / 2]).await,
        Manner::Drip => {
            for byte in &reply.body {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(())
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Practice",
    }
}
