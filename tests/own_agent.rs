//! Lifeguard's own agent: launchd brings Lifeguard back when it dies, and leaves it when it has been ended.
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

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use gateway::wait_until;
use launchd::ImitationLaunchd;
use lifeguard::control::client::ControlClient;
use lifeguard::platform::desktop::own_agent::LABEL;
use lifeguard::service::Kind;
use lifeguard::service::keeper::Keeper;
use lifeguard_process::{QUICK, SOON, Watch};
use rustix::process::{Pid, Signal, kill_process};

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn lifeguard_comes_back_when_it_dies_and_stays_ended_when_it_was_ended() {
    let home = practice::home(&[]);
    let launchd = ImitationLaunchd::start(&home.path());
    let watch = Watch::new(&home, "child", QUICK);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let command = [practice::LIFEGUARD, "--config", watch.config_path().to_str().unwrap(), "watch"].map(str::to_owned);
    let environment = [("HOME", home.path()), ("LIFEGUARD_STATE_DIR", watch.state_dir())]
        .map(|(name, path)| (name.to_owned(), path.display().to_string()));
    let mut keeper = Keeper::new(command.to_vec(), environment.to_vec(), home.path().join("agent.log"));
    (keeper.kind, keeper.home, keeper.launchctl) = (Kind::Launchd, home.path(), launchd.launchctl());
    let answers = || {
        let client = ControlClient::new(&watch.state_dir().join("run/control.sock")).unwrap();
        runtime.block_on(client.snapshot()).is_ok()
    };

    runtime.block_on(keeper.install()).unwrap();
    let mode = fs::metadata(keeper.file()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o644, "launchd refuses a plist that others may write to");
    assert!(wait_until(SOON, answers), "{}", watch.log());
    let first = launchd.pid(LABEL).unwrap();
    // What is installed over itself is loaded anew.
    runtime.block_on(keeper.install()).unwrap();
    assert!(wait_until(SOON, || launchd.pid(LABEL).is_some_and(|pid| pid != first) && answers()), "{}", watch.log());

    let second = launchd.pid(LABEL).unwrap();
    signal(second, Signal::KILL);
    assert!(wait_until(SOON, || launchd.pid(LABEL).is_some_and(|pid| pid != second) && answers()), "{}", watch.log());

    signal(launchd.pid(LABEL).unwrap(), Signal::TERM);
    assert!(wait_until(SOON, || launchd.pid(LABEL).is_none()), "{}", watch.log());
    assert!(launchd.transcript().ends_with("ended: exit code 0"), "{}", launchd.transcript());

    assert!(runtime.block_on(keeper.uninstall()).unwrap());
    assert!(!keeper.file().exists());
    assert!(!runtime.block_on(keeper.uninstall()).unwrap(), "there is nothing left");
    let orders = launchd.transcript();
    let orders: Vec<&str> = orders.lines().filter(|line| !line.starts_with(' ')).collect();
    let (enable, bootout) = (format!("enable gui/UID/{LABEL}"), format!("bootout gui/UID/{LABEL}"));
    let bootstrap = format!("bootstrap gui/UID HOME/Library/LaunchAgents/{LABEL}.plist");
    assert_eq!(orders, [&*enable, &*bootstrap, &*bootout, &*enable, &*bootstrap, &*bootout]);
}

/// `lifeguard` in a home with an imitation of `systemctl`.
fn run(home: &Path, words: &[&str]) -> String {
    let output = std::process::Command::new(practice::LIFEGUARD)
        .args(words)
        .env_clear()
        .env("PATH", home.join("bin"))
        .env("HOME", home)
        .env("LIFEGUARD_STATE_DIR", home.join("state"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_unit_takes_the_place_of_the_login_item() {
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let imitation = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/imitation_systemctl.sh");
    symlink(imitation, bin.join("systemctl")).unwrap();
    for tool in ["dirname", "cat"] {
        let usual = ["/usr/bin", "/bin"].map(|folder| PathBuf::from(folder).join(tool));
        symlink(usual.iter().find(|path| path.exists()).unwrap(), bin.join(tool)).unwrap();
    }
    let login_item = home.path().join(".config/autostart/io.lifeguard.Lifeguard.desktop");
    let unit = home.path().join(".config/systemd/user/lifeguard.service");
    run(home.path(), &["login-item", "on"]);
    assert!(login_item.exists());

    let said = run(home.path(), &["install-agent"]);
    assert!(said.contains(unit.to_str().unwrap()), "{said}");
    assert!(unit.exists() && !login_item.exists());
    let text = fs::read_to_string(&unit).unwrap();
    assert!(text.contains("watch") && text.contains("Restart=on-failure"), "{text}");
    assert!(run(home.path(), &["login-item", "status"]).contains("own agent"));
    let refused = std::process::Command::new(practice::LIFEGUARD)
        .args(["login-item", "on"])
        .env("HOME", home.path())
        .env("LIFEGUARD_STATE_DIR", home.path().join("state"))
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("lifeguard uninstall-agent"), "{refused:?}");

    run(home.path(), &["uninstall-agent"]);
    assert!(!unit.exists());
    let calls = fs::read_to_string(bin.join("calls")).unwrap();
    let unit = "-- lifeguard.service";
    let expected = ["daemon-reload", "enable UNIT", "restart UNIT", "disable UNIT", "stop UNIT", "daemon-reload"];
    assert_eq!(calls.lines().collect::<Vec<_>>(), expected.map(|call| call.replace("UNIT", unit)));
}
