//! The real OpenClaw gateway, killed, stopped and restarted, and what the whole program makes of it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/real_gateway.rs"]
mod real_gateway;

use std::time::Duration;

use gateway::{START_LIMIT, wait_until};
use lifeguard::platform::clock;
use lifeguard::snapshot::GatewaySnapshot;
use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard_process::{DOWN, Lifeguard, RECOVERED, SOON, Watch, signal_gateway};
use rustix::process::Signal;

/// The probes are at their defaults; what is waited for afterwards is shortened.
const SHORT_WAITS: &str = r#"
[heal]
hang_patience = "10s"
healthy_hold = "3s"
backoff_seconds = [1, 2, 3]
budget = 20
"#;

/// From SIGSTOP to the verdict: two rounds of up to 10 s apart, each with an answer that never comes.
const HUNG_LIMIT: Duration = Duration::from_secs(25);

fn wait_new(lifeguard: &Lifeguard<'_>, old: &GatewaySnapshot) -> GatewaySnapshot {
    lifeguard.wait(START_LIMIT * 2, "a healthy gateway with another pid", |gateway| {
        gateway.health == Health::Healthy && gateway.pid.is_some() && gateway.pid != old.pid
    })
}

#[test]
fn the_real_gateway_is_healed_restarted_and_adopted() {
    let home = real_gateway::home();
    let watch = Watch::new(&home, "child", SHORT_WAITS);
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(START_LIMIT);
    assert_eq!(first.version.as_deref(), Some(real_gateway::VERSION));
    assert_eq!((watch.heals(), watch.headlines()), (1, Vec::new()));

    lifeguard.wait(SOON, "its own report of its work", |gateway| gateway.in_flight == Some(0));

    // Killed: seen by the kernel's event, healed, told once each way.
    let killed_at = clock::wall();
    signal_gateway(first.pid.unwrap(), Signal::KILL);
    let second = wait_new(&lifeguard, &first);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    let incident = second.last_incident.clone().unwrap();
    assert!((incident.began - killed_at).abs() < 2_000, "it began when it was killed, not {incident:?}");
    let lasted = incident.ended.unwrap() - incident.began;
    assert_eq!(i64::try_from(incident.duration).unwrap() / 1_000, lasted / 1_000);
    assert_eq!((incident.verdict, incident.attempts, second.crashes), (Verdict::Gone, 1, 1));

    // Stopped: the port still takes connections, and nothing is answered.
    signal_gateway(second.pid.unwrap(), Signal::STOP);
    let hung = lifeguard.wait(HUNG_LIMIT, "hung", |gateway| gateway.verdict == Verdict::Hung);
    assert_eq!(hung.pid, second.pid);
    let third = wait_new(&lifeguard, &second);
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED]);
    assert!(watch.log().contains("killing it"), "SIGTERM cannot end a stopped process");
    assert_eq!(third.crashes, 2);

    // Lifeguard dies: the gateway lives on, and is adopted.
    lifeguard.wait_receipts();
    lifeguard.crash();
    let lifeguard = watch.start();
    let adopted = lifeguard.wait_healthy(SOON);
    assert_eq!((adopted.pid, adopted.crashes, watch.heals()), (third.pid, 2, 3));

    // Lifeguard dies in the middle of an outage: the next one goes on where it was.
    signal_gateway(third.pid.unwrap(), Signal::KILL);
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED, DOWN]);
    lifeguard.wait_receipts();
    lifeguard.crash();
    let lifeguard = watch.start();
    let fourth = wait_new(&lifeguard, &third);
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED, DOWN, RECOVERED]);
    assert_eq!(fourth.last_incident.unwrap().verdict, Verdict::CrashLoop, "the third end within half an hour");

    // Restarted as asked: in order, and no incident.
    let output = watch.run(&["restart"]);
    assert!(output.status.success(), "{output:?}\n{}", watch.log());
    let fifth = lifeguard.wait_healthy(START_LIMIT);
    assert!(fifth.pid.is_some() && fifth.pid != fourth.pid);
    assert!(watch.gateway_log().contains("SIGTERM"), "the gateway was asked to stop");
    assert!(!newest_heal(&watch.log()).contains("killing it"), "and was not killed");
    assert_eq!(fifth.crashes, 0, "what a person asks for clears the counter");
    assert_eq!(watch.headlines().len(), 6, "{:?}", watch.headlines());
}

/// The lines of a log since the newest heal began.
fn newest_heal(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take_while(|line| !line.contains("heal begins")).collect();
    lines.join("\n")
}

#[test]
fn a_gateway_that_was_started_by_hand_is_told_of_and_started_only_when_asked() {
    let home = real_gateway::home();
    let mut by_hand = home.start_ready();
    let watch = Watch::new(&home, "attached", SHORT_WAITS);
    let lifeguard = watch.start();
    let first = lifeguard.wait_healthy(SOON);
    assert_eq!((first.pid, first.service.as_str()), (Some(by_hand.pid()), "attached"));

    by_hand.signal(Signal::KILL);
    by_hand.wait_ended(SOON);
    let blocked = lifeguard.wait_health(SOON, Health::Blocked);
    assert_eq!((blocked.verdict, blocked.next_attempt), (Verdict::Gone, None));
    watch.wait_told(SOON, &[DOWN]);
    let checked = blocked.checked;
    lifeguard.wait(SOON, "another look", |gateway| gateway.checked > checked);
    assert_eq!(watch.heals(), 0);

    let output = watch.run(&["restart"]);
    assert!(output.status.success(), "{output:?}\n{}", watch.log());
    lifeguard.wait_healthy(START_LIMIT);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert!(wait_until(SOON, || lifeguard.gateway().pid.is_some_and(|pid| pid != by_hand.pid())));
}
