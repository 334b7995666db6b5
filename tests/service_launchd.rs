//! The launchd back end, against an imitation of launchd that really runs its jobs.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/launchd.rs"]
mod launchd;
#[path = "support/processes.rs"]
mod processes;

use std::fs;
use std::path::Path;
use std::time::Duration;

use launchd::{ImitationLaunchd, LABEL};
use lifeguard::platform::process::{identify, is_running};
use lifeguard::service::{Kind, Service, ServiceError};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::observation::{Identity, ServiceState};
use lifeguard::supervisor::policy::Manager;
use processes::{Guard, LIMIT, guard, heal, identity, key, setup, until};
use tempfile::TempDir;

/// A home with a launchd, and the service of the gateway in it.
struct World {
    guards: Vec<Guard>,
    launchd: ImitationLaunchd,
    service: Service,
    _home: TempDir,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let launchd = ImitationLaunchd::start(home.path());
        let mut setup = setup(home.path(), &[]);
        setup.launchctl = launchd.launchctl();
        Self { guards: Vec::new(), launchd, service: Service::new(setup, Kind::Launchd), _home: home }
    }

    fn installed() -> Self {
        let world = Self::new();
        world.launchd.install(LABEL, &["sleep".to_owned(), "600".to_owned()]);
        world
    }

    fn loaded() -> (Self, Identity) {
        let mut world = Self::installed();
        world.launchd.load(LABEL);
        let process = world.process(LABEL);
        (world, process)
    }

    /// The job's process. It is ended with the test.
    fn process(&mut self, label: &str) -> Identity {
        let process = identity(&identify(self.launchd.pid(label).unwrap()).unwrap());
        self.guards.push(guard(&process));
        process
    }

    async fn state(&self) -> ServiceState {
        self.service.observe().await.state
    }

    async fn perform(&self, rung: Rung, target: Option<&Identity>) -> Result<(), ServiceError> {
        tokio::time::timeout(LIMIT * 2, self.service.perform(&heal(rung, target), || ())).await.unwrap()
    }

    /// The verbs of all orders.
    fn orders(&self) -> Vec<String> {
        let transcript = self.launchd.transcript();
        let orders = transcript.lines().filter(|line| !line.starts_with(' ') && !line.starts_with("a person"));
        orders.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn every_state_is_told_apart() {
    let mut world = World::new();
    assert_eq!(world.state().await, ServiceState::NotInstalled);
    world.launchd.install(LABEL, &["sleep".to_owned(), "600".to_owned()]);
    assert_eq!(world.state().await, ServiceState::NotLoaded);
    world.launchd.person("disable", LABEL);
    assert_eq!(world.state().await, ServiceState::Disabled);
    world.launchd.person("enable", LABEL);
    assert_eq!(world.state().await, ServiceState::NotLoaded);

    world.launchd.load(LABEL);
    let process = world.process(LABEL);
    let report = world.service.observe().await;
    assert_eq!(report.state, ServiceState::Running);
    assert!(report.process.unwrap().is_same(&process));

    world.launchd.arrange(&["domain", "gone"]);
    let unclear = world.state().await;
    assert!(matches!(&unclear, ServiceState::Unknown(why) if why.contains("nobody is logged in")), "{unclear:?}");
    world.launchd.arrange(&["domain", "back"]);

    world.launchd.arrange(&["hold-back", "inefficient"]);
    drop(world.guards.pop());
    until("the end of the process", || world.launchd.pid(LABEL).is_none()).await;
    let held = world.service.observe().await;
    assert!(matches!(&held.state, ServiceState::Failed(why) if why.contains("inefficient")), "{held:?}");
    assert_eq!(held.last_exit, None, "a signal ended it");
}

#[tokio::test]
async fn a_job_that_is_started_again_and_again_is_a_crash_loop_and_is_not_kicked() {
    let world = World::new();
    world.launchd.install(LABEL, &["false".to_owned()]);
    world.launchd.load(LABEL);
    let mut seen = Vec::new();
    let began = std::time::Instant::now();
    while !matches!(seen.last(), Some(ServiceState::CrashLooping(_))) {
        assert!(began.elapsed() < LIMIT, "{seen:?}");
        seen.push(world.state().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(seen.contains(&ServiceState::Restarting), "{seen:?}");
    // A start is seen at an instant or not; either way nothing is ordered.
    drop(world.perform(Rung::Start, None).await);
    assert_eq!(world.orders(), [""; 0]);
}

#[tokio::test]
async fn the_agents_plist_tells_the_log_and_the_throttle() {
    let world = World::installed();
    assert_eq!(world.service.log_path().unwrap().file_name().unwrap(), "gateway.log");
    assert_eq!(world.service.manager(), Manager::ServiceManager { patience: Duration::from_secs(11) });
    fs::remove_file(world.launchd.plist(LABEL)).unwrap();
    assert_eq!(world.service.log_path(), None);
    assert_eq!(world.service.manager(), Manager::ServiceManager { patience: Duration::from_secs(20) });
}

#[tokio::test]
async fn an_unloaded_agent_is_switched_on_and_loaded() {
    let mut world = World::installed();
    world.perform(Rung::Start, None).await.unwrap();
    world.process(LABEL);
    assert_eq!(world.orders(), ["enable", "bootstrap"]);
    assert_eq!(world.state().await, ServiceState::Running);
    world.perform(Rung::Start, None).await.unwrap();
    assert_eq!(world.orders(), ["enable", "bootstrap"], "nothing to start");
}

#[tokio::test]
async fn a_plist_that_is_missing_damaged_or_about_another_job_is_not_loaded_and_not_written() {
    let world = World::new();
    let refused = world.perform(Rung::Start, None).await.unwrap_err().to_string();
    assert!(refused.contains("openclaw gateway install"), "{refused}");
    world.launchd.install(LABEL, &[]);
    let refused = world.perform(Rung::Start, None).await.unwrap_err().to_string();
    assert!(refused.contains("openclaw gateway install --force"), "{refused}");
    world.launchd.install("ai.openclaw.other", &["true".to_owned()]);
    fs::rename(world.launchd.plist("ai.openclaw.other"), world.launchd.plist(LABEL)).unwrap();
    let refused = world.perform(Rung::Start, None).await.unwrap_err().to_string();
    assert!(refused.contains("ai.openclaw.other"), "{refused}");
    assert_eq!(world.orders(), [""; 0]);
}

#[tokio::test]
async fn codes_that_pass_are_waited_out_and_others_are_told() {
    for code in ["5", "17", "36", "37"] {
        let mut world = World::installed();
        world.launchd.arrange(&["refuse", "bootstrap", code, "1"]);
        world.perform(Rung::Start, None).await.unwrap();
        world.process(LABEL);
        assert_eq!(world.orders(), ["enable", "bootstrap", "enable", "bootstrap"], "{code}");
    }
    let world = World::installed();
    world.launchd.arrange(&["refuse", "bootstrap", "1", "1"]);
    let refused = world.perform(Rung::Start, None).await.unwrap_err().to_string();
    assert!(refused.contains("Bootstrap failed: 1: Operation not permitted (code 1)"), "{refused}");
    assert_eq!(world.orders(), ["enable", "bootstrap"]);
}

#[tokio::test]
async fn a_start_that_launchd_holds_back_gets_one_plain_kickstart() {
    let mut world = World::installed();
    world.launchd.arrange(&["hold-back", "speculative"]);
    world.launchd.load(LABEL);
    world.perform(Rung::Start, None).await.unwrap();
    world.process(LABEL);
    assert_eq!(world.orders(), ["kickstart"]);
    assert!(world.launchd.calls().contains(&format!("kickstart gui/UID/{LABEL}")));
}

#[tokio::test]
async fn a_restart_signals_the_confirmed_process_and_waits_for_its_successor() {
    let (mut world, process) = World::loaded();
    let stranger = Identity { started: process.started + 1, ..process.clone() };
    for target in [None, Some(&stranger)] {
        let refused = world.perform(Rung::Restart, target).await;
        assert!(matches!(refused, Err(ServiceError::ProcessChanged { .. })), "{refused:?}");
    }
    assert!(is_running(key(&process)));

    world.perform(Rung::Graceful, Some(&process)).await.unwrap();
    assert!(!is_running(key(&process)));
    let successor = world.process(LABEL);
    assert!(!successor.is_same(&process));
    assert_eq!(world.orders(), [""; 0], "KeepAlive has brought it back");
}

#[tokio::test]
async fn a_kickstart_that_brings_nothing_is_followed_by_loading_anew() {
    let mut world = World::installed();
    world.launchd.arrange(&["hold-back", "semaphore"]);
    world.launchd.load(LABEL);
    world.launchd.arrange(&["refuse", "kickstart", "0", "1"]);
    world.perform(Rung::Start, None).await.unwrap();
    world.process(LABEL);
    assert_eq!(world.orders(), ["kickstart", "bootout", "enable", "bootstrap", "kickstart"]);
}

#[tokio::test]
async fn a_stop_unloads_and_waits_until_the_job_is_gone() {
    let (world, process) = World::loaded();
    world.perform(Rung::Stop, Some(&process)).await.unwrap();
    assert!(!is_running(key(&process)));
    assert_eq!(world.state().await, ServiceState::NotLoaded);
    world.perform(Rung::Stop, None).await.unwrap();
    assert_eq!(world.orders(), ["bootout"], "nothing to unload");
}

#[tokio::test]
async fn words_of_print_that_were_never_seen_are_looked_up_in_the_older_list() {
    let (world, process) = World::loaded();
    world.launchd.arrange(&["garble", "1"]);
    let report = world.service.observe().await;
    assert_eq!(report.state, ServiceState::Running);
    assert!(report.process.unwrap().is_same(&process));
    assert!(world.launchd.calls().contains(&format!("list {LABEL}")));
}

/// The original matched labels by their beginning, and signalled the gateway of a sibling profile.
#[tokio::test]
async fn label_prefix() {
    let mut world = World::installed();
    let twin = format!("{LABEL}.work");
    world.launchd.install(&twin, &["sleep".to_owned(), "600".to_owned()]);
    world.launchd.load(&twin);
    let sibling = world.process(&twin);
    world.launchd.person("disable", &twin);
    let report = world.service.observe().await;
    assert_eq!((report.state, report.process), (ServiceState::NotLoaded, None));
    world.perform(Rung::Restart, Some(&sibling)).await.unwrap();
    world.process(LABEL);
    assert!(is_running(key(&sibling)));
}

#[tokio::test]
async fn a_machine_without_launchctl_is_unknown_and_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::new(setup(folder.path(), &[]), Kind::Launchd);
    assert!(!Path::new(&folder.path().join("launchctl")).exists());
    assert!(matches!(service.observe().await.state, ServiceState::Unknown(_)));
}
