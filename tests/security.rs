//! What others on this machine, or a web page that is open in a browser, can do to Lifeguard: `docs/security.md`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use gateway::{GatewayHome, wait_until};
use lifeguard::config::environment::Environment;
use lifeguard::config::paths::Paths;
use lifeguard::control::instance::InstanceLock;
use lifeguard::drill::faults::Fault;
use lifeguard::supervisor::verdict::Health;
use lifeguard_process::{Lifeguard, QUICK, SOON, Watch, signal_gateway};
use practice::fault;
use rustix::fs::Mode;
use rustix::process::{Signal, geteuid, umask};

/// Somebody who is not this user.
const NOBODY: u32 = 65_534;

fn home() -> GatewayHome {
    practice::home(&["--unclean-window", "1ms"])
}

/// The status page's port.
fn port(lifeguard: &Lifeguard<'_>) -> u16 {
    let page = lifeguard.look().page.unwrap();
    page.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

/// Sends a request as it stands and reads what comes until the end.
fn raw(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    // A server that has seen enough closes before all is written.
    let _cut_off = stream.write_all(request);
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_web_page_can_neither_read_nor_do_anything() {
    let home = home();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    let port = port(&lifeguard);
    let ask = |head: &str| raw(port, format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());

    // DNS rebinding: the browser sends the name that the page was loaded by.
    let names = [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "0.0.0.0",
    ];
    for name in names {
        for path in ["/", "/events", "/api/past?gateway=gateway&span=day", "/metrics", "/healthz"] {
            let answer = ask(&format!("GET {path} HTTP/1.1\r\nHost: {name}"));
            assert!(answer.starts_with("HTTP/1.1 403 "), "{name} {path}: {answer}");
            assert!(!answer.contains("gateway"), "{answer}");
        }
    }
    for answer in [ask("GET / HTTP/1.0"), ask("GET / HTTP/1.1\r\nX: y")] {
        assert!(!answer.contains(" 200 "), "without a name: {answer}");
    }

    // Requests that a page of another origin can send without asking first.
    let own = format!("127.0.0.1:{port}");
    for (method, path) in [("POST", "/"), ("POST", "/v1/command"), ("PUT", "/events"), ("DELETE", "/api/incident")] {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {own}\r\nOrigin: https://evil.example\r\nContent-Type: text/plain\r\nContent-Length: 21"
        );
        let body = "{\"command\":\"restart\"}";
        let answer = raw(port, format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes());
        assert!(
            answer.starts_with("HTTP/1.1 405 ") || answer.starts_with("HTTP/1.1 404 "),
            "{method} {path}: {answer}"
        );
    }
    // It may send this one, and its browser does not let it read the answer, nor show it in a frame.
    let answer = ask(&format!("GET / HTTP/1.1\r\nHost: {own}\r\nOrigin: https://evil.example")).to_lowercase();
    assert!(answer.starts_with("http/1.1 200 "), "{answer}");
    assert!(!answer.contains("access-control-"), "{answer}");
    for header in ["x-frame-options: deny", "frame-ancestors 'none'", "cross-origin-resource-policy: same-origin"] {
        assert!(answer.contains(header), "{header} is not in {answer}");
    }
    assert_eq!((lifeguard.gateway().pid, watch.heals()), (pid, 1), "nothing was done");
}

#[test]
fn silent_slow_and_huge_clients_do_not_shut_others_out() {
    let home = home();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    lifeguard.wait_healthy(SOON);
    let port = port(&lifeguard);
    // More than the server takes at a time; half of them have begun to ask.
    let crowd: Vec<TcpStream> = (0..80)
        .map(|number| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ").unwrap();
            }
            stream
        })
        .collect();
    let mut answer = String::new();
    let answered = wait_until(SOON, || {
        answer = raw(
            port,
            format!("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        answer.starts_with("HTTP/1.1 200 ")
    });
    assert!(answered, "{answer}");
    drop(crowd);

    let mut huge = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ".to_vec();
    huge.resize(8 * 1024 * 1024, b'x');
    let answer = raw(port, &huge);
    assert!(!answer.contains(" 200 "), "{answer}");
    assert_eq!(lifeguard.wait_healthy(SOON).health, Health::Healthy, "it goes on");
}

#[test]
fn another_user_is_not_answered_even_where_the_rights_would_let_them() {
    let home = home();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    let socket = watch.state_dir().join("run/control.sock");
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!((mode(&socket), mode(socket.parent().unwrap())), (0o600, 0o700));
    if !geteuid().is_root() {
        // Only root can become somebody else; who may ask is tested beside the code too.
        return assert_eq!(lifeguard.gateway().pid, pid);
    }
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    for folder in [&home.path(), &watch.state_dir(), socket.parent().unwrap()] {
        open(folder, 0o755);
    }
    open(&socket, 0o666);
    let script = r#"use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!; $SIG{PIPE} = 'IGNORE';
        $s->print("GET /v1/snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); $s->flush; print "said: ", <$s> // '';"#;
    let ask = |uid: u32| {
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={uid}"), "--clear-groups", "/usr/bin/perl", "-e", script]).arg(&socket);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ask(0).starts_with("said: HTTP/1.1 200 OK"));
    assert_eq!(ask(NOBODY), "said: ");
    assert!(watch.log().contains("another user asked over the control socket"), "{}", watch.log());
}

#[test]
fn links_and_folders_of_others_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let others = folder.path().join("others");
    fs::create_dir(&others).unwrap();
    let paths = |state: &Path| {
        let environment = Environment::default()
            .with([("LIFEGUARD_STATE_DIR", state.to_str().unwrap()), ("LIFEGUARD_CONFIG", "/none.toml")]);
        Paths::of(&environment, None).unwrap()
    };

    // The socket's folder is a link.
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    symlink(&others, state.join("run")).unwrap();
    assert!(paths(&state).prepare().is_err(), "the folder of the socket was a link");
    assert_eq!(fs::read_dir(&others).unwrap().count(), 0);

    // The lock is a link to a file that would be emptied.
    let precious = folder.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    symlink(&precious, state.join("instance.lock")).unwrap();
    assert!(InstanceLock::acquire(&state.join("instance.lock")).is_err());
    assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");

    // The whole state folder is one that others can write to, or that belongs to them.
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let linked = folder.path().join("linked");
    symlink(&shared, &linked).unwrap();
    assert!(paths(&linked).prepare().is_err(), "the state folder was open to all");
    let foreign = if geteuid().is_root() {
        std::os::unix::fs::chown(&others, Some(NOBODY), None).unwrap();
        others
    } else {
        PathBuf::from("/usr")
    };
    let linked = folder.path().join("foreign");
    symlink(&foreign, &linked).unwrap();
    assert!(paths(&linked).prepare().is_err(), "the state folder belonged to somebody else");
}

/// Every file and folder below this one, itself included.
fn everything(place: &Path) -> Vec<PathBuf> {
    let mut found = vec![place.to_owned()];
    if place.symlink_metadata().unwrap().is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            found.extend(everything(&entry.unwrap().path()));
        }
    }
    found
}

#[test]
fn nothing_that_lifeguard_writes_can_be_read_by_others_whatever_the_umask() {
    let home = home();
    let watch = Watch::new(&home, "child", QUICK);
    let before = umask(Mode::empty());
    let lifeguard = watch.start();
    umask(before);
    let pid = lifeguard.wait_healthy(SOON).pid;
    signal_gateway(pid.unwrap(), Signal::KILL);
    lifeguard.wait(SOON, "an incident behind it", |gateway| {
        gateway.health == Health::Healthy && gateway.last_incident.is_some()
    });
    let seen = everything(&watch.state_dir());
    for name in [
        "history.sqlite3",
        "history.sqlite3-wal",
        "lifeguard.log",
        "gateway-gateway.log",
        "report.json",
        "control.sock",
    ] {
        assert!(seen.iter().any(|path| path.ends_with(name)), "{name} is not among {seen:?}");
    }
    for path in seen {
        let mode = path.symlink_metadata().unwrap().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn what_a_gateway_says_commands_no_terminal_and_forges_no_line() {
    let home = home();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    lifeguard.wait_healthy(SOON);
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2Jtelegram\r\nFORGED line\u{9b}31m\u{202e}".to_owned();
    fault(&home, &Fault::NotReady { reasons: vec![hostile.clone(), "x".repeat(20_000)] });
    let shown = lifeguard.wait_health(SOON, Health::Degraded);
    assert!(wait_until(SOON, || !watch.headlines().is_empty()), "{}", watch.log());
    let status = watch.run(&["status"]);
    let places = [
        ("status", String::from_utf8(status.stdout).unwrap()),
        ("the log", watch.log()),
        ("watch", watch.printed()),
        ("the alert", watch.seen().messages[0]["embeds"][0]["description"].as_str().unwrap().to_owned()),
    ];
    for (place, text) in places {
        let commands = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        assert!(!text.contains(commands), "{place}: {text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("FORGED")), "{place}: {text}");
        assert!(text.lines().all(|line| line.len() < 10_000), "{place} has an endless line");
    }
    assert!(format!("{:?}", shown.verdict).contains("telegram FORGED line"), "{:?}", shown.verdict);
}

/// What is built in comes from where it says, byte for byte.
#[test]
fn every_crate_is_pinned_by_its_checksum() {
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let packages: Vec<&str> = lock.split("[[package]]").skip(1).collect();
        assert!(packages.len() > 100, "{file}");
        for package in packages.iter().filter(|package| !package.contains("name = \"openclaw-lifeguard")) {
            assert!(
                package.contains("source = \"registry+https://github.com/rust-lang/crates.io-index\""),
                "{package}"
            );
            assert!(package.contains("checksum = \""), "{package}");
        }
    }
}
