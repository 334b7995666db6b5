//! A gateway that Lifeguard owns, and one that somebody started by hand: real processes, started, stopped, killed.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/processes.rs"]
mod processes;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lifeguard::platform::process::{
    Signal, environment, identify, is_running, key_of_own_child, own_uid, signal, tree, working_dir,
};
use lifeguard::service::{GatewaySetup, Kind, Service, ServiceError, discover};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::observation::{Exit, Identity, ServiceState};
use processes::{Guard, LIMIT, guard, heal, identity, key, setup, until, until_running};
use tokio::time::timeout;

fn child(folder: &tempfile::TempDir, command: &[&str]) -> Service {
    Service::new(setup(folder.path(), command), Kind::Child)
}

async fn started(service: &Service) -> (Identity, Guard) {
    service.perform(&heal(Rung::Start, None), || ()).await.unwrap();
    let report = service.observe().await;
    assert_eq!(report.state, ServiceState::Unmanaged);
    let process = report.process.unwrap();
    let guard = guard(&process);
    (process, guard)
}

fn variable(identity: &Identity, name: &str) -> Option<String> {
    environment(key(identity)).unwrap().into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

#[tokio::test]
async fn it_starts_in_a_session_of_its_own_with_a_private_log() {
    let folder = tempfile::tempdir().unwrap();
    let service = child(&folder, &["tail", "-v", "-f", "/dev/null"]);
    let (process, _guard) = started(&service).await;
    until_running(&process, "tail").await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid).unwrap());
    assert_eq!(rustix::process::getsid(pid).ok(), pid);
    assert_eq!(variable(&process, "OPENCLAW_SUPERVISOR_MODE").as_deref(), Some("external"));
    assert_eq!(working_dir(key(&process)).unwrap(), folder.path().canonicalize().unwrap());
    let log = service.log_path().unwrap();
    until("the log", || std::fs::read_to_string(&log).is_ok_and(|text| text.contains("/dev/null"))).await;
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    // Nothing to start: the same process stays.
    service.perform(&heal(Rung::Start, None), || ()).await.unwrap();
    assert_eq!(service.observe().await.process, Some(process));
}

#[tokio::test]
async fn the_end_of_an_own_child_is_known_exactly_and_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let service = child(&folder, &["timeout", "--foreground", "0.2", "sleep", "600"]);
    let (process, _guard) = started(&service).await;
    let exit = timeout(LIMIT, service.wait_exit(&process)).await.unwrap();
    assert_eq!(exit, Exit { code: Some(124), signal: None });
    assert_eq!(service.observe().await.process, None);

    let service = child(&folder, &["sleep", "600"]);
    let mut best = LIMIT;
    for _ in 0..5 {
        let (process, _guard) = started(&service).await;
        let began = Instant::now();
        signal(key(&process), Signal::Kill).unwrap();
        let exit = timeout(LIMIT, service.wait_exit(&process)).await.unwrap();
        best = best.min(began.elapsed());
        assert_eq!(exit, Exit { code: None, signal: Some(9) });
        // And again for whoever asks late.
        assert_eq!(service.wait_exit(&process).await, exit);
    }
    // The best of five: a busy machine may delay each of them.
    println!("SIGKILL of an own child to the exit's report, best of 5: {best:?}");
    assert!(best < Duration::from_millis(20), "{best:?}");
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_killed_only_with_leave() {
    let folder = tempfile::tempdir().unwrap();
    let service = child(&folder, &["env", "--ignore-signal=TERM", "sleep", "600"]);
    let (process, _guard) = started(&service).await;
    until_running(&process, "sleep").await;
    let kills = AtomicUsize::new(0);
    let count = || {
        kills.fetch_add(1, Ordering::SeqCst);
    };

    let mut heal = heal(Rung::Restart, Some(&process));
    let refused = service.perform(&heal, count).await;
    assert!(matches!(refused, Err(ServiceError::DidNotStop { pid, .. }) if pid == process.pid), "{refused:?}");
    assert!(is_running(key(&process)));
    assert_eq!(kills.load(Ordering::SeqCst), 0);

    heal.may_kill = true;
    service.perform(&heal, count).await.unwrap();
    assert!(!is_running(key(&process)));
    assert_eq!(kills.load(Ordering::SeqCst), 1);
    let next = service.observe().await.process.unwrap();
    let _next_guard = guard(&next);
    assert!(!next.is_same(&process));
}

#[tokio::test]
async fn a_frozen_process_is_killed_and_its_orphans_are_cleaned_up() {
    let folder = tempfile::tempdir().unwrap();
    let service = child(&folder, &["timeout", "--foreground", "600", "sleep", "601"]);
    let (process, _guard) = started(&service).await;
    until("its child", || !tree(key(&process)).is_empty()).await;
    let orphan = tree(key(&process))[0];
    let _orphan_guard = Guard(orphan);
    let mut stranger = Command::new("sleep").arg("603").spawn().unwrap();
    let stranger_guard = Guard(key_of_own_child(stranger.id()).unwrap());

    let pid = rustix::process::Pid::from_raw(i32::try_from(process.pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let mut heal = heal(Rung::Restart, Some(&process));
    heal.may_kill = true;
    service.perform(&heal, || ()).await.unwrap();

    assert!(!is_running(key(&process)));
    assert!(!is_running(orphan));
    assert!(is_running(stranger_guard.0));
    let next = service.observe().await.process.unwrap();
    let _next_guard = guard(&next);
    until("the next one's child", || !tree(key(&next)).is_empty()).await;
    let _next_child_guard = Guard(tree(key(&next))[0]);
    drop(stranger_guard);
    stranger.wait().unwrap();
}

#[tokio::test]
async fn nothing_is_signalled_without_the_right_target() {
    let folder = tempfile::tempdir().unwrap();
    let service = child(&folder, &["sleep", "600"]);
    let (process, _guard) = started(&service).await;
    let recycled = Identity { started: process.started + 1, ..process.clone() };
    for target in [None, Some(&recycled)] {
        let refused = service.perform(&heal(Rung::Restart, target), || ()).await;
        assert!(matches!(refused, Err(ServiceError::ProcessChanged { now }) if now == process.pid), "{refused:?}");
        assert!(is_running(key(&process)));
    }
}

#[tokio::test]
async fn a_dead_process_is_replaced_by_any_rung() {
    let folder = tempfile::tempdir().unwrap();
    let service = child(&folder, &["sleep", "600"]);
    let (process, _guard) = started(&service).await;
    signal(key(&process), Signal::Kill).unwrap();
    timeout(LIMIT, service.wait_exit(&process)).await.unwrap();
    for rung in [Rung::Start, Rung::Graceful, Rung::Restart] {
        service.perform(&heal(rung, Some(&process)), || ()).await.unwrap();
        let next = service.observe().await.process.unwrap();
        assert!(!next.is_same(&process));
        drop(guard(&next));
        timeout(LIMIT, service.wait_exit(&next)).await.unwrap();
    }
}

#[tokio::test]
async fn a_command_that_cannot_run_says_so_and_an_unwritable_log_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let missing = child(&folder, &["/nowhere/openclaw"]).perform(&heal(Rung::Start, None), || ()).await;
    assert!(missing.unwrap_err().to_string().contains("/nowhere/openclaw"));
    let unknown = child(&folder, &[]).perform(&heal(Rung::Start, None), || ()).await;
    assert!(matches!(unknown, Err(ServiceError::NoCommand)));

    let mut setup = setup(folder.path(), &["sleep", "600"]);
    setup.log_path = "/dev/null/gateway.log".into();
    started(&Service::new(setup, Kind::Child)).await;
}

/// The part of the next test that dies. It only does anything when the next test runs this program anew.
#[tokio::test]
async fn a_lifeguard_that_dies() {
    let Some(folder) = std::env::var_os("LIFEGUARD_TEST_FOLDER") else { return };
    let folder = std::path::Path::new(&folder);
    let service = Service::new(setup(folder, &["sleep", "600"]), Kind::Child);
    service.perform(&heal(Rung::Start, None), || ()).await.unwrap();
    let process = service.observe().await.process.unwrap();
    std::fs::write(folder.join("identity.new"), serde_json::to_vec(&process).unwrap()).unwrap();
    std::fs::rename(folder.join("identity.new"), folder.join("identity")).unwrap();
    tokio::time::sleep(LIMIT).await;
}

#[tokio::test]
async fn the_gateway_lives_on_when_lifeguard_is_killed_and_is_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let mut lifeguard = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_lifeguard_that_dies"])
        .env("LIFEGUARD_TEST_FOLDER", folder.path())
        .env("NODE_OPTIONS", "--inspect")
        .env("INVOCATION_ID", "0")
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let file = folder.path().join("identity");
    until("the gateway", || file.exists()).await;
    let process: Identity = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let _guard = guard(&process);
    let group = rustix::process::Pid::from_raw(i32::try_from(lifeguard.id()).unwrap()).unwrap();
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    lifeguard.wait().unwrap();

    until_running(&process, "sleep").await;
    assert_eq!(variable(&process, "NODE_OPTIONS"), None);
    assert_eq!(variable(&process, "INVOCATION_ID"), None);

    let service = child(&folder, &["sleep", "600"]);
    let recycled = Identity { started: process.started + 1, ..process.clone() };
    assert!(!service.adopt(&recycled).await);
    assert!(service.adopt(&process).await);
    assert_eq!(service.observe().await.process.as_ref(), Some(&process));
    let mut known = setup(folder.path(), &["sleep", "600"]);
    known.started_before = Some(process.clone());
    assert_eq!(discover(&known).await, Kind::Child);

    let exit = async { timeout(LIMIT, service.wait_exit(&process)).await.unwrap() };
    let restart = heal(Rung::Graceful, Some(&process));
    let (exit, restarted) = tokio::join!(exit, service.perform(&restart, || ()));
    restarted.unwrap();
    assert_eq!(exit, Exit::default());
    let next = service.observe().await.process.unwrap();
    let _next_guard = guard(&next);
    assert!(!next.is_same(&process));
}

/// A process with the gateway's title, and the lock file that names it.
fn by_hand(setup: &GatewaySetup) -> (std::process::Child, Identity) {
    let path = format!("{}:{}", setup.home.join("bin").display(), std::env::var("PATH").unwrap());
    let process = Command::new("cat")
        .arg0("openclaw-gateway")
        .env("PATH", path)
        .env("OPENCLAW_PROFILE", "by-hand")
        .current_dir("/usr")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let info = identify(process.id()).unwrap();
    write_lock(setup, info.key.pid, info.key.started);
    let identity = identity(&info);
    (process, identity)
}

fn write_lock(setup: &GatewaySetup, pid: u32, started: u64) {
    let folder = setup.state_dir.join("tmp").join(format!("openclaw-{}", own_uid()));
    std::fs::create_dir_all(&folder).unwrap();
    let lock = format!("{{\"pid\":{pid},\"port\":{},\"startTime\":{started}}}\n\t\t   ", setup.port);
    std::fs::write(folder.join("gateway.state.lock"), lock).unwrap();
}

#[tokio::test]
async fn a_gateway_started_by_hand_is_found_and_restarted_with_its_own_surroundings() {
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(folder.path(), &["sleep", "600"]);
    assert_eq!(discover(&setup).await, Kind::Child);
    let (mut by_hand, process) = by_hand(&setup);
    let _guard = guard(&process);
    until_running(&process, "openclaw-gateway").await;
    assert_eq!(discover(&setup).await, Kind::Attached);

    let service = Service::new(setup.clone(), Kind::Attached);
    let found = service.observe().await.process.unwrap();
    assert!(found.is_same(&process));
    let reaper = std::thread::spawn(move || by_hand.wait());
    service.perform(&heal(Rung::Graceful, Some(&found)), || ()).await.unwrap();
    reaper.join().unwrap().unwrap();
    let next = service.observe().await.process.unwrap();
    let _next_guard = guard(&next);
    until_running(&next, "sleep").await;
    assert_eq!(variable(&next, "OPENCLAW_PROFILE").as_deref(), Some("by-hand"));
    assert_eq!(variable(&next, "OPENCLAW_SUPERVISOR_MODE"), None);
    assert_eq!(working_dir(key(&next)).unwrap(), std::path::Path::new("/usr").canonicalize().unwrap());
}

#[tokio::test]
async fn where_no_command_is_known_the_path_of_whoever_started_it_leads_to_openclaw() {
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(folder.path(), &[]);
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let openclaw = folder.path().join("bin/openclaw");
    std::fs::write(&openclaw, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&openclaw, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (mut by_hand, process) = by_hand(&setup);
    let _guard = guard(&process);
    until_running(&process, "openclaw-gateway").await;

    let service = Service::new(setup, Kind::Attached);
    assert!(service.observe().await.process.unwrap().is_same(&process));
    let reaper = std::thread::spawn(move || by_hand.wait());
    service.perform(&heal(Rung::Restart, Some(&process)), || ()).await.unwrap();
    reaper.join().unwrap().unwrap();
    let next = service.observe().await.process.unwrap();
    let _next_guard = guard(&next);
    until_running(&next, "sleep").await;
}

#[tokio::test]
async fn a_stale_lock_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut setup = setup(folder.path(), &[]);
    let (mut by_hand, process) = by_hand(&setup);
    let guard = guard(&process);
    until_running(&process, "openclaw-gateway").await;
    assert_eq!(discover(&setup).await, Kind::Attached);

    write_lock(&setup, process.pid, process.started - 1);
    assert_eq!(discover(&setup).await, Kind::NotInstalled);
    // A process that is no gateway.
    let me = identify(std::process::id()).unwrap().key;
    write_lock(&setup, me.pid, me.started);
    assert_eq!(discover(&setup).await, Kind::NotInstalled);
    // A gateway on another port.
    write_lock(&setup, process.pid, process.started);
    setup.port = 2;
    assert_eq!(discover(&setup).await, Kind::NotInstalled);
    drop(guard);
    by_hand.wait().unwrap();
}
