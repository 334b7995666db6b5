//! The gateway under systemd and launchd: real processes, and imitations of `systemctl` and `launchctl`.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/processes.rs"]
mod processes;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lifeguard::platform::process::{identify, is_running, own_uid};
use lifeguard::service::{Kind, Service, ServiceError};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::observation::{Identity, ServiceState};
use processes::{Guard, LIMIT, guard, heal, identity, key, setup, until};
use tempfile::TempDir;

fn manager(kind: Kind) -> (TempDir, Service) {
    let folder = tempfile::tempdir().unwrap();
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
    symlink(support.join("imitation_launchctl.sh"), folder.path().join("launchctl")).unwrap();
    symlink(support.join("imitation_systemctl.sh"), folder.path().join("systemctl")).unwrap();
    let service = Service::new(setup(folder.path(), &[]), kind);
    (folder, service)
}

fn put(folder: &TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    // By rename, so that nobody reads half of it.
    std::fs::write(path.with_extension("part"), text).unwrap();
    std::fs::rename(path.with_extension("part"), path).unwrap();
}

fn calls(folder: &TempDir) -> Vec<String> {
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    calls.lines().map(ToOwned::to_owned).collect()
}

fn verbs(folder: &TempDir) -> Vec<String> {
    calls(folder).iter().filter_map(|call| call.split(' ').next().map(ToOwned::to_owned)).collect()
}

/// A process whose end is awaited by a thread, as a service manager does.
fn managed() -> (Identity, Guard) {
    let mut child = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    let process = identity(&identify(child.id()).unwrap());
    std::thread::spawn(move || child.wait());
    let guard = guard(&process);
    (process, guard)
}

fn unit(active: &str, sub: &str, pid: u32) -> String {
    format!(
        "LoadState=loaded\nActiveState={active}\nSubState={sub}\nMainPID={pid}\nResult=success\nExecMainStatus=0\nUnitFileState=enabled\n"
    )
}

fn target() -> String {
    format!("gui/{}/ai.openclaw.gateway", own_uid())
}

fn job(state: &str, pid: Option<u32>) -> String {
    let pid = pid.map(|pid| format!("\tpid = {pid}\n")).unwrap_or_default();
    format!(
        "{} = {{\n\tstate = {state}\n\tminimum runtime = 1\n{pid}\tproperties = keepalive | runatload\n}}\n",
        target()
    )
}

const PLIST: &str = "Library/LaunchAgents/ai.openclaw.gateway.plist";

#[tokio::test]
async fn systemd_is_read() {
    let (folder, service) = manager(Kind::Systemd);
    let report = service.observe().await;
    assert!(matches!(&report.state, ServiceState::Unknown(why) if why.contains("connect to bus")), "{report:?}");
    let (process, _guard) = managed();
    put(&folder, "show", &unit("active", "running", process.pid));
    let report = service.observe().await;
    assert_eq!(report.state, ServiceState::Running);
    assert!(report.process.unwrap().is_same(&process));
}

#[tokio::test]
async fn a_systemd_that_hangs_is_unknown_in_time() {
    let (folder, service) = manager(Kind::Systemd);
    put(&folder, "hang", "");
    let began = Instant::now();
    let report = service.observe().await;
    assert!(matches!(report.state, ServiceState::Unknown(_)));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_machine_without_systemctl_is_unknown_and_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::new(setup(folder.path(), &[]), Kind::Systemd);
    assert!(matches!(service.observe().await.state, ServiceState::Unknown(_)));
}

#[tokio::test]
async fn a_restart_under_systemd_stops_the_confirmed_process_and_starts_the_unit() {
    let (folder, service) = manager(Kind::Systemd);
    let (process, _guard) = managed();
    put(&folder, "show", &unit("active", "running", process.pid));
    let stranger = Identity { started: process.started + 1, ..process.clone() };
    let refused = service.perform(&heal(Rung::Restart, Some(&stranger)), || ()).await;
    assert!(matches!(refused, Err(ServiceError::ProcessChanged { .. })), "{refused:?}");
    assert!(is_running(key(&process)));

    service.perform(&heal(Rung::Restart, Some(&process)), || ()).await.unwrap();
    assert!(!is_running(key(&process)));
    let unit = "openclaw-gateway.service";
    assert_eq!(calls(&folder)[2..], [format!("reset-failed -- {unit}"), format!("start -- {unit}")]);

    put(&folder, "start.code", "1");
    let refused = service.perform(&heal(Rung::Start, None), || ()).await.unwrap_err();
    assert!(refused.to_string().contains("Job for the unit failed."), "{refused}");
}

#[tokio::test]
async fn launchd_is_read() {
    let (folder, service) = manager(Kind::Launchd);
    assert_eq!(service.observe().await.state, ServiceState::NotInstalled);
    put(
        &folder,
        PLIST,
        "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>StandardOutPath</key><string>/var/log/g.log</string></dict></plist>",
    );
    assert_eq!(service.log_path().unwrap(), Path::new("/var/log/g.log"));
    put(&folder, "disabled", "\tdisabled services = {\n\t\t\"ai.openclaw.gateway\" => enabled\n\t}\n");
    assert_eq!(service.observe().await.state, ServiceState::NotLoaded);
    put(&folder, "disabled", "\tdisabled services = {\n\t\t\"ai.openclaw.gateway\" => disabled\n\t}\n");
    assert_eq!(service.observe().await.state, ServiceState::Disabled);

    let (process, _guard) = managed();
    put(&folder, "print", &job("running", Some(process.pid)));
    let report = service.observe().await;
    assert_eq!(report.state, ServiceState::Running);
    assert!(report.process.unwrap().is_same(&process));
    put(&folder, "print", "Could not find domain for\n");
    put(&folder, "print.code", "112");
    assert!(matches!(service.observe().await.state, ServiceState::Unknown(_)));
}

#[tokio::test]
async fn an_unloaded_agent_is_switched_on_loaded_and_started() {
    let (folder, service) = manager(Kind::Launchd);
    let refused = service.perform(&heal(Rung::Start, None), || ()).await.unwrap_err();
    assert!(refused.to_string().contains("openclaw gateway install"), "{refused}");

    put(&folder, PLIST, "");
    let (process, _guard) = managed();
    put(&folder, "next", &job("running", Some(process.pid)));
    // The catch-all code of a job that is loaded all the same.
    put(&folder, "bootstrap.code", "5");
    service.perform(&heal(Rung::Start, None), || ()).await.unwrap();
    assert_eq!(verbs(&folder), ["print", "print", "enable", "bootstrap", "print", "kickstart"]);
    assert!(calls(&folder).contains(&format!("kickstart {}", target())));
}

#[tokio::test]
async fn a_start_that_launchd_holds_back_gets_a_plain_kickstart() {
    let (folder, service) = manager(Kind::Launchd);
    put(&folder, PLIST, "");
    put(&folder, "print", &job("not running", None));
    assert!(matches!(service.observe().await.state, ServiceState::Failed(_)));
    let (process, _guard) = managed();
    put(&folder, "next", &job("running", Some(process.pid)));
    service.perform(&heal(Rung::Start, None), || ()).await.unwrap();
    let calls = calls(&folder);
    assert!(calls.contains(&format!("kickstart {}", target())), "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("-k") || call.contains("load") || call.contains("bootout")));
}

#[tokio::test]
async fn a_restart_under_launchd_signals_the_confirmed_process_and_waits_for_its_successor() {
    let (folder, service) = manager(Kind::Launchd);
    let (process, _guard) = managed();
    put(&folder, "print", &job("running", Some(process.pid)));
    let refused = service.perform(&heal(Rung::Restart, None), || ()).await;
    assert!(matches!(refused, Err(ServiceError::ProcessChanged { .. })), "{refused:?}");
    assert!(is_running(key(&process)));

    let (successor, _successor_guard) = managed();
    let keep_alive = async {
        until("the end of the process", || !is_running(key(&process))).await;
        put(&folder, "print", &job("running", Some(successor.pid)));
    };
    let restart = heal(Rung::Graceful, Some(&process));
    let (restarted, ()) = tokio::join!(service.perform(&restart, || ()), keep_alive);
    restarted.unwrap();
    assert!(is_running(key(&successor)));
    assert!(calls(&folder).iter().all(|call| call.starts_with("print ")), "{:?}", calls(&folder));
}

#[tokio::test]
async fn an_agent_that_launchd_lost_track_of_is_loaded_anew() {
    let (folder, service) = manager(Kind::Launchd);
    put(&folder, PLIST, "");
    put(&folder, "print", &job("not running", None));
    let (process, _guard) = managed();
    put(&folder, "after-bootout", &job("running", Some(process.pid)));
    tokio::time::timeout(LIMIT * 2, service.perform(&heal(Rung::Start, None), || ())).await.unwrap().unwrap();
    let verbs: Vec<String> = verbs(&folder).into_iter().filter(|verb| verb != "print").collect();
    assert_eq!(verbs, ["kickstart", "bootout", "enable", "bootstrap", "kickstart"]);
    assert_eq!(service.observe().await.state, ServiceState::Running);
}

/// The original matched labels by their beginning, and signalled the gateway of a sibling profile.
#[tokio::test]
async fn label_prefix() {
    let (folder, service) = manager(Kind::Launchd);
    put(&folder, PLIST, "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict></dict></plist>");
    let (sibling, _guard) = managed();
    let answer = job("running", Some(sibling.pid)).replace(&target(), &format!("{}.work", target()));
    put(&folder, "print", &answer);
    put(&folder, "disabled", "\tdisabled services = {\n\t\t\"ai.openclaw.gateway.work\" => disabled\n\t}\n");
    let report = service.observe().await;
    assert!(report.process.is_none() && report.state != ServiceState::Running, "{report:?}");
    assert_ne!(report.state, ServiceState::Disabled);
    let refused = service.perform(&heal(Rung::Restart, None), || ()).await;
    assert!(refused.is_err() && is_running(key(&sibling)), "{refused:?}");
}
