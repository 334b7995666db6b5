//! Faults of the practice gateway, and what the whole program makes of them.
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
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use gateway::{GatewayHome, wait_until};
use jiff::Timestamp;
use lifeguard::drill::faults::{BodyFault, Fault, crash_at_starts};
use lifeguard::drill::practice::write_config;
use lifeguard::platform::clock;
use lifeguard::snapshot::{BreakerSnapshot, GatewaySnapshot};
use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard_process::{DOWN, Lifeguard, NEEDS_YOU, QUICK, RECOVERED, SAFE_MODE, SOON, Watch, signal_gateway};
use practice::fault;
use rustix::process::Signal;

/// How long quitting may take: the app's own limit, and a margin for a busy machine.
const QUIT: Duration = Duration::from_secs(20);

/// A gateway that never holds its channels back, however often it is killed.
fn home(arguments: &[&str]) -> GatewayHome {
    practice::home(&[&["--unclean-window", "1ms"], arguments].concat())
}

/// The moments at which heals began, from Lifeguard's log.
fn heals(watch: &Watch<'_>) -> Vec<Timestamp> {
    let log = watch.log();
    let lines = log.lines().filter(|line| line.contains("heal begins"));
    lines.map(|line| line.split_whitespace().next().unwrap().parse().unwrap()).collect()
}

/// Waits until that many more rounds of probes have ended.
fn wait_rounds(lifeguard: &Lifeguard<'_>, rounds: usize) -> GatewaySnapshot {
    let mut seen = None;
    let mut left = rounds + 1;
    lifeguard.wait(SOON, "more rounds of probes", |gateway| {
        if gateway.checked != seen {
            seen = gateway.checked;
            left -= 1;
        }
        left == 0
    })
}

fn wait_new_pid(lifeguard: &Lifeguard<'_>, old: Option<u32>) -> GatewaySnapshot {
    lifeguard.wait(SOON, "a healthy gateway with another pid", |gateway| {
        gateway.health == Health::Healthy && gateway.pid.is_some() && gateway.pid != old
    })
}

#[test]
fn a_crash_loop_is_slowed_down_told_once_and_over_when_mended() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", &format!("{QUICK}\ncrash_limit = 4\n"));
    let lifeguard = watch.start();
    lifeguard.wait_healthy(SOON);
    assert_eq!(watch.headlines(), Vec::<String>::new(), "starting a gateway that never ran is no incident");

    crash_at_starts(&home.state_dir(), 1_000, 1).unwrap();
    fault(&home, &Fault::Crash { code: 1 });
    let tripped = lifeguard.wait(SOON, "safe mode", |gateway| {
        gateway.health == Health::SafeMode && gateway.breaker == BreakerSnapshot::Open
    });
    assert_eq!((tripped.crashes, tripped.crash_limit), (4, 4));
    assert!(tripped.next_attempt.unwrap() > clock::wall(), "a trial is scheduled");
    // The picture is older than the log for an instant: the end of the trial is what counts.
    let concluded = || watch.log().matches("heal concluded").count();
    let before = concluded();
    assert!(wait_until(SOON, || concluded() > before), "{}", watch.log());
    lifeguard.wait(SOON, "safe mode after a trial", |gateway| {
        gateway.health == Health::SafeMode && gateway.next_attempt.is_some()
    });

    // The first start, the one that follows the crash at once, then the configured waits and their doubling.
    let moments = heals(&watch);
    let gaps: Vec<f64> =
        moments[1..].windows(2).map(|pair| (pair[1] - pair[0]).total(jiff::Unit::Second).unwrap()).collect();
    let least = [1.0, 2.0, 3.0];
    assert_eq!(gaps.len(), least.len(), "{gaps:?}");
    assert!(gaps.iter().zip(least).all(|(gap, least)| *gap >= least), "{gaps:?}");

    crash_at_starts(&home.state_dir(), 0, 1).unwrap();
    lifeguard.wait_healthy(SOON);
    watch.wait_told(SOON, &[DOWN, SAFE_MODE, RECOVERED]);
    let mended = lifeguard.gateway();
    assert_eq!(mended.breaker, BreakerSnapshot::HalfOpen, "one more crash goes on with the distances of the trials");
    assert_eq!(mended.last_incident.unwrap().attempts, 5);
}

#[test]
fn a_hang_that_ignores_sigterm_is_killed_but_only_twice_in_five_minutes() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let mut pid = lifeguard.wait_healthy(SOON).pid;
    for _ in 0..2 {
        fault(&home, &Fault::Hang);
        lifeguard.wait(SOON, "hung", |gateway| gateway.verdict == Verdict::Hung);
        pid = wait_new_pid(&lifeguard, pid).pid;
    }
    fault(&home, &Fault::Hang);
    let held = lifeguard.wait(SOON, "an attempt that waits", |gateway| {
        gateway.verdict == Verdict::Hung && gateway.next_attempt.is_some()
    });
    let wait = held.next_attempt.unwrap() - clock::wall();
    assert!(wait > 120_000, "the third kill waits until the first is five minutes old, not {wait} ms");
    assert_eq!(wait_rounds(&lifeguard, 5).pid, pid, "nothing was killed meanwhile");
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED, DOWN]);
}

#[test]
fn exit_code_78_asks_for_a_person_and_trials_go_on() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid.unwrap();
    fs::write(home.config_path(), "{ broken").unwrap();
    signal_gateway(pid, Signal::KILL);
    let blocked = lifeguard.wait(SOON, "blocked, with a trial scheduled", |gateway| {
        gateway.health == Health::Blocked && gateway.next_attempt.is_some()
    });
    assert_eq!(blocked.verdict, Verdict::Refuses);
    watch.wait_told(SOON, &[DOWN, NEEDS_YOU]);

    write_config(&home.state_dir(), home.port).unwrap();
    let output = watch.run(&["restart"]);
    assert!(output.status.success(), "{output:?}");
    lifeguard.wait_healthy(SOON);
    watch.wait_told(SOON, &[DOWN, NEEDS_YOU, RECOVERED]);
}

#[test]
fn a_stranger_on_the_port_is_named_and_left_alone() {
    let home = home(&[]);
    let stranger = TcpListener::bind(("127.0.0.1", home.port)).unwrap();
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let taken = lifeguard.wait_health(SOON, Health::Blocked);
    let Verdict::PortTaken { pid, name } = taken.verdict else { panic!("{:?}", taken.verdict) };
    assert_eq!(pid, Some(std::process::id()));
    assert!(!name.is_empty());
    let output = String::from_utf8(watch.run(&["status"]).stdout).unwrap();
    assert!(output.contains(&std::process::id().to_string()), "{output}");
    wait_rounds(&lifeguard, 5);
    assert_eq!(watch.heals(), 0);

    drop(stranger);
    lifeguard.wait_healthy(SOON);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
}

#[test]
fn a_gateway_that_answers_errors_is_restarted_in_order() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    fault(&home, &Fault::Errors { status: 500 });
    lifeguard.wait(SOON, "failing", |gateway| matches!(gateway.verdict, Verdict::Failing(_)));
    wait_new_pid(&lifeguard, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert!(!watch.log().contains("killing it"), "{}", watch.log());
}

#[test]
fn what_is_not_ready_is_told_and_not_restarted() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    fault(&home, &Fault::NotReady { reasons: vec!["telegram".to_owned()] });
    let degraded = lifeguard.wait_health(SOON, Health::Degraded);
    assert_eq!(degraded.verdict, Verdict::NotReady(vec!["telegram".to_owned()]));
    watch.wait_told(SOON, &["OpenClaw gateway works only in part"]);
    let later = wait_rounds(&lifeguard, 10);
    assert_eq!((later.pid, later.next_attempt, watch.heals()), (pid, None, 1));

    fault(&home, &Fault::Clear);
    lifeguard.wait_healthy(SOON);
    watch.wait_told(SOON, &["OpenClaw gateway works only in part", RECOVERED]);
    assert_eq!(lifeguard.gateway().pid, pid);
}

#[test]
fn a_broken_answer_alone_is_no_reason_to_restart_and_not_health_either() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    for kind in [BodyFault::Invalid, BodyFault::Strange, BodyFault::Huge, BodyFault::Page] {
        fault(&home, &Fault::Body { kind });
        let seen = lifeguard.wait(SOON, "a verdict on a broken answer", |gateway| gateway.health != Health::Healthy);
        assert!(matches!(seen.verdict, Verdict::Unknown(_)), "{kind:?}: {:?}", seen.verdict);
        wait_rounds(&lifeguard, 5);
        fault(&home, &Fault::Clear);
        lifeguard.wait_healthy(SOON);
    }
    assert_eq!((lifeguard.gateway().pid, watch.heals()), (pid, 1));
    assert_eq!(watch.headlines(), Vec::<String>::new());
}

#[test]
fn a_pause_stops_heals_and_its_end_lets_them_go_on() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    assert!(watch.run(&["pause"]).status.success());
    lifeguard.wait_health(SOON, Health::Paused);
    signal_gateway(pid.unwrap(), Signal::KILL);
    lifeguard.wait(SOON, "gone while paused", |gateway| {
        gateway.verdict == Verdict::Gone && gateway.health == Health::Paused
    });
    assert_eq!(wait_rounds(&lifeguard, 10).next_attempt, None);
    assert_eq!((watch.heals(), watch.headlines()), (1, Vec::new()));

    assert!(watch.run(&["resume"]).status.success());
    wait_new_pid(&lifeguard, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
}

#[test]
fn a_gateway_that_is_still_starting_is_adopted_and_not_started_twice() {
    let home = home(&["--startup", "4s"]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait(SOON, "a process", |gateway| gateway.pid.is_some()).pid;
    lifeguard.crash();
    let lifeguard = watch.start();
    assert_eq!(lifeguard.wait_healthy(SOON).pid, pid);
    assert_eq!(watch.heals(), 1);
    assert_eq!(watch.headlines(), Vec::<String>::new());
}

#[test]
fn sigterm_at_any_moment_ends_lifeguard_in_time_and_leaves_the_gateway_alone() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    // While it starts: at once, and ever later.
    for delay in [0, 10, 30, 100, 300] {
        let mut lifeguard = watch.spawn();
        let begin = Instant::now();
        wait_until(Duration::from_millis(delay), || false);
        lifeguard.signal(Signal::TERM);
        let status = lifeguard.wait_ended(QUIT);
        assert!(status.success() || status.signal() == Some(15), "{status:?} after {:?}", begin.elapsed());
    }
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    drop(lifeguard);

    // Idle.
    let mut lifeguard = watch.start();
    assert_eq!(lifeguard.wait_healthy(SOON).pid, pid);
    lifeguard.signal(Signal::TERM);
    assert!(lifeguard.wait_ended(QUIT).success());

    // While it heals: the gateway hangs, and has been asked to stop.
    let mut lifeguard = watch.start();
    assert_eq!(lifeguard.wait_healthy(SOON).pid, pid, "the gateway lived on");
    fault(&home, &Fault::Hang);
    lifeguard.wait_health(SOON, Health::Healing);
    lifeguard.signal(Signal::TERM);
    assert!(lifeguard.wait_ended(QUIT).success());

    let lifeguard = watch.start();
    wait_new_pid(&lifeguard, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_eq!(lifeguard.gateway().notice, None, "the state was loaded every time");
}

#[test]
fn a_second_lifeguard_says_that_one_is_running() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    lifeguard.wait_healthy(SOON);
    let output = watch.run(&["watch"]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains(&lifeguard.pid().to_string()), "{complaint}");
    assert_eq!(watch.status()["lifeguard_running"], true);
    assert_eq!(watch.heals(), 1);
}

/// The original took over a lock whose holder was dead by a race that leaked it; the kernel frees ours.
#[test]
fn stale_lock() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    lifeguard.crash();
    let next = watch.start();
    assert_eq!(next.wait_healthy(SOON).pid, pid, "the gateway is taken over, not started twice");
    assert_eq!(watch.run(&["watch"]).status.code(), Some(1), "there is one Lifeguard at a time");
    next.crash();
    watch.start().wait_healthy(SOON);
    assert_eq!(watch.heals(), 1);
}

#[test]
fn evidence_is_stored_before_a_gateway_is_ended() {
    let home = home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    assert_eq!(watch.run(&["incidents"]).status.code(), Some(1), "nothing has happened yet");
    fault(&home, &Fault::Hang);
    wait_new_pid(&lifeguard, pid);
    let listed = String::from_utf8(watch.run(&["incidents"]).stdout).unwrap();
    assert!(listed.starts_with("gateway #1 "), "{listed}");
    let shown = watch.run(&["incidents", "show", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((&report["verdict"], &report["process"]["pid"]), (&"hung".into(), &pid.into()), "{report}");
    assert!(report["process"]["open_files"].as_u64().is_some_and(|files| files > 3), "{report}");
    assert_eq!(watch.run(&["incidents", "show", "99"]).status.code(), Some(1));
}
