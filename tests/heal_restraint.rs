//! When nothing is done: beyond two heals at once, and on the word of a service manager that nobody understands.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in tests a panic is the way to fail")]

#[path = "support/alerts.rs"]
mod alerts;
#[path = "support/engine.rs"]
mod engine;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::spec;
use lifeguard::engine::{Books, Engine, GatewaySpec};
use lifeguard::history::History;
use lifeguard::history::recorder::Recorder;
use lifeguard::metrics::Metrics;
use lifeguard::service::Kind;
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::verdict::Health;
use tokio::sync::mpsc;

/// Distance of two rounds.
const INTERVAL: Duration = Duration::from_millis(200);
/// For whatever must happen soon.
const SOON: Duration = Duration::from_mins(1);

/// Heals over all gateways at once (docs/architecture.md).
const AT_ONCE: usize = 2;

/// What no systemd and no launchd has ever printed.
const NEVER_SEEN: [&str; 7] = [
    "",
    "\u{feff}",
    "<html><body>502 Bad Gateway</body></html>",
    "ActiveState\nSubState\n=\n==\nMainPID=-1\nMainPID=99999999999999999999\n",
    "LoadState=loaded\nActiveState=superposed\nSubState=collapsed\nMainPID=many\n",
    "{\"state\": \"not running\", \"pid\": 0}",
    "gui/501/somebody.else = {\n\tstate = not running\n\tpid = what\n}\n",
];

fn program(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    path.to_owned()
}

/// A port at which nobody listens.
fn closed_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Watches these gateways until a picture is as it should be.
async fn watch_until(history: Arc<History>, specs: Vec<GatewaySpec>, mut enough: impl FnMut(&Snapshot) -> bool) {
    let (actions, _wishes) = mpsc::channel(8);
    let alerts = lifeguard::alert::AlertHub::start(alerts::settings(), Arc::clone(&history), actions);
    let books = Books { recorder: Arc::new(Recorder::open(history, 1 << 30)), metrics: Arc::new(Metrics::default()) };
    let engine = Engine::start(specs, &alerts, books, None);
    let mut snapshots = engine.snapshots();
    let seen = tokio::time::timeout(SOON, snapshots.wait_for(|snapshot| enough(snapshot))).await.is_ok();
    let last = snapshots.borrow().clone();
    engine.stop().await;
    assert!(seen, "{last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_two_gateways_are_healed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let history = Arc::new(History::in_memory().unwrap());
    let book = folder.path().join("starts");
    let failed = "LoadState=loaded\\nActiveState=failed\\nSubState=failed\\nUnitFileState=enabled\\nResult=exit-code\\n\
                  ExecMainStatus=1\\nMainPID=0\\n";
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in\n*show*) printf '{failed}' ;;\n*start*) echo begin >> {book}; sleep 1; echo end >> {book} ;;\nesac\n",
        book = book.display(),
    );
    let systemctl = program(&folder.path().join("systemctl"), &text);
    let specs = (0..5).map(|number| {
        let mut spec =
            spec(folder.path(), &history, &format!("gateway{number}"), (closed_port(), Kind::Systemd), INTERVAL);
        spec.setup.systemctl.clone_from(&systemctl);
        spec
    });
    let specs = specs.collect();
    let read = || fs::read_to_string(&book).unwrap_or_default();
    watch_until(history, specs, |_| read().matches("end").count() >= 5).await;
    let (mut running, mut most) = (0_usize, 0);
    for line in read().lines() {
        running = if line == "begin" { running + 1 } else { running - 1 };
        most = most.max(running);
    }
    assert_eq!(most, AT_ONCE, "{}", read());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_service_manager_has_ever_said_is_no_reason_to_heal() {
    let folder = tempfile::tempdir().unwrap();
    let history = Arc::new(History::in_memory().unwrap());
    let calls = folder.path().join("calls");
    let specs = NEVER_SEEN.iter().enumerate().flat_map(|(number, said)| {
        let said_file = folder.path().join(format!("said{number}"));
        fs::write(&said_file, said).unwrap();
        let text = format!(
            "#!/bin/sh\ncase \"$1 $*\" in\n*show*|print\\ *|list\\ *|print-disabled\\ *) cat {} ;;\n*) echo \"$*\" >> {} ;;\nesac\n",
            said_file.display(),
            calls.display(),
        );
        let manager = program(&folder.path().join(format!("manager{number}")), &text);
        [Kind::Systemd, Kind::Launchd].map(|kind| {
            let mut spec =
                spec(folder.path(), &history, &format!("{kind:?}{number}"), (closed_port(), kind), INTERVAL);
            (spec.setup.systemctl, spec.setup.launchctl) = (manager.clone(), manager.clone());
            spec
        })
    });
    let specs: Vec<GatewaySpec> = specs.collect();
    let mut looks = vec![std::collections::BTreeSet::new(); specs.len()];
    watch_until(Arc::clone(&history), specs, |snapshot| {
        for (looks, gateway) in looks.iter_mut().zip(&snapshot.gateways) {
            looks.extend(gateway.checked);
            assert!(gateway.heal.is_none(), "{gateway:?}");
        }
        // It is down, and told so; what would be done about it waits for a word that can be understood.
        let held = snapshot.gateways.iter().all(|gateway| gateway.health == Health::Blocked);
        held && looks.iter().all(|looks| looks.len() >= 5)
    })
    .await;
    assert_eq!(fs::read_to_string(&calls).unwrap_or_default(), "", "nothing but looks");
}
