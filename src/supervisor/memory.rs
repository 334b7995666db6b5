//! Tending memory: telling of it once, and renewing a healthy gateway at a quiet moment before it runs out.

use super::Supervisor;
use super::event::{Action, AlertKind};
use super::ladder::Rung;
use super::moment::{Moment, milliseconds};
use super::observation::{Observation, ProcessState};
use super::policy::Manager;
use super::trend::{Leak, MemoryLevel};
use super::verdict::Severity;

impl Supervisor {
    /// The leak, if there is one.
    #[must_use]
    pub fn leak(&self) -> Option<Leak> {
        self.memory.leak()
    }

    /// Pieces of work that are in flight, where the gateway says so.
    #[must_use]
    pub fn in_flight(&self) -> Option<u32> {
        self.in_flight
    }

    /// How much of the allowed memory is in use.
    #[must_use]
    pub fn memory_level(&self) -> MemoryLevel {
        self.memory.level()
    }

    pub(super) fn note_memory(&mut self, now: Moment, seen: &Observation) {
        self.in_flight = seen.activity.as_ref().and_then(|activity| activity.in_flight);
        let (Some(bytes), ProcessState::Running { age, .. }) = (seen.memory, &seen.process) else { return };
        let before = (self.memory.level(), self.memory.leak().is_some());
        let new_point = self.memory.note(now, bytes, *age, &self.policy.memory);
        let changed = before != (self.memory.level(), self.memory.leak().is_some());
        // A point every two minutes is not worth a write to disk each time.
        if changed || (new_point && self.memory.points_since(&self.state.memory) >= POINTS_UNSAVED) {
            self.state.memory.clone_from(&self.memory);
        }
    }

    /// Tells of the memory, and renews the gateway when it is time.
    pub(super) fn tend_memory(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let calm = self.state.incident.is_none()
            && self.state.running.is_none()
            && self.state.pause.is_none()
            && !self.is_quiet()
            && self.latest.severity() == Severity::Good
            && self.verdict.severity() == Severity::Good;
        let Some(bytes) = self.shown.memory.filter(|_| calm) else { return };
        let leak = self.memory.leak();
        let level = if leak.is_some() { self.memory.level().max(MemoryLevel::Warning) } else { self.memory.level() };
        if level > self.state.memory_told {
            self.state.memory_told = level;
            let alert = self.alert(now, AlertKind::Memory { level, bytes, leak, renews: self.renews() });
            actions.push(alert);
        }
        if self.is_renewal_due() && self.may_renew(now) {
            self.state.renewals.note(now, self.policy.renewal_window);
            self.state.heals.note(now, self.policy.budget_window);
            self.launch(now, Rung::Graceful, false, false, actions);
            if let Some(running) = &mut self.state.running {
                running.renews = Some(bytes);
            }
        }
    }

    /// Whether the next quiet moment may be the one to restart it in.
    pub(super) fn is_short_of_memory(&self) -> bool {
        self.memory.level() >= MemoryLevel::Critical || self.is_limit_near()
    }

    fn is_limit_near(&self) -> bool {
        let horizon = u64::try_from(milliseconds(self.policy.leak_horizon)).unwrap_or(0);
        self.memory.leak().is_some_and(|leak| leak.limit_in <= horizon)
    }

    /// At the limit it is due; a graceful restart waits for running work. Before that, only while nothing runs.
    fn is_renewal_due(&self) -> bool {
        match self.memory.level() {
            MemoryLevel::Limit => true,
            MemoryLevel::Critical => self.in_flight == Some(0),
            MemoryLevel::Warning | MemoryLevel::Calm => self.is_limit_near() && self.in_flight == Some(0),
        }
    }

    /// Whether a gateway is restarted for want of memory at all. One that a person starts by hand is theirs to restart.
    fn renews(&self) -> bool {
        self.policy.memory.restart && !matches!(self.policy.manager, Manager::Nobody { start_when_dead: false })
    }

    fn may_renew(&self, now: Moment) -> bool {
        let rationed = self.state.renewals.wait(now, self.policy.renewals, self.policy.renewal_window).is_zero()
            && self.state.heals.wait(now, self.policy.budget, self.policy.budget_window).is_zero();
        self.renews() && rationed && self.obstacles.is_empty()
    }
}

/// Points of the trend that a crash of Lifeguard may lose: twenty minutes.
const POINTS_UNSAVED: usize = 10;
