//! What the tests do with a gateway, real or practice: start it, ask it, signal it, and leave nothing behind.
#![allow(dead_code, reason = "each test file uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use lifeguard::drill::practice::write_config;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use tempfile::TempDir;

/// A home of its own for a gateway, with a free port and a configuration for it. When it is dropped, every
/// process that still has it as `HOME` is killed, whoever started it.
pub(crate) struct GatewayHome {
    folder: TempDir,
    /// A port that was free a moment ago.
    pub(crate) port: u16,
    /// How the gateway is run in the foreground, as an argument list that needs no environment of its own.
    pub(crate) command: Vec<String>,
}

impl GatewayHome {
    /// A new home; `program` makes the last part of the command from the home's own data.
    pub(crate) fn new(variables: &[(&str, String)], program: impl FnOnce(&Self) -> Vec<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("lg-").tempdir().unwrap();
        let mut home = Self { folder, port: free_port(), command: Vec::new() };
        write_config(&home.state_dir(), home.port).unwrap();
        let mut command = vec!["/usr/bin/env".to_owned()];
        for name in SUPERVISOR_MARKS {
            command.extend(["-u".to_owned(), name.to_owned()]);
        }
        command.push(format!("HOME={}", home.path().display()));
        command.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.extend(program(&home));
        home.command = command;
        home
    }

    /// `HOME`.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// OpenClaw's state folder in it.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join(".openclaw")
    }

    /// OpenClaw's configuration in it.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.state_dir().join("openclaw.json")
    }

    /// The lock that a running gateway holds.
    pub(crate) fn lock_path(&self) -> PathBuf {
        let folder = format!("openclaw-{}", rustix::process::getuid().as_raw());
        self.state_dir().join("tmp").join(folder).join("gateway.state.lock")
    }

    /// Where [`GatewayHome::start`] sends the gateway's output.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.folder.path().join("gateway.log")
    }

    /// The output so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// The command with more variables in front of its program.
    pub(crate) fn command_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Vec<String> {
        let mut command = self.command.clone();
        let home = command.iter().position(|word| word.starts_with("HOME=")).unwrap();
        command.splice((home + 1)..=home, variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.extend(arguments.iter().map(|&word| word.to_owned()));
        command
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Running {
        self.start_as(&self.command)
    }

    /// Starts it with another form of its command.
    pub(crate) fn start_as(&self, command: &[String]) -> Running {
        let log = || -> Stdio { self.open_log().into() };
        let child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(log())
            .stderr(log())
            .spawn()
            .unwrap();
        Running { child, port: self.port }
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start_ready(&self) -> Running {
        let mut running = self.start();
        running.wait_ready(self);
        running
    }

    fn open_log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap()
    }

    /// The processes that have this home as `HOME`.
    fn inhabitants(&self) -> Vec<Pid> {
        let mark = format!("HOME={}", self.path().display());
        let mut system = System::new().unwrap();
        let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::Always);
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
        let mine = system.processes().values().filter(|process| process.environ().iter().any(|word| *word == *mark));
        mine.filter_map(|process| Pid::from_raw(i32::try_from(process.pid().as_u32()).ok()?)).collect()
    }
}

impl Drop for GatewayHome {
    fn drop(&mut self) {
        // A second look finds what was being started during the first one.
        for _ in 0..2 {
            for pid in self.inhabitants() {
                let _gone_already = kill_process(pid, Signal::KILL);
            }
        }
    }
}

/// Variables by which a gateway takes itself to be supervised, or which change how Node runs.
const SUPERVISOR_MARKS: [&str; 10] = [
    "INVOCATION_ID",
    "OPENCLAW_SYSTEMD_UNIT",
    "OPENCLAW_LAUNCHD_LABEL",
    "OPENCLAW_SUPERVISOR_MODE",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_PROFILE",
    "OPENCLAW_HOME",
    "NODE_OPTIONS",
];

/// A gateway that a test started. Killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    port: u16,
}

/// How a gateway ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Running {
    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal. The child is not waited for yet, so its number cannot be another process's.
    pub(crate) fn signal(&mut self, signal: Signal) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the gateway has ended before it could be signalled");
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends SIGSTOP and waits until every thread has stopped: on a busy machine one may answer for a while longer.
    pub(crate) fn freeze(&mut self) {
        self.signal(Signal::STOP);
        let pid = Pid::from_child(&self.child);
        let stopped = wait_until(Duration::from_mins(1), || {
            let news = waitpid(Some(pid), WaitOptions::UNTRACED | WaitOptions::NOHANG).unwrap();
            news.is_some_and(|(_, status)| status.stopped())
        });
        assert!(stopped, "the gateway did not stop");
    }

    /// Waits for `/readyz` 200, or for a web page where the version has no such path.
    pub(crate) fn wait_ready(&mut self, home: &GatewayHome) {
        let ready = wait_until(START_LIMIT, || {
            let ended = self.child.try_wait().unwrap();
            assert_eq!(ended, None, "the gateway ended before it was ready:\n{}", home.log());
            ask(self.port, "GET", "/readyz").is_ok_and(|response| response.status == 200)
        });
        assert!(ready, "the gateway was not ready within {START_LIMIT:?}:\n{}", home.log());
    }

    /// Waits for its end.
    pub(crate) fn wait_ended(&mut self, limit: Duration) -> Ended {
        let mut status = None;
        wait_until(limit, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let status = status.unwrap_or_else(|| panic!("the gateway did not end within {limit:?}"));
        status.code().map_or_else(|| Ended::Signal(status.signal().unwrap()), Ended::Code)
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _gone_already = self.child.kill();
            let _reaped = self.child.wait();
        }
    }
}

/// Limit for a start on a busy machine; measured when idle: 7 to 18 s.
pub(crate) const START_LIMIT: Duration = Duration::from_mins(2);

/// Asks again and again until it holds.
pub(crate) fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A port that was free on 127.0.0.1 and `::1` a moment ago, and that no other test of this process was given. From
/// below the range that the system gives to outgoing connections, so that none of those takes it meanwhile.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap();
    loop {
        let port = fastrand::u16(20_000..32_000);
        let is_free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
            && !matches!(TcpListener::bind((Ipv6Addr::LOCALHOST, port)), Err(error) if error.kind() == io::ErrorKind::AddrInUse);
        if is_free && given.insert(port) {
            return port;
        }
    }
}

/// A whole HTTP answer.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    /// Status.
    pub(crate) status: u16,
    /// Headers, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// Body, as it came.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

/// Limit for one answer: a starting gateway blocks its event loop for a second or more.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Sends one request over a new connection to 127.0.0.1 and reads the answer.
pub(crate) fn ask(port: u16, method: &str, path: &str) -> io::Result<Response> {
    ask_within(ANSWER_LIMIT, port, method, path)
}

/// The same, with another limit for the whole exchange.
pub(crate) fn ask_within(limit: Duration, port: u16, method: &str, path: &str) -> io::Result<Response> {
    let deadline = Instant::now() + limit;
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), limit)?;
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n")?;
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        read_some(&mut stream, &mut bytes, deadline)?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no HTTP: {head}")))?;
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = bytes.split_off(head_end + 4);
    if method != "HEAD" {
        let length = headers.get("content-length").and_then(|length| length.parse::<usize>().ok());
        let whole = |body: &[u8]| length.map_or_else(|| body.ends_with(b"0\r\n\r\n"), |length| body.len() >= length);
        while !whole(&body) {
            read_some(&mut stream, &mut body, deadline)?;
        }
    }
    Ok(Response { status, headers, body })
}

fn read_some(stream: &mut TcpStream, bytes: &mut Vec<u8>, deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
    let mut part = vec![0; 64 * 1024];
    match stream.read(&mut part)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        length => {
            bytes.extend_from_slice(&part[..length]);
            Ok(())
        }
    }
}
