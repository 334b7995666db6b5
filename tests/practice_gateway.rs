//! The practice gateway behaves as the real one: the same cases run on both and are compared.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/practice.rs"]
mod practice;
#[path = "support/real_gateway.rs"]
mod real_gateway;

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use gateway::{Ended, GatewayHome, START_LIMIT, ask, ask_within, wait_until};
use lifeguard::drill::faults::{self, BodyFault, Fault};
use practice::fault;
use rustix::process::Signal;
use serde_json::{Value, json};

/// Limit for something that takes a second or less on an idle machine.
const SOON: Duration = Duration::from_mins(1);

/// Both kinds of gateway; the practice one takes its time, so that its phases can be seen.
fn both() -> [GatewayHome; 2] {
    let slow = ["--startup", "1s", "--sidecars", "2s", "--restart", "2s"];
    [practice::home(&slow), real_gateway::home()]
}

/// Runs a case on both kinds at the same time and compares, line by line, what it found.
fn compare(homes: &[GatewayHome; 2], case: impl Fn(&GatewayHome) -> Vec<String> + Sync) -> Vec<String> {
    let [practice, real] = std::thread::scope(|scope| {
        let case = &case;
        let running = homes.each_ref().map(|home| scope.spawn(move || case(home)));
        running.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    assert_eq!(practice.len(), real.len(), "practice: {practice:#?}\nreal: {real:#?}");
    let differences: Vec<_> = practice.iter().zip(&real).filter(|(practice, real)| practice != real).collect();
    assert!(differences.is_empty(), "practice and real differ: {differences:#?}");
    real
}

#[test]
fn one_life_of_both_gateways_looks_the_same() {
    let homes = both();
    compare(&homes, |home| {
        let mut running = home.start();
        assert!(watch_rise(home), "the start-up was not seen");
        let face = describe_face(home);

        let second = home
            .command_with(&[], &[])
            .iter()
            .map(|word| word.replace(&home.port.to_string(), &gateway::free_port().to_string()))
            .collect::<Vec<_>>();
        let second = home.start_as(&second).wait_ended(START_LIMIT);
        let lock = fs::read_to_string(home.lock_path()).unwrap();
        let lock: Value = serde_json::Deserializer::from_str(&lock).into_iter().next().unwrap().unwrap();
        assert_eq!(lock["pid"], running.pid());
        assert_eq!(lock["port"], home.port);
        assert_eq!(ask(home.port, "GET", "/readyz").unwrap().status, 200, "the first one is not affected");

        running.freeze();
        let frozen = ask_within(Duration::from_millis(700), home.port, "GET", "/healthz").unwrap_err().kind();
        running.signal(Signal::CONT);
        assert_eq!(ask(home.port, "GET", "/healthz").unwrap().status, 200);

        let before = uptime(home);
        running.signal(Signal::USR2);
        wait_refused(home);
        watch_rise(home);
        assert!(running.is_alive() && uptime(home) < before, "the same process, a new generation");

        let good = fs::read(home.config_path()).unwrap();
        fs::write(home.config_path(), "{broken").unwrap();
        wait_logged(home, "[reload] config reload skipped (invalid config)");
        running.signal(Signal::USR2);
        wait_logged(home, "Process will stay alive; fix the issue and restart.");
        let zombie = (running.is_alive(), connects(home), home.lock_path().exists());
        fs::write(home.config_path(), good).unwrap();
        running.signal(Signal::USR2);
        running.wait_ready(home);

        running.signal(Signal::TERM);
        let ended = running.wait_ended(SOON);
        let after = (connects(home), home.lock_path().exists());
        let log = [
            "[gateway] starting...",
            "[gateway] http server listening",
            "[gateway] ready",
            "[heartbeat] started",
            "[gateway] received SIGUSR2; restarting",
            "[gateway] received SIGTERM; shutting down",
            "[shutdown] completed cleanly in",
        ]
        .map(|line| (line, home.log().contains(line)));

        assert_eq!(second, Ended::Code(78));
        assert!(matches!(frozen, ErrorKind::WouldBlock | ErrorKind::TimedOut), "connected, not answered: {frozen}");
        assert_eq!(zombie, (true, false, false));
        assert_eq!((ended, after), (Ended::Code(0), (false, false)));
        assert!(log.iter().all(|(_, found)| *found), "{log:?}");
        face
    });
}

#[test]
fn under_a_supervisor_the_restart_signal_ends_both_gateways_with_0() {
    compare(&both(), |home| {
        let mut running = home.start_as(&home.command_with(&[("OPENCLAW_SUPERVISOR_MODE", "external")], &[]));
        running.wait_ready(home);
        running.signal(Signal::USR2);
        assert_eq!(running.wait_ended(SOON), Ended::Code(0));
        assert!(!connects(home));
        assert!(home.log().contains("[gateway] restart mode: full process restart (supervisor restart)"));
        assert!(!home.lock_path().exists());
        Vec::new()
    });
}

#[test]
fn a_killed_gateway_of_both_kinds_refuses_connections_and_leaves_its_lock() {
    compare(&both(), |home| {
        let mut running = home.start_ready();
        running.signal(Signal::KILL);
        assert_eq!(running.wait_ended(SOON), Ended::Signal(9));
        wait_refused(home);
        assert!(home.lock_path().exists());
        Vec::new()
    });
}

#[test]
fn a_configuration_that_cannot_be_used_ends_both_with_78_and_the_same_words() {
    let homes = both();
    for config in [Some("{broken"), Some(r#"{"gateway":{"mode":"remote"}}"#), None] {
        let words = compare(&homes, |home| {
            match config {
                Some(config) => fs::write(home.config_path(), config).unwrap(),
                None => fs::remove_file(home.config_path()).unwrap(),
            }
            fs::write(home.log_path(), "").unwrap();
            assert_eq!(home.start().wait_ended(START_LIMIT), Ended::Code(78));
            let log = home.log();
            let words = log.lines().find_map(|line| {
                line.find("Gateway start blocked").or(line.find("Missing config")).map(|at| line[at..].to_owned())
            });
            vec![words.unwrap_or_else(|| panic!("no reason in {log}"))]
        });
        assert!(words[0].contains("gateway.mode"));
    }
}

#[test]
fn a_stopping_gateway_says_that_it_drains_and_counts_no_second_signal() {
    let home = practice::home(&["--drain", "1s"]);
    let mut running = home.start_ready();
    running.signal(Signal::INT);
    wait_failing(&home, "gateway-draining");
    assert_eq!(ask(home.port, "GET", "/healthz").unwrap().status, 200);
    assert_eq!(ask(home.port, "GET", "/startupz").unwrap().json()["status"], "draining");
    running.signal(Signal::TERM);
    assert_eq!(running.wait_ended(SOON), Ended::Code(0));
    assert!(home.log().contains("received SIGTERM during shutdown; ignoring"));
}

#[test]
fn a_slow_stop_closes_the_port_long_before_the_process_ends() {
    let home = practice::home(&[]);
    let mut running = home.start_ready();
    fault(&home, &Fault::SlowStop { drain: 0, linger: 700, code: 1 });
    running.signal(Signal::TERM);
    wait_refused(&home);
    assert!(running.is_alive());
    assert_eq!(running.wait_ended(SOON), Ended::Code(1));
}

#[test]
fn signals_without_a_handler_kill() {
    let home = practice::home(&[]);
    let mut running = home.start_ready();
    running.signal(Signal::USR1);
    wait_logged(&home, "would open its inspector");
    running.signal(Signal::HUP);
    assert_eq!(running.wait_ended(SOON), Ended::Signal(1));

    let home = practice::home(&["--version-like", "2026.6.11"]);
    let mut running = home.start_ready();
    running.signal(Signal::USR2);
    assert_eq!(running.wait_ended(SOON), Ended::Signal(12));

    let home = practice::home(&["--startup", "60s"]);
    let mut running = home.start();
    wait_logged(&home, "starting...");
    running.signal(Signal::TERM);
    assert_eq!(running.wait_ended(SOON), Ended::Signal(15), "handlers come late in a start");
}

#[test]
fn an_older_release_answers_unknown_probes_with_its_page_and_restarts_by_sigusr1() {
    let home = practice::home(&["--version-like", "2026.6.11"]);
    let mut running = home.start_ready();
    assert_eq!(ask(home.port, "GET", "/healthz").unwrap().json(), json!({"ok": true, "status": "live"}));
    assert_eq!(ask(home.port, "GET", "/startupz").unwrap().headers["content-type"], "text/html; charset=utf-8");
    running.signal(Signal::USR1);
    wait_logged(&home, "restart mode: in-process restart");
    running.wait_ready(&home);
}

#[test]
fn a_taken_port_ends_it_with_1_after_its_tries() {
    let home = practice::home(&["--port-tries", "2", "--port-retry", "50ms"]);
    let _other_program = TcpListener::bind((Ipv4Addr::LOCALHOST, home.port)).unwrap();
    assert_eq!(home.start().wait_ended(SOON), Ended::Code(1));
    assert!(home.log().contains("another gateway instance is already listening on ws://127.0.0.1:"));
    assert!(!home.lock_path().exists(), "it gave up in order");
}

#[test]
fn three_unclean_ends_hold_the_channels_back_though_it_is_ready() {
    let home = practice::home(&[]);
    for end in 1..=3 {
        let mut running = home.start_ready();
        assert_eq!(ask(home.port, "GET", "/readyz").unwrap().json().get("suppressed"), None, "before end {end}");
        running.signal(Signal::KILL);
        running.wait_ended(SOON);
    }
    let _running = home.start_ready();
    let response = ask(home.port, "GET", "/readyz").unwrap();
    assert_eq!((response.status, &response.json()["suppressed"]), (200, &json!(["telegram"])));
}

#[test]
fn a_hanging_gateway_accepts_answers_nothing_and_ignores_sigterm() {
    let home = practice::home(&[]);
    let mut running = home.start_ready();
    fault(&home, &Fault::Hang);
    running.signal(Signal::TERM);
    running.signal(Signal::USR2);
    let error = ask_within(Duration::from_millis(500), home.port, "GET", "/healthz").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    assert!(connects(&home) && running.is_alive());
    fault(&home, &Fault::Clear);
    assert_eq!(running.wait_ended(SOON), Ended::Code(0), "the signal was pending");
}

#[test]
fn a_restart_ends_a_fault() {
    let home = practice::home(&["--restart", "0ms"]);
    let mut running = home.start_ready();
    fault(&home, &Fault::NotReady { reasons: vec!["telegram".to_owned()] });
    wait_failing(&home, "telegram");
    running.signal(Signal::USR2);
    running.wait_ready(&home);
}

#[test]
fn crashes_end_it_by_exit_code_or_abort_and_leave_the_lock() {
    let home = practice::home(&[]);
    let mut running = home.start_ready();
    fault(&home, &Fault::Crash { code: 7 });
    assert_eq!(running.wait_ended(SOON), Ended::Code(7));
    assert!(home.lock_path().exists());

    let mut running = home.start_ready();
    fault(&home, &Fault::OutOfMemory);
    assert_eq!(running.wait_ended(SOON), Ended::Signal(6));
    assert!(home.log().contains("JavaScript heap out of memory"));

    faults::crash_at_starts(&home.state_dir(), 2, 3).unwrap();
    for _ in 0..2 {
        assert_eq!(home.start().wait_ended(SOON), Ended::Code(3));
    }
    drop(home.start_ready());

    let home = practice::home(&["--exit-at-start", "78"]);
    assert_eq!(home.start().wait_ended(SOON), Ended::Code(78));
}

#[test]
fn answers_go_wrong_on_request() {
    let home = practice::home(&[]);
    let _running = home.start_ready();
    let short = Duration::from_secs(2);
    let health = || ask_within(short, home.port, "GET", "/healthz");

    fault(&home, &Fault::Slow { latency: 300 });
    let asked = Instant::now();
    assert_eq!(health().unwrap().status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(300));

    fault(&home, &Fault::Clear);
    fault(&home, &Fault::Errors { status: 500 });
    assert_eq!(health().unwrap().status, 500);

    fault(&home, &Fault::Clear);
    fault(&home, &Fault::Suppressed { channels: vec!["discord".to_owned()] });
    let ready = ask(home.port, "GET", "/readyz").unwrap();
    assert_eq!((ready.status, &ready.json()["suppressed"]), (200, &json!(["discord"])));

    let bodies = [
        BodyFault::Invalid,
        BodyFault::Strange,
        BodyFault::Page,
        BodyFault::Huge,
        BodyFault::Drip,
        BodyFault::Truncated,
    ];
    let outcomes = bodies.map(|kind| {
        fault(&home, &Fault::Body { kind });
        match health() {
            Ok(response) if response.body.len() > 1024 * 1024 => "huge".to_owned(),
            Ok(response) => {
                format!("{} {}", response.headers["content-type"], response.text().lines().next().unwrap_or_default())
            }
            Err(error) => format!("{:?}", error.kind()),
        }
    });
    assert_eq!(
        outcomes,
        [
            r#"application/json; charset=utf-8 {"ok":true,"sta"#,
            r#"application/json; charset=utf-8 {"hello":"world"}"#,
            "text/html; charset=utf-8 <!doctype html>",
            "huge",
            "WouldBlock",
            "UnexpectedEof",
        ]
    );

    fault(&home, &Fault::Clear);
    fault(&home, &Fault::Reset);
    assert_eq!(health().unwrap_err().kind(), ErrorKind::ConnectionReset);

    fault(&home, &Fault::Clear);
    assert_eq!(health().unwrap().json(), json!({"ok": true, "status": "live"}));
}

#[test]
fn leaked_memory_is_resident() {
    let home = practice::home(&[]);
    let running = home.start_ready();
    let resident = || {
        let pid = sysinfo::Pid::from_u32(running.pid());
        let mut system = sysinfo::System::new().unwrap();
        system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
        system.process(pid).unwrap().memory()
    };
    let before = resident();
    fault(&home, &Fault::Leak { mebibytes: 64 });
    assert!(resident() >= before + 60 * 1024 * 1024);
}

#[test]
fn a_fault_without_a_practice_gateway_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(faults::ask(folder.path(), &Fault::Hang)).unwrap_err();
    assert!(error.to_string().starts_with("no practice gateway answers at "), "{error}");
}

/// Follows the three probes until the gateway is ready: each goes through these states in this order, though on a
/// busy machine one may be missed. Says whether the middle one was seen.
fn watch_rise(home: &GatewayHome) -> bool {
    const STATES: [(&str, [&str; 3]); 3] = [
        ("/health", ["refused", r#"200 {"ok":true,"status":"live"}"#, ""]),
        (
            "/startupz",
            [
                "refused",
                r#"503 {"ok":false,"pendingReason":"startup-sidecars","status":"starting","uptimeMs":0,"version":"2026.9.6"}"#,
                r#"200 {"ok":true,"status":"started","uptimeMs":0,"version":"2026.9.6"}"#,
            ],
        ),
        (
            "/readyz",
            [
                "refused",
                r#"503 {"failing":["startup-sidecars"],"ready":false,"uptimeMs":0}"#,
                r#"200 {"failing":[],"ready":true,"uptimeMs":0}"#,
            ],
        ),
    ];
    let mut reached = [0; 3];
    let mut starting_seen = false;
    let risen = wait_until(START_LIMIT, || {
        for ((path, states), reached) in STATES.iter().zip(&mut reached) {
            let state = match ask(home.port, "GET", path) {
                Ok(response) => format!("{} {}", response.status, without_figures(response.json())),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => "refused".to_owned(),
                // Cut off by the start itself; the next look tells more.
                Err(_) => continue,
            };
            let next = states.iter().position(|known| *known == state);
            let next = next.unwrap_or_else(|| panic!("{path} in a start: {state}"));
            assert!(next >= *reached, "{path} fell back to {state}");
            *reached = next;
            starting_seen |= next == 1 && *path != "/health";
        }
        reached[2] == 2
    });
    assert!(risen, "not ready within {START_LIMIT:?}:\n{}", home.log());
    starting_seen
}

/// JSON with its changing numbers taken out, and without the event loop's figures, which come and go.
fn without_figures(mut body: Value) -> Value {
    if let Some(object) = body.as_object_mut() {
        if let Some(event_loop) = object.remove("eventLoop") {
            for name in [
                "degraded",
                "degradedSinceMs",
                "reasons",
                "intervalMs",
                "delayP99Ms",
                "delayMaxMs",
                "utilization",
                "cpuCoreRatio",
                "cpuBreakdown",
            ] {
                assert!(event_loop.get(name).is_some(), "no {name} in {event_loop}");
            }
        }
        if let Some(uptime) = object.get_mut("uptimeMs") {
            assert!(uptime.is_u64());
            *uptime = json!(0);
        }
    }
    body
}

/// Status, telling headers and body of every path that means something, and of some that mean nothing.
fn describe_face(home: &GatewayHome) -> Vec<String> {
    const PROBES: [&str; 6] = ["/health", "/healthz", "/ready", "/readyz", "/startup", "/startupz"];
    const OTHERS: [&str; 15] = [
        "/",
        "/nope",
        "/status",
        "/live",
        "/livez",
        "/metrics",
        "/HEALTH",
        "/health/",
        "/healthz/x",
        "/readyz/x",
        "/startupz/x",
        "/assets/nope.js",
        "/api",
        "/api/nope",
        "/v1/models",
    ];
    let mut requests = Vec::new();
    for path in PROBES {
        requests.extend(["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"].map(|method| (method, path)));
    }
    requests.extend(OTHERS.map(|path| ("GET", path)));
    requests.extend([
        ("HEAD", "/"),
        ("HEAD", "/nope"),
        ("POST", "/nope"),
        ("POST", "/api/nope"),
        ("GET", "/health?x=1"),
        ("GET", "/api/channels"),
        ("GET", "/tools/invoke"),
        ("GET", "/v1/chat/completions"),
    ]);
    let mut face: Vec<String> = requests.into_iter().map(|(method, path)| describe(home, method, path)).collect();
    let six = TcpStream::connect((Ipv6Addr::LOCALHOST, home.port)).is_ok();
    face.push(format!("listens on ::1: {six}"));
    face
}

fn describe(home: &GatewayHome, method: &str, path: &str) -> String {
    let response = ask(home.port, method, path).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let mut text = format!("{method} {path}: {}", response.status);
    for name in [
        "content-type",
        "cache-control",
        "allow",
        "retry-after",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "connection",
        "keep-alive",
        "vary",
    ] {
        if let Some(value) = response.headers.get(name) {
            text = format!("{text}; {name}: {value}");
        }
    }
    if method != "HEAD" {
        let is_json = response.headers["content-type"].starts_with("application/json");
        let is_page = response.text().to_ascii_lowercase().contains("<!doctype html>");
        let body = if is_json {
            without_figures(response.json()).to_string()
        } else if is_page {
            "a page".to_owned()
        } else {
            response.text()
        };
        text = format!("{text}; {body}");
    }
    text
}

fn uptime(home: &GatewayHome) -> u64 {
    ask(home.port, "GET", "/startupz").unwrap().json()["uptimeMs"].as_u64().unwrap()
}

fn connects(home: &GatewayHome) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, home.port)).is_ok()
}

fn wait_refused(home: &GatewayHome) {
    assert!(wait_until(SOON, || !connects(home)), "still listening:\n{}", home.log());
}

fn wait_logged(home: &GatewayHome, words: &str) {
    assert!(wait_until(SOON, || home.log().contains(words)), "no `{words}` in:\n{}", home.log());
}

fn wait_failing(home: &GatewayHome, reason: &str) {
    let failing = wait_until(SOON, || {
        ask(home.port, "GET", "/readyz")
            .is_ok_and(|response| response.status == 503 && response.json()["failing"] == json!([reason]))
    });
    assert!(failing, "never failing for {reason}");
}
