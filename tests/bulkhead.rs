//! One gateway that hangs in every way that there is delays nobody else: nine others are probed as punctually beside
//! it as without it, in the same run.
//!
//! `cargo nextest run --test bulkhead --no-capture` prints the figures of `docs/performance.md`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in tests a panic is the way to fail")]

#[path = "support/alerts.rs"]
mod alerts;
#[path = "support/engine.rs"]
mod engine;

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::spec;
use lifeguard::engine::{Books, Engine, GatewaySpec};
use lifeguard::history::History;
use lifeguard::history::recorder::Recorder;
use lifeguard::metrics::Metrics;
use lifeguard::service::Kind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// Distance of two rounds.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long the nine are watched, once without and once with the tenth.
const SPELL: Duration = Duration::from_secs(5);
/// What the tenth may cost the others.
const ALLOWED: Duration = Duration::from_millis(50);
/// A machine that is busy with something else delays everybody: a way is measured again before it is blamed.
const TRIES: usize = 3;

/// The ways to hang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Silence,
    Drip,
    EndlessBody,
    EndlessHeaders,
    RedirectLoop,
    Reset,
    /// No connection is ever completed: the queue of those that wait is full, and the system drops what comes.
    FullQueue,
    /// The service manager's command never answers.
    ServiceCommand,
    /// The service manager answers that it has failed, and its start never ends.
    Heal,
}

const WAYS: [Way; 9] = [
    Way::Silence,
    Way::Drip,
    Way::EndlessBody,
    Way::EndlessHeaders,
    Way::RedirectLoop,
    Way::Reset,
    Way::FullQueue,
    Way::ServiceCommand,
    Way::Heal,
];

fn runtime() -> Runtime {
    // As many threads as the app has.
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The moments at which a gateway was asked for its health.
type Rounds = Arc<Mutex<Vec<Instant>>>;

/// A gateway that answers well, as the real one does.
async fn well() -> (u16, Rounds) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let rounds = Rounds::default();
    let seen = Arc::clone(&rounds);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&seen)));
        }
    });
    (port, rounds)
}

async fn serve(mut stream: TcpStream, seen: Rounds) {
    let mut request = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut request).await {
        let request = String::from_utf8_lossy(&request[..length]).into_owned();
        let body = if request.starts_with("GET /healthz") {
            seen.lock().unwrap().push(Instant::now());
            r#"{"ok":true,"status":"live"}"#
        } else if request.starts_with("GET /startupz") {
            r#"{"status":"started","uptimeMs":600000}"#
        } else {
            r#"{"ready":true,"failing":[],"suppressed":[]}"#
        };
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A gateway that hangs in this way. What is given back keeps it so.
async fn hanging(way: Way) -> (u16, Vec<TcpStream>) {
    if way == Way::FullQueue {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
            held.push(stream);
            assert!(held.len() < 100, "the queue is never full");
        }
        // Nobody ever accepts; the task keeps the socket open.
        tokio::spawn(async move {
            let _listener = listener;
            std::future::pending::<()>().await;
        });
        return (address.port(), held);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(misbehave(stream, way));
        }
    });
    (port, Vec::new())
}

async fn misbehave(mut stream: TcpStream, way: Way) {
    const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let mut request = [0; 4096];
    if !matches!(stream.read(&mut request).await, Ok(1..)) {
        return;
    }
    match way {
        Way::Silence | Way::FullQueue | Way::ServiceCommand | Way::Heal => std::future::pending().await,
        Way::Drip => {
            let _ = stream.write_all(format!("{JSON}Content-Length: 1000\r\n\r\n").as_bytes()).await;
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Way::EndlessBody => {
            let _ = stream.write_all(format!("{JSON}Content-Length: 1000000000000\r\n\r\n").as_bytes()).await;
            while stream.write_all(&vec![b'x'; 64 * 1024]).await.is_ok() {}
        }
        Way::EndlessHeaders => {
            let _ = stream.write_all(JSON.as_bytes()).await;
            while stream.write_all(b"X-More: of the same, and more of the same\r\n").await.is_ok() {}
        }
        Way::RedirectLoop => {
            let answer = "HTTP/1.1 302 Found\r\nLocation: /healthz\r\nContent-Length: 0\r\n\r\n";
            while stream.write_all(answer.as_bytes()).await.is_ok() {
                if !matches!(stream.read(&mut request).await, Ok(1..)) {
                    return;
                }
            }
        }
        Way::Reset => {
            let _ = stream.set_zero_linger();
        }
    }
}

/// The service manager of the tenth.
fn systemctl(folder: &Path, way: Way) -> std::path::PathBuf {
    let script = match way {
        Way::ServiceCommand => "#!/bin/sh\nexec sleep 1000\n",
        _ => {
            "#!/bin/sh\ncase \"$*\" in *show*) printf 'LoadState=loaded\\nActiveState=failed\\nSubState=failed\\n\
             UnitFileState=enabled\\nResult=exit-code\\nExecMainStatus=1\\nMainPID=0\\n' ;; *) exec sleep 1000 ;; esac\n"
        }
    };
    let path = folder.join(format!("systemctl-{way:?}"));
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// How late the rounds of the nine were, in microseconds, the punctual ones first: the distance of two of them beyond
/// the interval. `tenth` is watched beside them, if there is one.
fn lateness(others: &[(u16, Rounds)], tenth: Option<(u16, Way)>) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let watching = runtime();
    for (_, rounds) in others {
        rounds.lock().unwrap().clear();
    }
    watching.block_on(async {
        let history = Arc::new(History::in_memory().unwrap());
        let (actions, _wishes) = mpsc::channel(8);
        let alerts = lifeguard::alert::AlertHub::start(alerts::settings(), Arc::clone(&history), actions);
        let named = others.iter().enumerate().map(|(number, (port, _))| (format!("other{number}"), *port));
        let mut specs: Vec<GatewaySpec> =
            named.map(|(name, port)| spec(folder.path(), &history, &name, (port, Kind::Attached), INTERVAL)).collect();
        if let Some((port, way)) = tenth {
            let kind = if matches!(way, Way::ServiceCommand | Way::Heal) { Kind::Systemd } else { Kind::Attached };
            let mut tenth = spec(folder.path(), &history, "tenth", (port, kind), INTERVAL);
            tenth.setup.systemctl = systemctl(folder.path(), way);
            specs.push(tenth);
        }
        let recorder = Arc::new(Recorder::open(history, 1 << 30));
        let books = Books { recorder, metrics: Arc::new(Metrics::default()) };
        let engine = Engine::start(specs, &alerts, books, None);
        tokio::time::sleep(SPELL).await;
        engine.stop().await;
    });
    watching.shutdown_timeout(Duration::from_secs(1));
    let mut late = Vec::new();
    for (_, rounds) in others {
        let rounds = rounds.lock().unwrap();
        late.extend(
            rounds
                .windows(2)
                .map(|pair| u64::try_from((pair[1] - pair[0]).saturating_sub(INTERVAL).as_micros()).unwrap()),
        );
    }
    late.sort_unstable();
    late
}

/// The value below which this share of the values lies.
fn quantile(values: &[u64], percent: usize) -> u64 {
    values[(values.len() - 1) * percent / 100]
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

#[test]
fn nine_gateways_are_probed_as_punctually_beside_one_that_hangs() {
    let stage = runtime();
    let others: Vec<(u16, Rounds)> = (0..9).map(|_| stage.block_on(well())).collect();
    println!("| the tenth | median without | median with | 90 % without | 90 % with | looks |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for way in WAYS {
        let (port, _held) = stage.block_on(hanging(way));
        let mut tries = 0;
        loop {
            let (without, with) = (lateness(&others, None), lateness(&others, Some((port, way))));
            let enough = 9 * usize::try_from(SPELL.as_millis() / INTERVAL.as_millis() / 2).unwrap();
            assert!(with.len() > enough, "{way:?}: the nine were looked at {} times only", with.len());
            let [half, half_with] = [&without, &with].map(|values| quantile(values, 50));
            let [most, most_with] = [&without, &with].map(|values| quantile(values, 90));
            tries += 1;
            let delay = half_with.saturating_sub(half).max(most_with.saturating_sub(most));
            if delay < u64::try_from(ALLOWED.as_micros()).unwrap() {
                let [half, half_with, most, most_with] = [half, half_with, most, most_with].map(milliseconds);
                println!("| {way:?} | {half} | {half_with} | {most} | {most_with} | {} |", with.len());
                break;
            }
            assert!(tries < TRIES, "{way:?} delays the others by {}", milliseconds(delay));
        }
    }
}
