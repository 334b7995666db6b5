//! The real OpenClaw gateway as Lifeguard's own child: found, measured, killed, drained.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "support/processes.rs"]
mod processes;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lifeguard::platform::process::{Signal, environment, is_running, signal, tree};
use lifeguard::probe;
use lifeguard::probe::port::Holder;
use lifeguard::service::{GatewaySetup, Kind, Service, discover, identity};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::observation::{Exit, Identity, PortOwner};
use processes::{guard, heal, key};
use tokio::time::{sleep, timeout};

/// Longest start-up on a loaded machine (gateway.md: 5 to 16 s on an idle one).
const START_LIMIT: Duration = Duration::from_mins(2);

fn modules() -> PathBuf {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cache/openclaw-2026.9.6/node_modules");
    assert!(found.is_dir(), "the real gateway is not installed in {}; run `make test`", found.display());
    found
}

/// Below the range from which the kernel gives ports to connections.
fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    (first..32_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn real(home: &Path) -> GatewaySetup {
    let port = free_port();
    let state = home.join(".openclaw");
    std::fs::create_dir_all(&state).unwrap();
    let config = state.join("openclaw.json");
    let text = format!(
        r#"{{"gateway":{{"mode":"local","port":{port},"bind":"loopback","auth":{{"mode":"token","token":"test-token-0123456789abcdef0123456789abcdef"}}}},"update":{{"checkOnStart":false}},"models":{{"catalogRefresh":{{"enabled":false}}}}}}"#
    );
    std::fs::write(&config, text).unwrap();
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut setup = processes::setup(home, &[]);
    setup.port = port;
    setup.state_dir = state;
    let modules = modules();
    let node = modules.join("node/bin/node");
    let script = modules.join("openclaw/openclaw.mjs");
    let words = ["gateway", "run", "--port"].map(ToOwned::to_owned);
    setup.command = Some(
        [node, script]
            .map(|path| path.to_str().unwrap().to_owned())
            .into_iter()
            .chain(words)
            .chain([port.to_string()])
            .collect(),
    );
    setup.environment =
        [("HOME", home.to_str().unwrap()), ("OPENCLAW_NO_AUTO_UPDATE", "1"), ("DO_NOT_TRACK", "1"), ("NO_COLOR", "1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    setup
}

/// Waits until the process listens, and tells how long that took.
async fn listening(setup: &GatewaySetup, process: &Identity) -> Duration {
    let began = Instant::now();
    loop {
        let pid = process.pid;
        let whose = move |found| if found == pid { Holder::Gateway } else { Holder::Stranger };
        match probe::port::owner(setup.port, whose).await {
            PortOwner::Gateway => return began.elapsed(),
            PortOwner::Free => {}
            other => panic!("{other:?}"),
        }
        let log = || std::fs::read_to_string(&setup.log_path).unwrap_or_default();
        assert!(is_running(key(process)), "it ended: {}", log());
        assert!(began.elapsed() < START_LIMIT, "it does not listen: {}", log());
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn the_real_gateway_is_started_found_killed_and_drained() {
    let home = tempfile::tempdir().unwrap();
    let setup = real(home.path());
    let service = Service::new(setup.clone(), Kind::Child);
    service.perform(&heal(Rung::Start, None), || ()).await.unwrap();
    let process = service.observe().await.process.unwrap();
    let _guard = guard(&process);
    println!("start to listening: {:?}", listening(&setup, &process).await);

    // Its lock file and its title are what this room takes them for.
    let found = identity::find(&setup).await.unwrap();
    assert!(found.is_same(&process), "{found:?} {process:?}");
    assert_eq!(found.command, "openclaw-gateway");
    assert_eq!(discover(&setup).await, Kind::Attached);
    let began = Instant::now();
    probe::port::owner(setup.port, |_| Holder::Gateway).await;
    let port_cost = began.elapsed();
    let began = Instant::now();
    let memory = probe::usage::tree(&process).unwrap().memory;
    println!("memory {} MiB in {:?}; port owner in {port_cost:?}", memory / 1024 / 1024, began.elapsed());
    assert!(memory > 200 * 1024 * 1024);
    let environment = environment(key(&process)).unwrap();
    assert!(environment.contains(&("OPENCLAW_SUPERVISOR_MODE".to_owned(), "external".to_owned())));

    // Killed: known at once, and its helpers go with it.
    let helpers = tree(key(&process));
    assert!(!helpers.is_empty());
    let began = Instant::now();
    signal(key(&process), Signal::Kill).unwrap();
    let exit = timeout(START_LIMIT, service.wait_exit(&process)).await.unwrap();
    println!("SIGKILL to report: {:?}", began.elapsed());
    assert_eq!(exit, Exit { code: None, signal: Some(9) });
    service.perform(&heal(Rung::Start, Some(&process)), || ()).await.unwrap();
    let second = service.observe().await.process.unwrap();
    let _second_guard = guard(&second);
    println!("start to listening after the kill: {:?}", listening(&setup, &second).await);
    processes::until("the helpers' end", || !helpers.iter().any(|helper| is_running(*helper))).await;

    // Drained: SIGTERM only, exit code 0, and nothing of it is left.
    let helpers = tree(key(&second));
    let killed = AtomicBool::new(false);
    let mut drain = heal(Rung::Graceful, Some(&second));
    drain.hasty = false;
    let began = Instant::now();
    let exit = async { timeout(START_LIMIT, service.wait_exit(&second)).await.unwrap() };
    let (exit, drained) = tokio::join!(exit, service.perform(&drain, || killed.store(true, Ordering::SeqCst)));
    drained.unwrap();
    println!("drain and start issued: {:?}", began.elapsed());
    assert_eq!(exit, Exit { code: Some(0), signal: None });
    assert!(!killed.load(Ordering::SeqCst));
    assert!(!helpers.iter().any(|helper| is_running(*helper)));
    let third = service.observe().await.process.unwrap();
    let _third_guard = guard(&third);
    assert!(!third.is_same(&second));
    listening(&setup, &third).await;
    let mut stop = heal(Rung::Restart, Some(&third));
    stop.may_kill = true;
    // The last one is only stopped: its successor cannot start.
    let mut last = setup.clone();
    last.command = None;
    let last = Service::new(last, Kind::Child);
    assert!(last.adopt(&third).await);
    last.perform(&stop, || ()).await.unwrap_err();
    assert!(!is_running(key(&third)));
}
