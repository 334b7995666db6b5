//! The whole program and a gateway that launchd runs, against an imitation of launchd: what each fault ends in, and
//! what launchd was asked for.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/launchd.rs"]
mod launchd;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use gateway::{GatewayHome, wait_until};
use insta::assert_snapshot;
use launchd::{ImitationLaunchd, LABEL};
use lifeguard::drill::faults::{Fault, crash_at_starts};
use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard_process::{DOWN, Lifeguard, QUICK, RECOVERED, SAFE_MODE, SOON, Watch};
use practice::fault;

/// A home with a launchd that runs its gateway.
fn home() -> (GatewayHome, ImitationLaunchd) {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let launchd = ImitationLaunchd::start(&home.path());
    launchd.install(LABEL, &home.command_with(&[("OPENCLAW_LAUNCHD_LABEL", LABEL)], &[]));
    launchd.load(LABEL);
    (home, launchd)
}

/// Waits until the gateway is healthy as another process of its job.
fn wait_anew(lifeguard: &Lifeguard<'_>, launchd: &ImitationLaunchd, old: Option<u32>) {
    let anew = lifeguard.wait(SOON, "a healthy gateway with another pid", |gateway| {
        gateway.health == Health::Healthy && gateway.pid.is_some() && gateway.pid != old
    });
    assert_eq!(anew.pid, launchd.pid(LABEL));
}

#[test]
fn a_crash_is_left_to_launchd() {
    let (home, launchd) = home();
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    assert_eq!(pid, launchd.pid(LABEL));
    fault(&home, &Fault::Crash { code: 1 });
    wait_anew(&lifeguard, &launchd, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_snapshot!(launchd.transcript());
    assert_eq!(watch.heals(), 0);
}

#[test]
fn a_hang_is_ended_and_launchd_brings_the_gateway_back() {
    let (home, launchd) = home();
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    fault(&home, &Fault::Hang);
    lifeguard.wait(SOON, "hung", |gateway| gateway.verdict == Verdict::Hung);
    wait_anew(&lifeguard, &launchd, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_snapshot!(launchd.transcript());
}

#[test]
fn an_unloaded_job_is_loaded_though_launchd_refuses_twice() {
    let (home, launchd) = home();
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    launchd.arrange(&["refuse", "bootstrap", "5", "2"]);
    launchd.person("bootout", LABEL);
    lifeguard.wait(SOON, "not loaded", |gateway| gateway.verdict == Verdict::ServiceNotLoaded);
    wait_anew(&lifeguard, &launchd, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_snapshot!(launchd.transcript());
    assert_eq!(watch.heals(), 1);
}

#[test]
fn a_job_that_is_switched_off_is_for_a_person_to_switch_on() {
    let (home, launchd) = home();
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    launchd.person("disable", LABEL);
    launchd.person("bootout", LABEL);
    let blocked = lifeguard.wait_health(SOON, Health::Blocked);
    assert_eq!(blocked.verdict, Verdict::ServiceDisabled);
    watch.wait_told(SOON, &[DOWN]);
    assert_eq!(watch.heals(), 0);
    let asked = watch.run(&["restart"]);
    assert!(asked.status.success(), "{asked:?}");
    wait_anew(&lifeguard, &launchd, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_snapshot!(launchd.transcript());
}

#[test]
fn a_start_that_launchd_holds_back_is_kicked_once() {
    let (home, launchd) = home();
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    launchd.arrange(&["hold-back", "inefficient"]);
    fault(&home, &Fault::OutOfMemory);
    lifeguard.wait(SOON, "not spawned", |gateway| matches!(gateway.verdict, Verdict::NotSpawned(_)));
    wait_anew(&lifeguard, &launchd, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_snapshot!(launchd.transcript());
}

#[test]
fn a_crash_loop_that_launchd_drives_is_told_and_never_kicked() {
    let (home, launchd) = home();
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    lifeguard.wait_healthy(SOON);
    crash_at_starts(&home.state_dir(), 1_000, 1).unwrap();
    fault(&home, &Fault::Crash { code: 1 });
    lifeguard.wait_health(SOON, Health::SafeMode);
    watch.wait_told(SOON, &[DOWN, SAFE_MODE]);
    assert!(wait_until(SOON, || launchd.transcript().contains(": run 8\n")), "{}", launchd.transcript());
    crash_at_starts(&home.state_dir(), 0, 1).unwrap();
    lifeguard.wait(SOON, "a gateway that launchd has brought back", |gateway| gateway.verdict == Verdict::Healthy);
    // How many runs there were is up to the clock; that nothing was ordered is not.
    let transcript = launchd.transcript();
    let orders = transcript.lines().filter(|line| !line.starts_with(' ') && !line.starts_with("a person"));
    assert_eq!(orders.collect::<Vec<_>>(), [""; 0]);
}

/// The original matched labels by their beginning, and signalled the gateway of a sibling profile.
#[test]
fn the_gateway_of_a_label_that_begins_alike_is_left_alone() {
    let (home, launchd) = home();
    let twin = format!("{LABEL}.work");
    // With this home, so that it ends with it.
    let sleeps = ["/usr/bin/env".to_owned(), format!("HOME={}", home.path().display()), "sleep".to_owned()];
    launchd.install(&twin, &[&sleeps[..], &["600".to_owned()]].concat());
    launchd.load(&twin);
    let sibling = launchd.pid(&twin);
    let watch = Watch::new(&home, "launchd", QUICK);
    let lifeguard = watch.start();
    let pid = lifeguard.wait_healthy(SOON).pid;
    launchd.person("disable", &twin);
    launchd.person("bootout", LABEL);
    wait_anew(&lifeguard, &launchd, pid);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert_snapshot!(launchd.transcript());
    assert!(sibling.is_some() && launchd.pid(&twin) == sibling);
}
