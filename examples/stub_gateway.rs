//! A gateway that starts in a millisecond, says that it is well and does nothing else: what is measured of those who
//! watch it is theirs. It may serve many ports at once, as if each were a gateway.
//!
//! Call it by the name of `openclaw` and with the words `gateway run`: by these Lifeguard knows a gateway.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The real gateway closes a connection that has been idle for so long.
const IDLE_LIMIT: Duration = Duration::from_secs(5);

#[derive(Parser)]
struct Options {
    /// `gateway run`.
    words: Vec<String>,
    /// First port on 127.0.0.1; 0: any that are free.
    #[arg(long)]
    port: u16,
    /// How many ports.
    #[arg(long, default_value_t = 1)]
    ports: u16,
    /// Takes a line for each thing that happens: what, when by the monotonic clock in nanoseconds, and a process or port.
    #[arg(long)]
    journal: PathBuf,
    /// Takes the process id.
    #[arg(long)]
    pid_file: Option<PathBuf>,
    /// Write down each look at `/healthz`.
    #[arg(long)]
    note_looks: bool,
}

/// The file in which everything is written down.
struct Journal {
    file: File,
    note_looks: bool,
}

impl Journal {
    fn note(&self, what: &str, of: u32) {
        let now = clock_gettime(ClockId::Monotonic);
        let nanoseconds = now.tv_sec * 1_000_000_000 + now.tv_nsec;
        // One write for each line, so that those of two processes do not mix.
        (&self.file).write_all(format!("{what} {nanoseconds} {of}\n").as_bytes()).unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = Options::parse();
    let file = OpenOptions::new().create(true).append(true).open(&options.journal).unwrap();
    let journal = Arc::new(Journal { file, note_looks: options.note_looks });
    journal.note("started", std::process::id());
    if let Some(path) = &options.pid_file {
        std::fs::write(path, std::process::id().to_string()).unwrap();
    }
    let mut listeners = Vec::new();
    for number in 0..options.ports {
        let port = if options.port == 0 { 0 } else { options.port + number };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        journal.note("listening", listener.local_addr().unwrap().port().into());
        listeners.push(tokio::spawn(listen(listener, Arc::clone(&journal))));
    }
    for listener in listeners {
        listener.await.unwrap();
    }
}

async fn listen(listener: TcpListener, journal: Arc<Journal>) {
    let port = listener.local_addr().unwrap().port();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(stream, port, Arc::clone(&journal)));
    }
}

/// Answers as the real one does; what asks here sends a request in one piece and waits for its answer.
async fn serve(mut stream: TcpStream, port: u16, journal: Arc<Journal>) {
    let mut request = [0; 4096];
    while let Ok(Ok(length @ 1..)) = timeout(IDLE_LIMIT, stream.read(&mut request)).await {
        let body = if request[..length].starts_with(b"GET /healthz") {
            if journal.note_looks {
                journal.note("asked", port.into());
            }
            r#"{"ok":true,"status":"live"}"#
        } else if request[..length].starts_with(b"GET /startupz") {
            r#"{"status":"started","uptimeMs":600000}"#
        } else {
            r#"{"ready":true,"failing":[],"suppressed":[]}"#
        };
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}
