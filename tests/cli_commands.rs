//! The program itself: its help, its exit codes, and what it asks the Lifeguard that runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/snapshots.rs"]
mod snapshots;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use assert_cmd::Command;
use insta::assert_snapshot;
use lifeguard::control::instance::InstanceLock;
use lifeguard::control::server::ControlSocket;
use lifeguard::history::alerts::{AlertRecord, DeliveryRecord, Settled};
use lifeguard::request::{Mute, Receipt, Reply, UserAction};
use lifeguard::supervisor::event::Command as Order;
use lifeguard::supervisor::ladder::Outcome;
use lifeguard::supervisor::verdict::{Health, Verdict};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

/// For whatever a test waits for.
const LIMIT: Duration = Duration::from_secs(20);

fn lifeguard(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeguard"));
    command
        .env_clear()
        .env("HOME", home)
        .env("LIFEGUARD_STATE_DIR", home.join("state"))
        .env("TZ", "UTC")
        .timeout(Duration::from_mins(1))
        .args(arguments);
    command
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run(home: &Path, arguments: &[&str]) -> Ran {
    let output = lifeguard(home, arguments).output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A Lifeguard that answers what the test says, and the home folder that it serves.
struct Running {
    home: TempDir,
    _runtime: tokio::runtime::Runtime,
}

fn running(
    mut answer: impl FnMut(UserAction, &watch::Sender<lifeguard::snapshot::Snapshot>) + Send + 'static,
) -> Running {
    let home = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let socket = home.path().join("state/run/control.sock");
    let socket = runtime.block_on(ControlSocket::open(&socket)).unwrap();
    let mut snapshot = snapshots::snapshot(snapshots::healthy());
    snapshot.taken_elapsed = lifeguard::platform::clock::elapsed();
    snapshot.stale_after = 600_000;
    let (sender, receiver) = watch::channel(snapshot);
    let (actions, mut asked) = mpsc::channel(4);
    runtime.spawn(socket.serve(receiver, actions, std::future::pending()));
    runtime.spawn(async move {
        while let Some(action) = asked.recv().await {
            answer(action, &sender);
        }
    });
    Running { home, _runtime: runtime }
}

/// The help of these commands, one after the other.
fn helps(language: &str, commands: &[&[&str]]) -> String {
    let home = tempfile::tempdir().unwrap();
    let help = |words: &[&str]| run(home.path(), &[&["--language", language], words, &["--help"]].concat()).out;
    let pages = commands.iter().map(|words| format!("=== lifeguard {}\n{}", words.join(" "), help(words)));
    pages.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn help_of_every_command_in_english() {
    let commands: &[&[&str]] = &[
        &[],
        &["watch"],
        &["status"],
        &["restart"],
        &["reset"],
        &["pause"],
        &["resume"],
        &["logs"],
        &["alerts"],
        &["alerts", "test"],
        &["login-item"],
        &["demo"],
        &["check"],
        &["config"],
        &["config", "init"],
        &["completions"],
        &["man"],
        &["incidents", "show"],
    ];
    assert_snapshot!(helps("en", commands));
}

#[test]
fn help_in_korean() {
    assert_snapshot!(helps("ko", &[&[], &["check"]]));
}

#[test]
fn a_command_that_needs_lifeguard_says_that_it_is_not_running() {
    let home = tempfile::tempdir().unwrap();
    for words in [&["restart"][..], &["reset"], &["pause", "15m"], &["resume"], &["alerts", "test"]] {
        let ran = run(home.path(), words);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{words:?}: {}", ran.err);
        assert!(ran.err.contains("not running"), "{}", ran.err);
    }
    let ran = run(home.path(), &["--language", "ko", "reset"]);
    assert!(ran.err.contains("실행 중이 아닙니다"), "{}", ran.err);
}

#[test]
fn status_answers_while_lifeguard_does_not_run() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["status"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.out.starts_with("Lifeguard is not running"), "{}", ran.out);
    assert!(ran.out.contains("127.0.0.1:18789"), "{}", ran.out);
    let ran = run(home.path(), &["status", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["lifeguard_running"], false);
}

#[test]
fn a_wrong_configuration_or_command_line_is_exit_code_2() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    std::fs::write(&config, "[probe]\nintervall = \"10s\"\n").unwrap();
    for words in [&["watch"][..], &["status"]] {
        let ran = run(home.path(), &[&["--config", config.to_str().unwrap()], words].concat());
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("Did you mean `interval`?"), "{}", ran.err);
    }
    assert_eq!(run(home.path(), &["--config", "/no/such.toml", "status"]).code, 2);
    assert_eq!(run(home.path(), &["explode"]).code, 2);
    assert_eq!(run(home.path(), &["pause", "soon"]).code, 2);
}

#[test]
fn a_lifeguard_that_runs_is_asked_although_the_configuration_is_broken() {
    let running = running(|_, _| {});
    let config = running.home.path().join("config.toml");
    std::fs::write(&config, "nonsense").unwrap();
    let ran = run(running.home.path(), &["--config", config.to_str().unwrap(), "status"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("gateway: Up and ready"), "{}", ran.out);
}

/// Starts the program and hands its lines over as they come.
fn start(home: &Path, arguments: &[&str]) -> (Child, Receiver<String>) {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_lifeguard"))
        .env_clear()
        .env("HOME", home)
        .env("LIFEGUARD_STATE_DIR", home.join("state"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let (lines, seen) = channel();
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
    });
    (child, seen)
}

#[test]
fn a_restart_shows_what_happens_and_how_it_ended() {
    for (outcome, code, last) in [
        (Outcome::Restarted, 0, "A new generation answers ready."),
        (Outcome::DiedAgain, 1, "The new process ended before it was ready."),
    ] {
        let (replies, asked) = channel();
        let running = running(move |action, snapshots| {
            let UserAction::Gateway { gateway, command, reply } = action else { panic!("{action:?}") };
            assert_eq!((gateway, command), (None, Order::Restart { force: true }));
            snapshots.send_modify(|snapshot| {
                snapshot.gateways[0].health = Health::Healing;
                snapshot.gateways[0].verdict = Verdict::Starting("sidecars".to_owned());
            });
            replies.send(reply.unwrap()).unwrap();
        });
        let (mut child, lines) = start(running.home.path(), &["restart", "--force"]);
        let next = || lines.recv_timeout(LIMIT).unwrap();
        assert_eq!(next(), "Restarting now; running work is not waited for.");
        let progress = next();
        assert!(progress.ends_with("Healing: starting (sidecars)"), "{progress}");
        asked.recv_timeout(LIMIT).unwrap().send(Reply::Concluded(outcome)).unwrap();
        let end = next();
        assert!(end.starts_with(last), "{end}");
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn a_gateway_that_is_not_there_is_named() {
    let running = running(|_, _| {});
    let ran = run(running.home.path(), &["restart", "nowhere"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("\"nowhere\""), "{}", ran.err);
}

#[test]
fn reset_pause_and_resume_are_handed_on() {
    let running = running(|action, _| {
        let UserAction::Gateway { gateway, command, reply } = action else { panic!("{action:?}") };
        let answer = match (gateway.as_deref(), command) {
            (None, Order::Reset | Order::Resume | Order::Pause { until: Some(_) }) => Reply::Done,
            (Some("home"), Order::Pause { until: None }) => Reply::Done,
            other => Reply::Refused(format!("unexpected {other:?}")),
        };
        reply.unwrap().send(answer).unwrap();
    });
    let said = |words: &[&str]| {
        let ran = run(running.home.path(), words);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    assert!(said(&["reset"]).contains("zero"));
    assert!(said(&["resume"]).contains("again"));
    assert!(said(&["pause", "15m"]).starts_with("Paused until "));
    assert!(said(&["pause", "--gateway", "home"]).contains("lifeguard resume"));
    let ran = run(running.home.path(), &["reset", "work"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("unexpected"), "{}", ran.err);
}

#[test]
fn a_test_of_the_alerts_fails_if_one_channel_did_not_get_it() {
    let running = running(|action, _| {
        let UserAction::TestAlerts { channel, reply } = action else { panic!("{action:?}") };
        let all = vec![
            Receipt { channel: "native".to_owned(), problem: None },
            Receipt { channel: "discord".to_owned(), problem: Some("It refused.".to_owned()) },
        ];
        let asked = all.into_iter().filter(|receipt| channel.as_ref().is_none_or(|name| *name == receipt.channel));
        reply.unwrap().send(asked.collect()).unwrap();
    });
    let ran = run(running.home.path(), &["alerts", "test"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "native: delivered\ndiscord: not delivered. It refused.\n"));
    assert_eq!(run(running.home.path(), &["alerts", "test", "native"]).code, 0);
    let ran = run(running.home.path(), &["alerts", "test", "pigeon"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no such alert channel"), "{}", ran.err);
}

#[test]
fn a_retry_says_of_each_channel_whether_anything_stands_in_the_way() {
    let running = running(|action, _| {
        let UserAction::RetryAlerts { channel: None, reply } = action else { panic!("{action:?}") };
        let all = vec![
            Receipt { channel: "native".to_owned(), problem: None },
            Receipt { channel: "discord".to_owned(), problem: Some("It refused.".to_owned()) },
        ];
        reply.unwrap().send(all).unwrap();
    });
    let ran = run(running.home.path(), &["alerts", "retry"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "native: nothing waits\ndiscord: not delivered. It refused.\n"));
}

#[test]
fn alerts_are_muted_for_a_while_or_until_somebody_ends_it() {
    let (asked, heard) = channel();
    let running = running(move |action, _| {
        let UserAction::MuteAlerts(mute) = action else { panic!("{action:?}") };
        asked.send(mute).unwrap();
    });
    let mute = |words: &[&str]| run(running.home.path(), &[&["alerts", "mute"], words].concat());
    assert!(mute(&["until", "08:00"]).out.contains("muted until"));
    assert!(heard.recv_timeout(LIMIT).unwrap().unwrap().until.is_some());
    assert!(mute(&[]).out.contains("lifeguard alerts mute off"));
    assert_eq!(heard.recv_timeout(LIMIT).unwrap(), Some(Mute { until: None }));
    assert_eq!(mute(&["off"]).out, "Alerts are told again.\n");
    assert_eq!(heard.recv_timeout(LIMIT).unwrap(), None);
    assert_eq!(mute(&["soon"]).code, 2);
}

#[test]
fn what_was_told_is_listed_also_while_nothing_runs() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(run(home.path(), &["alerts", "list"]).out, "Nothing was told yet.\n");
    let state = home.path().join("state");
    std::fs::create_dir_all(&state).unwrap();
    let now = lifeguard::engine::now();
    let history = lifeguard::history::History::open(&state, None, now).unwrap().history;
    let record = AlertRecord {
        id: 1,
        gateway: "home".to_owned(),
        incident: Some(7),
        kind: "down".to_owned(),
        happened: 1_795_356_202_000,
        recorded: now.wall,
        record: "{}".to_owned(),
    };
    let delivery = |id, channel: &str| DeliveryRecord {
        id,
        alert: 1,
        channel: channel.to_owned(),
        edit: false,
        queued: now.wall,
        folded: false,
        claimed: false,
        attempts: 0,
    };
    let stored = history.change(|change| {
        change.add_alert(&record)?;
        for (id, channel) in [(1, "native"), (2, "slack"), (3, "discord")] {
            change.add_delivery(&delivery(id, channel))?;
            change.claim(id, now.wall)?;
        }
        change.settle(1, Settled::Delivered, now.wall, None, None)?;
        change.claim(2, now.wall)?;
        change.release(2, true, "Slack cannot be reached.")?;
        change.settle(3, Settled::Refused, now.wall, Some("Discord refused a message (400): too long"), None)
    });
    stored.unwrap();
    assert_snapshot!(run(home.path(), &["alerts", "list"]).out, @r"
    2026-11-22 14:03:22  home  down
        native: delivered
        slack: waits, 2 attempts. Slack cannot be reached.
        discord: refused. Discord refused a message (400): too long
    ");
    assert_eq!(run(home.path(), &["alerts", "list", "-n", "0"]).out, "Nothing was told yet.\n");
}

#[test]
fn a_second_lifeguard_makes_the_first_show_itself() {
    let (shown, seen) = channel();
    let running = running(move |action, _| {
        assert!(matches!(action, UserAction::Show));
        shown.send(()).unwrap();
    });
    let _lock = InstanceLock::acquire(&running.home.path().join("state/instance.lock")).unwrap();
    let pid = std::process::id();
    let ran = run(running.home.path(), &[]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, format!("Lifeguard is already running (pid {pid}). Its icon is in the menu bar.\n").as_str()),
        "{}",
        ran.err
    );
    seen.recv_timeout(LIMIT).unwrap();
    let ran = run(running.home.path(), &["watch"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(&format!("already running (pid {pid})")), "{}", ran.err);
}

#[test]
fn logs_show_the_end_of_the_file_and_say_if_there_is_none() {
    let home = tempfile::tempdir().unwrap();
    let ran = run(home.path(), &["logs", "watchdog"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("lifeguard.log does not exist"), "{}", ran.err);
    let logs = home.path().join("state/logs");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(logs.join("lifeguard.log"), "one\ntwo\nthree\n").unwrap();
    assert_eq!(run(home.path(), &["logs", "watchdog", "-n", "2"]).out, "two\nthree\n");
}

#[test]
fn a_gateways_log_is_found_through_its_own_config() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("mine.log");
    std::fs::write(&log, "hello\n").unwrap();
    std::fs::create_dir_all(home.path().join(".openclaw")).unwrap();
    let config = format!("// mine\n{{ logging: {{ file: '{}' }} }}", log.display());
    std::fs::write(home.path().join(".openclaw/openclaw.json"), config).unwrap();
    assert_eq!(run(home.path(), &["logs"]).out, "hello\n");
    assert_eq!(run(home.path(), &["logs", "--gateway", "nowhere"]).code, 1);
}

#[test]
fn following_shows_what_is_added() {
    let home = tempfile::tempdir().unwrap();
    let logs = home.path().join("state/logs");
    std::fs::create_dir_all(&logs).unwrap();
    let log = logs.join("lifeguard.log");
    std::fs::write(&log, "one\n").unwrap();
    let (mut child, lines) = start(home.path(), &["logs", "watchdog", "-f"]);
    let next = || lines.recv_timeout(LIMIT);
    let first = next();
    std::fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(b"two\n").unwrap();
    let second = next();
    std::fs::rename(&log, logs.join("lifeguard.log.1")).unwrap();
    std::fs::write(&log, "three\n").unwrap();
    let third = next();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!([first, second, third], ["one", "two", "three"].map(|line| Ok(line.to_owned())));
}

#[test]
fn a_reader_who_goes_away_is_no_failure() {
    let running = running(|_, _| {});
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_lifeguard"))
        .env_clear()
        .env("HOME", running.home.path())
        .env("LIFEGUARD_STATE_DIR", running.home.path().join("state"))
        .arg("status")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map(|mut child| {
            drop(child.stdout.take());
            child
        })
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn a_state_folder_that_others_may_write_to_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, std::fs::Permissions::from_mode(0o777)).unwrap();
    let ran = run(home.path(), &["watch"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("chmod 700"), "{}", ran.err);
}

#[test]
fn logs_reach_back_into_the_old_parts() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("state/logs/lifeguard.log");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    let now = jiff::Timestamp::now();
    let line = |minutes: i64, text: &str| {
        format!("{}  INFO lifeguard: {text}\n", now - jiff::SignedDuration::from_mins(minutes))
    };
    let bounds = lifeguard::logs::Bounds { size: 0, ..lifeguard::logs::Bounds::default() };
    let filler: String = (0..1000).map(|number| line(200, &format!("filler {number}"))).collect();
    std::fs::write(&log, format!("{filler}{}{}", line(150, "oldest"), line(90, "older"))).unwrap();
    let put_away = now.as_millisecond() - 80 * 60_000;
    assert!(lifeguard::logs::foreign::rotate(&log, bounds, put_away).unwrap());
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
    std::io::Write::write_all(&mut file, line(10, "new").as_bytes()).unwrap();
    let run = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_lifeguard"))
            .env_clear()
            .env("HOME", home.path())
            .env("LIFEGUARD_STATE_DIR", home.path().join("state"))
            .args(["logs", "watchdog"])
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.rsplit(": ").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(run(&["-n", "1"]), ["new"]);
    assert_eq!(run(&["-n", "3"]), ["oldest", "older", "new"]);
    assert_eq!(run(&["--since", "1h"]), ["new"]);
    assert_eq!(run(&["--since", "2h"]), ["older", "new"]);
    assert_eq!(run(&["-n", "100000"]).len(), 1003);
}
