//! What `lifeguard` does when it is started: on the person's gateway, without one, and with a configuration that
//! cannot be used. There is no display here, so it runs in the terminal.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// For whatever a test waits for; a busy machine takes its time.
const LIMIT: Duration = Duration::from_mins(1);

fn lifeguard(home: &Path, arguments: &[&str]) -> Command {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
    command
        .env_clear()
        .env("HOME", home)
        .env("LIFEGUARD_STATE_DIR", home.join("state"))
        .env("OPENCLAW_GATEWAY_PORT", port.to_string())
        .args(arguments);
    command
}

/// A Lifeguard that runs, and its lines. It is asked to end at the end of the test, whatever happened.
struct Started {
    child: Child,
    lines: Receiver<String>,
}

impl Started {
    fn new(home: &Path, arguments: &[&str]) -> Self {
        let mut child = lifeguard(home, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// The first line that has all these words.
    fn line_with(&self, words: &[&str]) -> String {
        let began = Instant::now();
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(LIMIT.saturating_sub(began.elapsed())) {
                Ok(line) if words.iter().all(|word| line.contains(word)) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("no {words:?} in {seen:#?}"),
            }
        }
    }

    fn ask_to_end(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        // It may have ended already.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }

    /// Asks it to end; its exit code and its complaints.
    fn end(mut self) -> (Option<i32>, String) {
        self.ask_to_end();
        let mut complaints = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
        (self.child.wait().unwrap().code(), complaints)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.ask_to_end();
        let _ = self.child.wait();
    }
}

/// A home folder with an `openclaw` that leaves a mark and ends at once.
fn home_with_openclaw() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join(".local/bin/openclaw");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    std::fs::write(&program, "#!/bin/sh\necho started >> \"$HOME/mark\"\nexit 78\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LIMIT, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn status(home: &Path) -> Value {
    let output = lifeguard(home, &["status", "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn without_a_gateway_the_practice_gateway_stands_in_and_says_so() {
    let home = tempfile::tempdir().unwrap();
    let started = Started::new(home.path(), &["--practice-if-none"]);
    assert!(started.line_with(&["No OpenClaw gateway"]).contains("practice gateway"));
    started.line_with(&["practice", "Up and ready"]);
    let demo = home.path().join("state/demo");
    let pid = {
        let output = lifeguard(home.path(), &["status", "--json"]).env("LIFEGUARD_STATE_DIR", &demo).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["gateways"][0]["practice"], true);
        json["gateways"][0]["pid"].as_u64().unwrap()
    };
    let again = lifeguard(home.path(), &["--practice-if-none"]).output().unwrap();
    let said = String::from_utf8(again.stdout).unwrap();
    assert!(again.status.success() && said.contains("already running"), "{said}");
    let (code, complaints) = started.end();
    assert_eq!(code, Some(0), "{complaints}");
    let pid = u32::try_from(pid).unwrap();
    until("the end of the practice gateway", || lifeguard::platform::process::identify(pid).is_none());
}

#[test]
fn with_a_gateway_the_practice_gateway_stays_away() {
    let home = home_with_openclaw();
    let started = Started::new(home.path(), &["--practice-if-none"]);
    let line = started.line_with(&["gateway: "]);
    assert!(!line.contains("practice"), "{line}");
    assert!(!home.path().join("state/demo").exists());
    assert_eq!(started.end().0, Some(0));
}

#[test]
fn the_practice_gateway_stands_in_for_the_app_only() {
    let home = tempfile::tempdir().unwrap();
    let output = lifeguard(home.path(), &["--practice-if-none", "watch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "lifeguard: --practice-if-none goes without a command.\n");
}

#[test]
fn started_at_login_with_a_broken_configuration_it_looks_heals_nothing_and_says_why() {
    let home = home_with_openclaw();
    let config = home.path().join("config.toml");
    std::fs::write(&config, "[probe]\nintervall = \"10s\"\n").unwrap();
    let named = ["--config", config.to_str().unwrap()];

    let started = Started::new(home.path(), &named);
    let line = started.line_with(&["gateway: ", "Paused"]);
    for words in ["heals nothing", "line 2, column 1", "intervall"] {
        assert!(line.contains(words), "{words}: {line}");
    }
    let json = status(home.path());
    let gateway = &json["gateways"][0];
    assert_eq!(
        (&gateway["health"], &gateway["next_attempt"], &gateway["heal"]),
        (&"paused".into(), &Value::Null, &Value::Null)
    );
    assert!(gateway["notice"].as_str().unwrap().contains("intervall"), "{gateway}");
    let (code, complaints) = started.end();
    assert_eq!(code, Some(0));
    assert!(complaints.contains("Did you mean `interval`?"), "{complaints}");
    assert!(!home.path().join("mark").exists(), "a gateway was started");

    // With the configuration mended, nothing of this is left.
    std::fs::write(&config, "[probe]\ninterval = \"10s\"\n").unwrap();
    let started = Started::new(home.path(), &named);
    let line = started.line_with(&["gateway: "]);
    assert!(!line.contains("Paused") && !line.contains("heals nothing"), "{line}");
    until("a start of the gateway", || home.path().join("mark").exists());
    assert_eq!(started.end().0, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn at_a_terminal_a_broken_configuration_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".config/lifeguard")).unwrap();
    std::fs::write(home.path().join(".config/lifeguard/config.toml"), "nonsense").unwrap();
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", env!("CARGO_BIN_EXE_lifeguard"), "/dev/null"])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("the configuration has a problem"), "{said}");
}
