//! Gateways for tests of the engine.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lifeguard::engine::store::StateStore;
use lifeguard::engine::{GatewaySpec, now};
use lifeguard::evidence::EvidenceStore;
use lifeguard::guard::ConfigGuard;
use lifeguard::guard::backup::Backups;
use lifeguard::history::History;
use lifeguard::probe::ProbeLimits;
use lifeguard::probe::dependency::Needs;
use lifeguard::service::{GatewaySetup, Kind};
use lifeguard::supervisor::policy::Policy;

/// A gateway that is looked at every `interval`, with all that is kept of it below `folder`.
pub(crate) fn spec(
    folder: &Path,
    history: &Arc<History>,
    name: &str,
    (port, kind): (u16, Kind),
    interval: Duration,
) -> GatewaySpec {
    let state_dir = folder.join(name);
    std::fs::create_dir_all(&state_dir).unwrap();
    let setup = GatewaySetup::new(name, port, state_dir.clone(), state_dir.join("gateway.log"));
    let store = StateStore::new(Arc::clone(history), folder, name);
    let loaded = store.load(now());
    let policy =
        Policy { probe_interval: interval, retry_interval: interval, hang_patience: interval, ..Policy::default() };
    GatewaySpec {
        name: name.to_owned(),
        practice: false,
        guard: ConfigGuard::new(folder, name, &setup.config_path, true),
        backups: Backups::new(folder, name),
        hook: None,
        setup,
        kind,
        policy,
        needs: Needs::default(),
        start_docker: false,
        limits: ProbeLimits {
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(2),
            activity_interval: Duration::ZERO,
        },
        store,
        loaded,
        log: None,
        evidence: EvidenceStore::new(folder, name),
        notice: None,
    }
}
