//! The config guard, end to end: what was good comes back when asked for, or by itself where that is allowed.
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
use std::path::PathBuf;

use gateway::{GatewayHome, wait_until};
use lifeguard::supervisor::configuration::Alteration;
use lifeguard::supervisor::verdict::Verdict;
use lifeguard_process::{DOWN, Lifeguard, QUICK, RECOVERED, SOON, Watch, signal_gateway};
use rustix::process::Signal;

/// A headline.
const CHANGED: &str = "OpenClaw gateway: its configuration was changed";

/// A configuration that no gateway starts with, with a secret in it.
const BROKEN: &str = "{\n  \"gateway\": {\"auth\": {\"token\": \"hunter2-hunter2\"}, oops";

fn run(watch: &Watch<'_>, words: &[&str]) -> (Option<i32>, String) {
    let output = watch.run(&[&["config-guard"], words].concat());
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Waits until a copy of the configuration is kept.
fn wait_kept(watch: &Watch<'_>, lifeguard: &Lifeguard<'_>) {
    lifeguard.wait_healthy(SOON);
    assert!(wait_until(SOON, || run(watch, &[]).0 == Some(0)), "{}", watch.log());
}

/// The person's edits that are kept beside the configuration.
fn rejected(home: &GatewayHome) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.state_dir()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_str().unwrap().contains("openclaw.json.rejected-")).collect()
}

#[test]
fn a_bad_edit_is_told_with_its_place_and_rolled_back_by_a_command() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let good = fs::read_to_string(home.config_path()).unwrap();
    assert_eq!(run(&watch, &[]).0, Some(1), "nothing is kept yet");
    wait_kept(&watch, &lifeguard);
    // The running Lifeguard's own picture follows with its next round.
    assert!(wait_until(SOON, || run(&watch, &["roll-back"]).1.contains("nothing to put back")), "{}", watch.log());

    fs::write(home.config_path(), BROKEN).unwrap();
    let before = lifeguard.wait(SOON, "a change", |gateway| gateway.config_change.is_some());
    let broken = before.config_change.unwrap().alteration;
    assert!(matches!(broken, Alteration::Broken { line: 2, .. }), "{broken:?}");
    let (code, said) = run(&watch, &["diff"]);
    assert!(code == Some(0) && said.contains("no JSON any more (line 2"), "{said}");
    signal_gateway(before.pid.unwrap(), Signal::KILL);
    lifeguard.wait(SOON, "a refusal", |gateway| gateway.verdict == Verdict::Refuses);
    watch.wait_told(SOON, &[DOWN, CHANGED]);
    let text = watch.seen().messages[1]["embeds"][0]["description"].to_string();
    assert!(text.contains("line 2") && text.contains("config-guard roll-back"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");

    let (code, said) = run(&watch, &["roll-back"]);
    assert!(code == Some(0) && said.contains("A new generation answers ready."), "{said}");
    lifeguard.wait_healthy(SOON);
    watch.wait_told(SOON, &[DOWN, CHANGED, RECOVERED]);
    assert_eq!(fs::read_to_string(home.config_path()).unwrap(), good);
    let [kept] = &rejected(&home)[..] else { panic!("{:?}", rejected(&home)) };
    assert_eq!(fs::read_to_string(kept).unwrap(), BROKEN);
    assert_eq!(lifeguard.gateway().config_change, None);
}

#[test]
fn a_bad_edit_is_rolled_back_by_itself_where_that_is_allowed() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let watch = Watch::new(&home, "child", &format!("{QUICK}config_guard = \"rollback\"\n"));
    let lifeguard = watch.start();
    let good = fs::read_to_string(home.config_path()).unwrap();
    wait_kept(&watch, &lifeguard);
    fs::write(home.config_path(), BROKEN).unwrap();
    let before = lifeguard.wait(SOON, "a change", |gateway| gateway.config_change.is_some());
    signal_gateway(before.pid.unwrap(), Signal::KILL);
    watch.wait_told(SOON, &[DOWN, CHANGED, RECOVERED]);
    let last = lifeguard.wait_healthy(SOON);
    assert_eq!((fs::read_to_string(home.config_path()).unwrap(), rejected(&home).len()), (good, 1));
    assert!(last.config_change.is_none() && last.pid != before.pid);
    let text = watch.seen().messages[2]["embeds"][0]["description"].to_string();
    assert!(text.contains("what helped: putting the last good configuration back"), "{text}");
    let report = fs::read_to_string(last.evidence.unwrap().join("report.json")).unwrap();
    assert!(report.contains("\"changed_since_good\": true"), "{report}");
}

#[test]
fn beneath_a_healthy_gateway_only_the_file_is_put_back() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    let good = fs::read_to_string(home.config_path()).unwrap();
    wait_kept(&watch, &lifeguard);
    fs::write(home.config_path(), BROKEN).unwrap();
    let before = lifeguard.wait(SOON, "a change", |gateway| gateway.config_change.is_some());
    let (code, said) = run(&watch, &["roll-back"]);
    assert!(code == Some(0) && said.contains("nothing had to be restarted"), "{said}");
    let after = lifeguard.wait_healthy(SOON);
    assert_eq!((after.pid, fs::read_to_string(home.config_path()).unwrap()), (before.pid, good));
}
