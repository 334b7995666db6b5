//! Real processes for the tests of the service room.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::path::Path;
use std::time::{Duration, Instant};

use lifeguard::platform::process::{ProcessInfo, ProcessKey, Signal, identify, is_running, signal};
use lifeguard::service::GatewaySetup;
use lifeguard::supervisor::ladder::{Cause, Heal, Rung};
use lifeguard::supervisor::observation::Identity;
use lifeguard::supervisor::verdict::Verdict;

/// Longest wait for anything in these tests.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A process that is killed at the end of the test, whatever happened.
pub(crate) struct Guard(pub(crate) ProcessKey);

impl Drop for Guard {
    fn drop(&mut self) {
        // It may be gone, as it should.
        drop(signal(self.0, Signal::Kill));
    }
}

pub(crate) fn guard(identity: &Identity) -> Guard {
    Guard(key(identity))
}

pub(crate) fn key(identity: &Identity) -> ProcessKey {
    ProcessKey { pid: identity.pid, started: identity.started }
}

pub(crate) fn identity(info: &ProcessInfo) -> Identity {
    Identity { pid: info.key.pid, started: info.key.started, command: info.command() }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LIMIT, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a process has become the program that it was started as.
pub(crate) async fn until_running(identity: &Identity, word: &str) {
    until(word, || identify(identity.pid).is_some_and(|info| info.argv.first().is_some_and(|name| name == word))).await;
    assert!(is_running(key(identity)));
}

/// A setup in a temp folder; nothing listens on its port.
pub(crate) fn setup(folder: &Path, command: &[&str]) -> GatewaySetup {
    let mut setup = GatewaySetup::new("test", 1, folder.join("state"), folder.join("logs/gateway.log"));
    setup.command = (!command.is_empty()).then(|| command.iter().map(ToString::to_string).collect());
    setup.working_dir = Some(folder.to_path_buf());
    setup.home = folder.to_path_buf();
    setup.launchctl = folder.join("launchctl");
    setup.systemctl = folder.join("systemctl");
    setup
}

pub(crate) fn heal(rung: Rung, target: Option<&Identity>) -> Heal {
    let cause = Cause { verdict: Verdict::Gone, incident: None, attempt: 0 };
    Heal {
        id: 1,
        rung,
        target: target.cloned(),
        may_kill: false,
        hasty: true,
        asked: false,
        channels: Vec::new(),
        cause,
    }
}
