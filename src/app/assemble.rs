//! From the configuration to what the engine needs.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::info;

use super::Setting;
use crate::config::discovery::{DiscoveredGateway, discover};
use crate::config::{Config, ConfigGuardChoice, GatewayConfig, MEGABYTE, ServiceChoice};
use crate::engine::preparation::Hook;
use crate::engine::store::StateStore;
use crate::engine::{GatewaySpec, now};
use crate::evidence::EvidenceStore;
use crate::guard::ConfigGuard;
use crate::guard::backup::Backups;
use crate::history::History;
use crate::probe::ProbeLimits;
use crate::probe::dependency::Needs;
use crate::service::{GatewaySetup, Kind};
use crate::supervisor::policy::Manager;
use crate::supervisor::state::{Pause, State};
use crate::web::{Limits, WebSettings};

/// Every gateway of the configuration, its kind of service found out and its state loaded.
pub(super) async fn gateways(setting: &Setting<'_>, history: &Arc<History>) -> Vec<GatewaySpec> {
    let mut specs = Vec::new();
    for gateway in setting.config.watched() {
        specs.push(specify(setting, history, &gateway).await);
    }
    specs
}

/// Whether any gateway of the configuration is there.
pub(super) async fn finds_gateway(setting: &Setting<'_>) -> bool {
    if !setting.config.gateways.is_empty() {
        return true;
    }
    for gateway in setting.config.watched() {
        let found = discover(&gateway, setting.environment);
        if Box::pin(crate::service::discover(&setup(setting, &gateway, &found))).await != Kind::NotInstalled {
            return true;
        }
    }
    false
}

async fn specify(setting: &Setting<'_>, history: &Arc<History>, gateway: &GatewayConfig) -> GatewaySpec {
    let found = discover(gateway, setting.environment);
    for note in &found.notes {
        info!(gateway = found.name, ?note, "discovery");
    }
    // No gateway's name begins like that: what is known of the person's own gateways is left alone.
    let kept_as = if setting.notice.is_some() { format!("-{}", found.name) } else { found.name.clone() };
    let store = StateStore::new(Arc::clone(history), &setting.paths.state_dir, &kept_as);
    let mut loaded = store.load(now());
    if setting.notice.is_some() {
        loaded.state = State { pause: Some(Pause { until: None }), ..State::default() };
    }
    let mut setup = setup(setting, gateway, &found);
    if loaded.same_boot {
        setup.started_before = loaded.state.generation.as_ref().and_then(|generation| generation.identity.clone());
    }
    let kind = Box::pin(crate::service::discover(&setup)).await;
    // Lifeguard does not put back what the person may not have wanted to be guarded.
    let keeps = setting.config.heal.config_guard != ConfigGuardChoice::Off && setting.notice.is_none();
    let guard = ConfigGuard::new(&setting.paths.state_dir, &kept_as, &setup.config_path, keeps);
    GatewaySpec {
        name: found.name,
        practice: gateway.practice,
        setup,
        kind,
        policy: setting.config.policy(Manager::Ourselves),
        needs: needs(gateway),
        guard,
        backups: Backups::new(&setting.paths.state_dir, &kept_as),
        hook: hook(setting),
        start_docker: gateway.needs.docker && gateway.needs.start_docker,
        limits: limits(setting.config),
        store,
        loaded,
        log: found.log,
        evidence: EvidenceStore::new(&setting.paths.state_dir, &kept_as),
        notice: setting.notice.map(str::to_owned),
    }
}

fn hook(setting: &Setting<'_>) -> Option<Hook> {
    let heal = &setting.config.heal;
    heal.hook.clone().map(|command| Hook { command, timeout: heal.hook_timeout })
}

/// How patiently to look.
pub(super) fn limits(config: &Config) -> ProbeLimits {
    let probe = &config.probe;
    ProbeLimits {
        connect_timeout: probe.connect_timeout,
        timeout: probe.timeout,
        activity_interval: probe.activity_interval,
    }
}

pub(super) fn needs(gateway: &GatewayConfig) -> Needs {
    let needs = &gateway.needs;
    Needs {
        docker: needs.docker,
        hosts: needs.hosts.clone(),
        free_disk: needs.free_disk_megabytes.saturating_mul(MEGABYTE),
    }
}

pub(super) fn setup(setting: &Setting<'_>, gateway: &GatewayConfig, found: &DiscoveredGateway) -> GatewaySetup {
    let log_path: PathBuf = setting.paths.logs_dir.join(format!("gateway-{}.log", found.name));
    let mut setup = GatewaySetup::new(&found.name, found.port, found.state_dir.clone(), log_path);
    setup.label = Some(found.label.clone());
    setup.command.clone_from(&found.command);
    setup.openclaw = found.openclaw.clone().filter(|_| !gateway.practice);
    setup.config_path.clone_from(&found.config_path);
    setup.environment = found.environment.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    setup.start_when_dead = gateway.start_when_dead;
    setup.drain_limit = setting.config.heal.drain_limit;
    // Tests put an imitation in launchd's place; what is shipped has no such switch.
    if cfg!(debug_assertions)
        && let Some(imitation) = setting.environment.path("LIFEGUARD_TEST_LAUNCHCTL")
    {
        setup.launchctl = imitation;
    }
    setup.kind = match gateway.service {
        ServiceChoice::Auto => None,
        ServiceChoice::Child => Some(Kind::Child),
        ServiceChoice::Attached => Some(Kind::Attached),
        ServiceChoice::Systemd => Some(Kind::Systemd),
        ServiceChoice::Launchd => Some(Kind::Launchd),
    };
    setup
}

/// What the status page shows.
pub(super) fn web(setting: &Setting<'_>) -> WebSettings {
    let policy = setting.config.policy(Manager::Ourselves);
    WebSettings {
        language: setting.language,
        state_dir: setting.paths.state_dir.clone(),
        limits: Limits {
            slow: u64::try_from(policy.slow_answer.as_micros()).unwrap_or(u64::MAX),
            warning: policy.memory.warning,
            critical: policy.memory.critical,
            limit: policy.memory.limit,
        },
    }
}
