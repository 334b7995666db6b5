//! The higher rungs, end to end: the user's own command, and OpenClaw's doctor.
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
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gateway::{GatewayHome, wait_until};
use lifeguard::drill::faults::crash_at_starts;
use lifeguard_process::{DOWN, Lifeguard, QUICK, RECOVERED, SOON, Watch, signal_gateway};
use rustix::process::Signal;

/// The file by which the practice gateway knows that it is to fail at its starts; without it, it is mended.
const FAULT: &str = "practice-start-crashes.json";

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

/// From now on each start fails, and so does the gateway that runs.
fn break_it(home: &GatewayHome, lifeguard: &Lifeguard<'_>) {
    let pid = lifeguard.wait_healthy(SOON).pid.unwrap();
    crash_at_starts(&home.state_dir(), 1_000, 1).unwrap();
    signal_gateway(pid, Signal::KILL);
}

/// How the last incident was ended, as Discord was told.
fn what_helped(watch: &Watch<'_>) -> String {
    watch.seen().messages.last().unwrap()["embeds"][0]["description"].to_string()
}

#[test]
fn the_users_own_command_is_told_of_the_incident_and_what_it_mends_is_started() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let (hook, told) = (home.path().join("mend"), home.path().join("told.txt"));
    script(&hook, &format!("env | sort > {}; echo \"$@\" >> {0}; rm \"$OPENCLAW_STATE_DIR/{FAULT}\"", told.display()));
    let settings = format!("{QUICK}hook = [{:?}, \"--now\", \"a b\"]\n", hook.display().to_string());
    let watch = Watch::new(&home, "child", &settings);
    let lifeguard = watch.start();
    break_it(&home, &lifeguard);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert!(what_helped(&watch).contains("your own command"), "{}", what_helped(&watch));
    let told = fs::read_to_string(told).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    let address = format!("LIFEGUARD_ADDRESS=127.0.0.1:{}", home.port);
    for line in ["LIFEGUARD_GATEWAY=gateway", "LIFEGUARD_INCIDENT=1", &address, "--now a b"] {
        assert!(lines.contains(&line), "{line} is not in {told}");
    }
    for name in ["LIFEGUARD_VERDICT=", "LIFEGUARD_SUMMARY=", "LIFEGUARD_ATTEMPT=", "LIFEGUARD_EVIDENCE="] {
        assert!(lines.iter().any(|line| line.starts_with(name) && line.len() > name.len()), "{name} is not in {told}");
    }
    lifeguard.wait_healthy(SOON);
}

#[test]
fn a_command_that_fails_or_hangs_is_an_attempt_that_failed_and_no_more() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let hook = home.path().join("mend");
    script(&hook, "echo 'no token=abcdefghijkl here' >&2; exit 3");
    let settings = |hook: &Path| format!("{QUICK}hook = [{:?}]\nhook_timeout = \"1s\"\n", hook.display().to_string());
    let watch = Watch::new(&home, "child", &settings(&hook));
    let lifeguard = watch.start();
    break_it(&home, &lifeguard);
    let said = "ended with exit code 3: no token=[hidden] here";
    assert!(wait_until(SOON, || watch.log().contains(said)), "{}", watch.log());
    let heals = watch.heals();
    assert!(wait_until(SOON, || watch.heals() > heals), "{}", watch.log());
    assert!(!watch.log().contains("abcdefghijkl"));

    script(&hook, "exec sleep 1000");
    fs::remove_file(home.state_dir().join(FAULT)).unwrap();
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert!(watch.run(&["reset"]).status.success());
    break_it(&home, &lifeguard);
    assert!(wait_until(SOON, || watch.log().contains("did not end within 1 s")), "{}", watch.log());
    fs::remove_file(home.state_dir().join(FAULT)).unwrap();
    watch.wait_told(SOON, &[DOWN, RECOVERED, DOWN, RECOVERED]);
}

/// A stand-in for `openclaw`, in a place where Lifeguard looks for it.
fn openclaw(home: &GatewayHome, doctor: &str) -> PathBuf {
    let calls = home.path().join("calls.txt");
    let text = format!(
        "case \"$*\" in\n'doctor --fix --non-interactive') echo \"$OPENCLAW_SERVICE_REPAIR_POLICY\" >> {}; {doctor} ;;\n\
         'config validate --json') exit 0 ;;\n*) exit 1 ;;\nesac",
        calls.display()
    );
    script(&home.path().join(".local/bin/openclaw"), &text);
    calls
}

#[test]
fn the_doctor_is_called_after_a_backup_and_the_gateway_started() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let mend = format!("rm \"$OPENCLAW_STATE_DIR/{FAULT}\"; echo '{{}}' > \"$OPENCLAW_STATE_DIR/mark.json\"");
    let calls = openclaw(&home, &mend);
    let watch = Watch::new(&home, "child", &format!("{QUICK}doctor = true\n"));
    let lifeguard = watch.start();
    break_it(&home, &lifeguard);
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    assert!(what_helped(&watch).contains("openclaw doctor"), "{}", what_helped(&watch));
    assert_eq!(fs::read_to_string(calls).unwrap(), "external\n", "once, and with its hands off the service");
    let backups = fs::read_dir(watch.state_dir().join("backups/gateway")).unwrap();
    let backups: Vec<PathBuf> = backups.map(|entry| entry.unwrap().path()).collect();
    let [backup] = &backups[..] else { panic!("{backups:?}") };
    assert!(backup.join("openclaw.json").exists() && backup.join("state/openclaw.json").exists());
    assert!(!backup.join("state/mark.json").exists(), "it was taken before");
}

#[test]
fn a_doctor_that_fails_leaves_the_gateway_started() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let calls = openclaw(&home, "echo 'cannot be repaired' >&2; exit 1");
    let watch = Watch::new(&home, "child", &format!("{QUICK}doctor = true\n"));
    let lifeguard = watch.start();
    break_it(&home, &lifeguard);
    assert!(
        wait_until(SOON, || watch.log().contains("cannot be repaired; the state as it was is in")),
        "{}",
        watch.log()
    );
    fs::remove_file(home.state_dir().join(FAULT)).unwrap();
    watch.wait_told(SOON, &[DOWN, RECOVERED]);
    lifeguard.wait_healthy(SOON);
    assert_eq!(fs::read_to_string(calls).unwrap(), "external\n", "once per incident");
}
