//! What a view may know of the core.

use std::time::Duration;

use super::Supervisor;
use super::breaker::Breaker;
use super::incident::IncidentSummary;
use super::moment::Moment;
use super::observation::{Identity, Observation, ProcessState};
use super::state::{Attempt, Pause, RunningHeal};
use super::verdict::{Health, Severity, Verdict};

/// Facts of the newest observation that are shown, not judged by.
#[derive(Debug, Clone)]
pub struct Shown {
    /// When the newest round began.
    pub checked: Option<Moment>,
    /// The gateway's process.
    pub process: Option<Identity>,
    /// OpenClaw's version.
    pub version: Option<String>,
    /// How long this generation was up when the round began.
    pub uptime: Option<Duration>,
    /// Latency of the last answered `/healthz`.
    pub latency: Option<Duration>,
    /// Resident memory of the process tree, in bytes.
    pub memory: Option<u64>,
    /// The health shown after the last step.
    pub health: Health,
    /// Since when.
    pub since: Moment,
}

impl Shown {
    pub(super) fn new(now: Moment) -> Self {
        Self {
            checked: None,
            process: None,
            version: None,
            uptime: None,
            latency: None,
            memory: None,
            health: Health::Stale,
            since: now,
        }
    }

    pub(super) fn observe(&mut self, seen: &Observation) {
        self.checked = Some(seen.began);
        match &seen.process {
            ProcessState::Running { identity, .. } => self.process = Some(identity.clone()),
            ProcessState::Gone => self.forget_process(),
            ProcessState::Unknown => {}
        }
        if let Some(startup) = seen.startup.body() {
            self.version.clone_from(&startup.version);
        }
        let process_age = match &seen.process {
            ProcessState::Running { age, .. } => Some(*age),
            ProcessState::Unknown | ProcessState::Gone => None,
        };
        self.uptime = seen
            .startup
            .body()
            .and_then(|startup| startup.uptime)
            .or_else(|| seen.ready.body().and_then(|ready| ready.uptime))
            .or(process_age);
        self.latency = seen.latency;
        self.memory = seen.memory;
    }

    pub(super) fn forget_process(&mut self) {
        self.process = None;
        self.uptime = None;
        self.memory = None;
        self.latency = None;
    }
}

impl Supervisor {
    /// Facts of the newest observation.
    #[must_use]
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// The state that a person sees.
    #[must_use]
    pub fn health(&self) -> Health {
        let state = &self.state;
        if state.pause.is_some() {
            return Health::Paused;
        }
        if let Some(running) = &state.running {
            let first_start = state.incident.is_none() && !running.asked;
            return if first_start { Health::Starting } else { Health::Healing };
        }
        match self.verdict.severity() {
            Severity::Outage if self.needs_person() || self.is_obstructed() => Health::Blocked,
            Severity::Outage if matches!(state.breaker, Breaker::Open { .. }) => Health::SafeMode,
            Severity::Outage => Health::Down,
            Severity::Impaired => Health::Degraded,
            Severity::Good if state.incident.is_some() => Health::Healing,
            Severity::Good => Health::Healthy,
            Severity::Neutral => match self.verdict {
                Verdict::Stopped => Health::Stopped,
                Verdict::NotInstalled => Health::NotInstalled,
                Verdict::Unknown(_) => Health::Stale,
                _ => Health::Starting,
            },
        }
    }

    pub(super) fn note_health(&mut self, now: Moment) {
        let health = self.health();
        if health != self.shown.health {
            self.shown.health = health;
            // Health outlives a restart of Lifeguard.
            let healthy_since = self.state.healthy_since.filter(|_| health == Health::Healthy);
            self.shown.since = healthy_since.unwrap_or(now);
        }
    }

    /// The confirmed verdict.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The numbers that it decides by.
    #[must_use]
    pub fn policy(&self) -> &super::policy::Policy {
        &self.policy
    }

    /// The crash counter.
    #[must_use]
    pub fn crashes(&self) -> u32 {
        self.state.crashes.count()
    }

    /// When the counter will be zero if no crash comes.
    #[must_use]
    pub fn crashes_clear(&self) -> Option<Moment> {
        self.state.crashes.clears(&self.policy)
    }

    /// The breaker.
    #[must_use]
    pub fn breaker(&self) -> Breaker {
        self.state.breaker
    }

    /// The next attempt.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        self.state.attempt
    }

    /// The running attempt.
    #[must_use]
    pub fn running(&self) -> Option<&RunningHeal> {
        self.state.running.as_ref()
    }

    /// The incident that lasts.
    #[must_use]
    pub fn incident(&self, now: Moment) -> Option<IncidentSummary> {
        self.state.incident.as_ref().map(|incident| incident.summary(now, false))
    }

    /// The newest incident that is over.
    #[must_use]
    pub fn last_incident(&self) -> Option<&IncidentSummary> {
        self.state.last_incident.as_ref()
    }

    /// The pause.
    #[must_use]
    pub fn pause(&self) -> Option<Pause> {
        self.state.pause
    }
}
