//! The TOML file: types with defaults that work, loading, validation, places on disk, secrets.
//!
//! No file is needed. Every field is documented in `docs/config.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use self::alerts::AlertsConfig;
use crate::redact::secret::Secret;
use crate::supervisor::policy::{Manager, Policy};
use crate::supervisor::trend::MemoryPolicy;
use crate::text::Language;

pub mod alerts;
pub mod discovery;
pub mod edit;
pub mod environment;
mod hash;
pub mod load;
mod openclaw;
pub mod paths;
pub mod programs;
pub mod secret;
pub mod template;
mod validate;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Language of everything that a person reads.
    pub language: LanguageChoice,
    /// The gateways to watch; with none, the one that discovery finds.
    #[serde(rename = "gateway")]
    pub gateways: Vec<GatewayConfig>,
    /// How often and how patiently to look.
    pub probe: ProbeConfig,
    /// When and how hard to heal.
    pub heal: HealConfig,
    /// How much memory the gateway may take.
    pub memory: MemoryConfig,
    /// Whom to tell.
    pub alerts: AlertsConfig,
    /// The dead-man's switch.
    pub deadman: DeadmanConfig,
    /// The status page and the metrics.
    pub web: WebConfig,
    /// What is kept of the past.
    pub history: HistoryConfig,
    /// The menu-bar icon.
    pub tray: TrayConfig,
}

/// `language`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LanguageChoice {
    /// The system's locale.
    #[default]
    Auto,
    /// English.
    En,
    /// Korean.
    Ko,
}

/// `[[gateway]]`: whatever is left out is discovered from OpenClaw's own config and environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayConfig {
    /// Name for menus, alerts and files.
    pub name: String,
    /// Who runs it.
    pub service: ServiceChoice,
    /// Port on 127.0.0.1.
    pub port: Option<u16>,
    /// OpenClaw's state folder (`~/.openclaw`).
    pub state_dir: Option<PathBuf>,
    /// OpenClaw's own config file.
    pub config_path: Option<PathBuf>,
    /// OpenClaw profile.
    pub profile: Option<String>,
    /// Command that runs the gateway in the foreground, as an argument list.
    pub command: Option<Vec<String>>,
    /// Label of the service (launchd label or systemd unit).
    pub service_label: Option<String>,
    /// Variables that are set for a gateway that Lifeguard starts, and when its places are discovered.
    pub environment: BTreeMap<String, String>,
    /// For a gateway that somebody starts by hand: start it when it is dead, instead of only telling.
    pub start_when_dead: bool,
    /// What it needs besides itself.
    pub needs: NeedsConfig,
    /// The built-in practice gateway. Set by `lifeguard demo`, never read from a file.
    #[serde(skip)]
    pub practice: bool,
}

/// `[gateway.needs]`: nothing is healed while one of these is missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NeedsConfig {
    /// The Docker engine must answer.
    pub docker: bool,
    /// Start Docker when it does not run.
    pub start_docker: bool,
    /// These must be reachable: `host:port`.
    pub hosts: Vec<String>,
    /// So much must be free on the disk of the state folder, in units of 1024 × 1024 bytes.
    pub free_disk_megabytes: u64,
}

/// `gateway.service`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceChoice {
    /// Find out.
    #[default]
    Auto,
    /// Lifeguard owns the process.
    Child,
    /// Somebody starts it by hand.
    Attached,
    /// A systemd user unit.
    Systemd,
    /// A launchd agent.
    Launchd,
}

/// `[probe]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProbeConfig {
    /// Distance of two rounds in quiet times.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub interval: Duration,
    /// Distance of two rounds while something is in question.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub retry_interval: Duration,
    /// Limit for opening a connection.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub connect_timeout: Duration,
    /// Limit for one answer, from connecting to its last byte.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub timeout: Duration,
    /// Failed rounds in a row before an outage counts as one.
    pub failures_before_down: u32,
    /// Distance of two inquiries about the gateway's own work, a minute at least; zero: never ask.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub activity_interval: Duration,
}

/// `[heal]`: see [`Policy`] for what each number means.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealConfig {
    /// Before a silent gateway is restarted.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub hang_patience: Duration,
    /// Before a live but unready gateway is announced.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub unready_patience: Duration,
    /// Health must hold this long to count as recovered.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub healthy_hold: Duration,
    /// Grace of a process that does not listen yet.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub startup_grace: Duration,
    /// Longest start-up while the gateway says that it is starting.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub startup_limit: Duration,
    /// Longest orderly shutdown.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub drain_limit: Duration,
    /// Waits before the second, third, … attempt, in seconds.
    pub backoff_seconds: Vec<u64>,
    /// Crashes that open the breaker.
    pub crash_limit: u32,
    /// The counter falls by one for each such spell of health.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub decay_interval: Duration,
    /// No crash for this long sets the counter to zero.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub crash_reset: Duration,
    /// Attempts allowed in any window of `budget_window`.
    pub budget: u32,
    /// Length of that window.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub budget_window: Duration,
    /// What to do about an edit of OpenClaw's configuration that it does not start with.
    pub config_guard: ConfigGuardChoice,
    /// Run `openclaw doctor --fix`, after a backup, when plain attempts do not help.
    pub doctor: bool,
    /// A command of the person's own for when plain attempts do not help, as an argument list.
    pub hook: Option<Vec<String>>,
    /// How long that command may take.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub hook_timeout: Duration,
}

/// `heal.config_guard`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfigGuardChoice {
    /// Keep no copy.
    Off,
    /// Keep copies, tell what was changed, and offer to put the good one back.
    #[default]
    Offer,
    /// Put the good one back without asking.
    Rollback,
}

/// `[memory]`: sizes of the whole process tree, in units of 1024 × 1024 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Worth knowing.
    pub warning_megabytes: u64,
    /// Worth a restart as soon as no work is in flight.
    pub critical_megabytes: u64,
    /// A restart is due; it waits for running work.
    pub limit_megabytes: u64,
    /// A size counts when it has been exceeded for so long.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub sustained: Duration,
    /// Restart a healthy gateway before its memory runs out.
    pub restart: bool,
}

/// `[deadman]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadmanConfig {
    /// The check's address: in the file the address itself, `env:NAME` or `file:PATH`; once loaded, the address.
    pub url: Option<Secret>,
    /// Distance of two pings.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub interval: Duration,
}

/// `[web]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Offer the status page, `/metrics` and `/healthz` on loopback.
    pub enabled: bool,
    /// Port on 127.0.0.1; 0: any that is free.
    pub port: u16,
}

/// `[history]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// Most room that it takes on disk, in units of 1024 × 1024 bytes; the oldest is forgotten first.
    pub limit_megabytes: u64,
}

/// `[tray]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrayConfig {
    /// One colour, by shape only.
    pub monochrome: bool,
}

/// Bytes in a megabyte of the configuration.
pub const MEGABYTE: u64 = 1024 * 1024;

/// A configuration is good after this many times as long: 5 min at the default.
const CONFIG_HOLD: u32 = 5;

/// After a crash loop, health must hold this many times as long: 10 min at the default.
const CRASH_LOOP_HOLD: u32 = 10;

impl LanguageChoice {
    /// The language to speak, given the system's locale.
    #[must_use]
    pub fn resolve(self, locale: &str) -> Language {
        match self {
            Self::Auto => Language::of_locale(locale),
            Self::En => Language::English,
            Self::Ko => Language::Korean,
        }
    }
}

impl Config {
    /// The numbers that the core decides by, for a gateway that `manager` starts again.
    #[must_use]
    pub fn policy(&self, manager: Manager) -> Policy {
        let (probe, heal) = (&self.probe, &self.heal);
        Policy {
            manager,
            probe_interval: probe.interval,
            retry_interval: probe.retry_interval,
            failures_before_down: probe.failures_before_down,
            hang_patience: heal.hang_patience,
            unready_patience: heal.unready_patience,
            healthy_hold: heal.healthy_hold,
            crash_loop_hold: heal.healthy_hold.saturating_mul(CRASH_LOOP_HOLD),
            startup_grace: heal.startup_grace,
            startup_limit: heal.startup_limit,
            drain_limit: heal.drain_limit,
            backoff: heal.backoff_seconds.iter().copied().map(Duration::from_secs).collect(),
            crash_limit: heal.crash_limit,
            decay_interval: heal.decay_interval,
            crash_reset: heal.crash_reset,
            budget: heal.budget,
            budget_window: heal.budget_window,
            memory: self.memory.policy(),
            config_hold: heal.healthy_hold.saturating_mul(CONFIG_HOLD),
            roll_back: heal.config_guard == ConfigGuardChoice::Rollback,
            doctor: heal.doctor,
            hook: heal.hook.is_some(),
            ..Policy::default()
        }
    }

    /// The gateways to watch: those of the file, or the one that discovery finds by itself.
    #[must_use]
    pub fn watched(&self) -> Vec<GatewayConfig> {
        if self.gateways.is_empty() { vec![GatewayConfig::default()] } else { self.gateways.clone() }
    }
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            name: "gateway".to_owned(),
            service: ServiceChoice::default(),
            port: None,
            state_dir: None,
            config_path: None,
            profile: None,
            command: None,
            service_label: None,
            environment: BTreeMap::new(),
            start_when_dead: false,
            needs: NeedsConfig::default(),
            practice: false,
        }
    }
}

impl Default for NeedsConfig {
    fn default() -> Self {
        Self { docker: false, start_docker: false, hosts: Vec::new(), free_disk_megabytes: 200 }
    }
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            retry_interval: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            failures_before_down: 2,
            activity_interval: Duration::from_mins(5),
        }
    }
}

impl Default for DeadmanConfig {
    fn default() -> Self {
        Self { url: None, interval: Duration::from_mins(1) }
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self { enabled: true, port: 18_799 }
    }
}

impl Default for HistoryConfig {
    fn default() -> Self {
        Self { limit_megabytes: 200 }
    }
}

impl Default for HealConfig {
    fn default() -> Self {
        let policy = crate::supervisor::policy::Policy::default();
        Self {
            hang_patience: policy.hang_patience,
            unready_patience: policy.unready_patience,
            healthy_hold: policy.healthy_hold,
            startup_grace: policy.startup_grace,
            startup_limit: policy.startup_limit,
            drain_limit: policy.drain_limit,
            backoff_seconds: policy.backoff.iter().map(Duration::as_secs).collect(),
            crash_limit: policy.crash_limit,
            decay_interval: policy.decay_interval,
            crash_reset: policy.crash_reset,
            budget: policy.budget,
            budget_window: policy.budget_window,
            config_guard: ConfigGuardChoice::default(),
            doctor: policy.doctor,
            hook: None,
            hook_timeout: Duration::from_mins(1),
        }
    }
}

impl Default for MemoryConfig {
    fn default() -> Self {
        let MemoryPolicy { warning, critical, limit, sustained, restart } = MemoryPolicy::default();
        Self {
            warning_megabytes: warning / MEGABYTE,
            critical_megabytes: critical / MEGABYTE,
            limit_megabytes: limit / MEGABYTE,
            sustained,
            restart,
        }
    }
}

impl MemoryConfig {
    fn policy(&self) -> MemoryPolicy {
        MemoryPolicy {
            warning: self.warning_megabytes.saturating_mul(MEGABYTE),
            critical: self.critical_megabytes.saturating_mul(MEGABYTE),
            limit: self.limit_megabytes.saturating_mul(MEGABYTE),
            sustained: self.sustained,
            restart: self.restart,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_policys_own() {
        let manager = Manager::Ourselves;
        assert_eq!(Config::default().policy(manager), Policy { manager, ..Policy::default() });
    }

    #[test]
    fn without_a_gateway_there_is_the_one_that_discovery_finds() {
        assert_eq!(Config::default().watched(), [GatewayConfig::default()]);
    }
}
