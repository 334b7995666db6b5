//! What the types cannot say: bounds, order, distinctness, secrets.

use std::path::Path;
use std::time::Duration;

use reqwest::Url;

use super::environment::Environment;
use super::secret::{keychain_name, resolve};
use super::{Config, GatewayConfig, HealConfig, MemoryConfig, ProbeConfig};
use crate::redact::secret::Secret;
use crate::text::config::ConfigProblem;

mod channels;

/// A problem and the path of the value that it is about, array positions as numbers.
pub(super) type Finding = (Vec<String>, ConfigProblem);

/// Longest wait between two attempts, in seconds: invariant 2 of the core promises an attempt at most 6 h away.
const LONGEST_BACKOFF: u64 = 6 * 3600;

/// Bounds of the history's size, in megabytes: the smallest holds what is kept of one quiet gateway.
const SMALLEST_HISTORY: u64 = 8;
const LARGEST_HISTORY: u64 = 1024 * 1024;

/// Longest time for the person's own command: below `Policy::preparation_limit`.
const LONGEST_HOOK: Duration = Duration::from_mins(5);

/// Most letters of a gateway's name: it becomes part of file names.
const LONGEST_NAME: usize = 64;

/// Checks a configuration, and replaces what stands for something else: `~`, `env:NAME`, `file:PATH`.
pub(super) fn validate(config: &mut Config, environment: &Environment) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.probe(&config.probe);
    findings.heal(&config.heal, &config.probe);
    findings.memory(&config.memory);
    findings.bounds(["history", "limit_megabytes"], config.history.limit_megabytes, SMALLEST_HISTORY, LARGEST_HISTORY);
    if let Some(program) = config.heal.hook.as_mut().and_then(|hook| hook.first_mut()) {
        *program = environment.expand(Path::new(program.as_str())).to_string_lossy().into_owned();
    }
    for index in 0..config.gateways.len() {
        let (earlier, rest) = config.gateways.split_at_mut(index);
        if let Some(gateway) = rest.first_mut() {
            gateway.state_dir = gateway.state_dir.take().map(|path| environment.expand(&path));
            gateway.config_path = gateway.config_path.take().map(|path| environment.expand(&path));
            findings.gateway(index, gateway, earlier);
        }
    }
    channels::validate(&mut config.alerts, environment, &mut findings);
    findings.positive("deadman", [("interval", config.deadman.interval)]);
    let is_ping_address = |address: &str| Url::parse(address).is_ok_and(|url| is_safe(&url));
    let problem = ConfigProblem::NotAPingAddress;
    findings.secret(["deadman", "url"], &mut config.deadman.url, environment, is_ping_address, problem);
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add<const N: usize>(&mut self, path: [&str; N], problem: ConfigProblem) {
        self.0.push((path.map(str::to_owned).to_vec(), problem));
    }

    /// Replaces a secret by what it stands for, which must be right.
    fn secret<const N: usize>(
        &mut self,
        path: [&str; N],
        secret: &mut Option<Secret>,
        environment: &Environment,
        is_right: impl FnOnce(&str) -> bool,
        problem: ConfigProblem,
    ) {
        let Some(source) = secret else { return };
        match resolve(source, environment) {
            Ok(found) if keychain_name(&found).is_some() || is_right(found.expose()) => *secret = Some(found),
            Ok(_) => self.add(path, problem),
            Err(error) => self.add(path, ConfigProblem::NoSecret(error.0)),
        }
    }

    fn probe(&mut self, probe: &ProbeConfig) {
        self.positive(
            "probe",
            [
                ("interval", probe.interval),
                ("retry_interval", probe.retry_interval),
                ("connect_timeout", probe.connect_timeout),
                ("timeout", probe.timeout),
            ],
        );
        self.order(["probe", "retry_interval"], probe.retry_interval, "probe.interval", probe.interval);
        self.order(["probe", "connect_timeout"], probe.connect_timeout, "probe.timeout", probe.timeout);
        self.bounds(["probe", "failures_before_down"], u64::from(probe.failures_before_down), 1, 100);
    }

    fn heal(&mut self, heal: &HealConfig, probe: &ProbeConfig) {
        self.positive(
            "heal",
            [
                ("hang_patience", heal.hang_patience),
                ("unready_patience", heal.unready_patience),
                ("healthy_hold", heal.healthy_hold),
                ("startup_grace", heal.startup_grace),
                ("startup_limit", heal.startup_limit),
                ("drain_limit", heal.drain_limit),
                ("decay_interval", heal.decay_interval),
                ("crash_reset", heal.crash_reset),
                ("budget_window", heal.budget_window),
                ("hook_timeout", heal.hook_timeout),
            ],
        );
        self.order(["probe", "timeout"], probe.timeout, "heal.hang_patience", heal.hang_patience);
        self.order(["heal", "startup_grace"], heal.startup_grace, "heal.startup_limit", heal.startup_limit);
        self.bounds(["heal", "crash_limit"], u64::from(heal.crash_limit), 1, 1000);
        self.bounds(["heal", "budget"], u64::from(heal.budget), 1, 1000);
        if heal.hook.as_ref().is_some_and(|hook| hook.first().is_none_or(|program| program.trim().is_empty())) {
            self.add(["heal", "hook"], ConfigProblem::EmptyList("hook".to_owned()));
        }
        if heal.hook_timeout > LONGEST_HOOK {
            self.add(
                ["heal", "hook_timeout"],
                ConfigProblem::TooLong { key: "hook_timeout".to_owned(), limit: "5m".to_owned() },
            );
        }
        if heal.backoff_seconds.is_empty() {
            self.add(["heal", "backoff_seconds"], ConfigProblem::EmptyList("backoff_seconds".to_owned()));
        }
        for (index, seconds) in heal.backoff_seconds.iter().enumerate() {
            self.bounds(["heal", "backoff_seconds", &index.to_string()], *seconds, 1, LONGEST_BACKOFF);
        }
    }

    fn memory(&mut self, memory: &MemoryConfig) {
        const LARGEST: u64 = 1024 * 1024;
        self.bounds(["memory", "warning_megabytes"], memory.warning_megabytes, 1, memory.critical_megabytes);
        self.bounds(["memory", "critical_megabytes"], memory.critical_megabytes, 1, memory.limit_megabytes);
        self.bounds(["memory", "limit_megabytes"], memory.limit_megabytes, 1, LARGEST);
    }

    fn gateway(&mut self, index: usize, gateway: &GatewayConfig, earlier: &[GatewayConfig]) {
        let index = index.to_string();
        let at = |key| ["gateway", index.as_str(), key];
        if !is_name(&gateway.name) {
            self.add(at("name"), ConfigProblem::BadName);
        }
        if earlier.iter().any(|other| other.name == gateway.name) {
            self.add(at("name"), ConfigProblem::SameName(gateway.name.clone()));
        }
        match gateway.port {
            Some(0) => self.bounds(at("port"), 0, 1, u64::from(u16::MAX)),
            Some(port) if earlier.iter().any(|other| other.port == Some(port)) => {
                self.add(at("port"), ConfigProblem::SamePort(port));
            }
            _ => {}
        }
        if gateway.profile.as_deref().is_some_and(|profile| !is_profile(profile)) {
            self.add(at("profile"), ConfigProblem::BadProfile);
        }
        if gateway
            .command
            .as_ref()
            .is_some_and(|command| command.first().is_none_or(|program| program.trim().is_empty()))
        {
            self.add(at("command"), ConfigProblem::EmptyList("command".to_owned()));
        }
        if gateway.service_label.as_ref().is_some_and(|label| label.trim().is_empty()) {
            self.add(at("service_label"), ConfigProblem::EmptyText("service_label".to_owned()));
        }
        for (position, host) in gateway.needs.hosts.iter().enumerate() {
            if !is_host(host) {
                self.add(
                    ["gateway", &index, "needs", "hosts", &position.to_string()],
                    ConfigProblem::BadHost(host.clone()),
                );
            }
        }
        for (name, value) in &gateway.environment {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                self.add(["gateway", &index, "environment", name], ConfigProblem::BadVariable(name.clone()));
            }
        }
    }

    fn positive<const N: usize>(&mut self, section: &str, durations: [(&str, Duration); N]) {
        for (key, duration) in durations {
            if duration.is_zero() {
                self.add([section, key], ConfigProblem::Zero(key.to_owned()));
            }
        }
    }

    fn order(&mut self, path: [&str; 2], value: Duration, limit: &str, most: Duration) {
        // A limit of zero is a problem of its own.
        if value > most && !most.is_zero() {
            self.add(path, ConfigProblem::TooLong { key: path.join("."), limit: limit.to_owned() });
        }
    }

    fn bounds<const N: usize>(&mut self, path: [&str; N], value: u64, least: u64, most: u64) {
        if value < least || value > most {
            let key = path.iter().rev().find(|part| part.parse::<usize>().is_err()).copied().unwrap_or_default();
            self.add(path, ConfigProblem::OutOfBounds { key: key.to_owned(), least, most });
        }
    }
}

fn is_name(name: &str) -> bool {
    name.chars().count() <= LONGEST_NAME
        && name.chars().next().is_some_and(char::is_alphanumeric)
        && !name.ends_with(' ')
        && name.chars().all(|letter| letter.is_alphanumeric() || " ._-".contains(letter))
}

/// `host:port`.
fn is_host(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(name, port)| {
        !name.is_empty() && !name.contains([' ', '/']) && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// OpenClaw's own rule for profiles (`PROFILE_NAME_RE` in 2026.9).
fn is_profile(profile: &str) -> bool {
    profile.len() <= 64
        && profile.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && profile.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
}

/// An address that secrets may go to: encrypted, or on this machine.
fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str().is_some_and(is_this_machine),
        _ => false,
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_part_of_a_file_name() {
        for good in ["gateway", "Home 2", "집", "a.b-c_d"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".hidden", "a/b", "a\nb", "-x", "x ", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
