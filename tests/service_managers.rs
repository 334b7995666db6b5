//! The gateway under systemd: real processes, and an imitation of `systemctl`.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/processes.rs"]
mod processes;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lifeguard::platform::process::{identify, is_running};
use lifeguard::service::{Kind, Service, ServiceError};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::observation::{Identity, ServiceState};
use processes::{Guard, guard, heal, identity, key, setup};
use tempfile::TempDir;

fn manager(kind: Kind) -> (TempDir, Service) {
    let folder = tempfile::tempdir().unwrap();
    let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support");
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
