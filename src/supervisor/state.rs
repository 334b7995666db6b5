//! What the core must not lose: saved after every change, loaded at the next start.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::breaker::Breaker;
use super::counter::CrashCounter;
use super::incident::{Incident, IncidentSummary};
use super::ladder::Rung;
use super::limits::Window;
use super::moment::{Moment, Shift, milliseconds};
use super::observation::Identity;
use super::outage::Deed;
use super::trend::{MemoryLevel, MemoryTrend};

/// The newest layout of [`State`].
pub const VERSION: u32 = 1;

/// The core's memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Layout of this record.
    pub version: u32,
    /// Where the jitter's random numbers go on.
    pub seed: u64,
    /// Number of the next heal.
    pub next_heal: u64,
    /// Number of the next incident.
    pub next_incident: u64,
    /// The crash counter.
    pub crashes: CrashCounter,
    /// The circuit breaker.
    pub breaker: Breaker,
    /// Automatic heals: invariant 1 limits them.
    pub heals: Window,
    /// SIGKILLs: invariant 10 limits them.
    pub kills: Window,
    /// The incident that lasts.
    pub incident: Option<Incident>,
    /// The newest incident that is over.
    pub last_incident: Option<IncidentSummary>,
    /// Hands off.
    pub pause: Option<Pause>,
    /// The generation seen last.
    pub generation: Option<Generation>,
    /// The last generation ended with exit code 78.
    pub refused: bool,
    /// Fingerprint of OpenClaw's configuration file as it was seen last.
    pub config_stamp: Option<u64>,
    /// Lifeguard stops it for OpenClaw's doctor, and has not seen it run again.
    pub owes_start: bool,
    /// What somebody did to it on purpose, as it was weighed.
    pub deed: Option<Deed>,
    /// A person had it stopped by Lifeguard, and nobody has started it again.
    pub stopped: bool,
    /// Ends in good order that nobody asked Lifeguard for: now and then one is a restart of OpenClaw's own.
    pub orderly_ends: Window,
    /// The memory of this generation, as it was saved last.
    pub memory: MemoryTrend,
    /// What the person has been told of the memory of this generation.
    pub memory_told: MemoryLevel,
    /// Restarts for want of memory.
    pub renewals: Window,
    /// The attempt that is scheduled.
    pub attempt: Option<Attempt>,
    /// The attempt that is running.
    pub running: Option<RunningHeal>,
    /// Begin of the unbroken spell of health.
    pub healthy_since: Option<Moment>,
}

/// A pause asked for by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it ends by itself, on the clock that never steps.
    pub until: Option<Moment>,
}

/// One life of the gateway, from start to end; an in-process restart begins a new one in the same process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its process, if it was confirmed.
    pub identity: Option<Identity>,
    /// When it was born on the awake clock, in milliseconds, by the uptime that it reports.
    pub born: Option<i64>,
    /// When it was born on the wall clock, in Unix milliseconds, and no later: by its process's age, or where it began
    /// within a process that was known already, by its uptime.
    #[serde(default)]
    pub born_wall: Option<i64>,
    /// The same on the clock that counts sleep and never steps; by its uptime, where its process is not known.
    #[serde(default)]
    pub born_elapsed: Option<i64>,
    /// It has answered ready.
    pub was_ready: bool,
    /// It has answered a health endpoint in its own JSON: from then on a web page is no answer.
    #[serde(default)]
    pub speaks: bool,
}

impl Generation {
    /// Whether this is the process that it lives in.
    #[must_use]
    pub fn lives_in(&self, process: Option<&Identity>) -> bool {
        self.identity.as_ref().zip(process).is_some_and(|(own, other)| own.is_same(other))
    }

    /// Whether `self` is another, newer life than `earlier`.
    ///
    /// Two reports of one life differ by their latency: under two seconds is the same.
    #[must_use]
    pub fn is_newer_than(&self, earlier: &Self) -> bool {
        const LATENCY: i64 = 2_000;
        let other_process = match (&self.identity, &earlier.identity) {
            (Some(new), Some(old)) => !new.is_same(old),
            _ => false,
        };
        let reborn = match (self.born, earlier.born) {
            (Some(new), Some(old)) => new > old.saturating_add(LATENCY),
            _ => false,
        };
        other_process || reborn
    }
}

/// A scheduled attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it is due.
    pub at: Moment,
    /// How hard.
    pub rung: Rung,
    /// Skip the drain.
    pub hasty: bool,
}

/// An attempt that is running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningHeal {
    /// Its number.
    pub id: u64,
    /// How hard.
    pub rung: Rung,
    /// When it began.
    pub began: Moment,
    /// A person asked for it.
    pub asked: bool,
    /// It skips the drain.
    #[serde(default)]
    pub hasty: bool,
    /// It has leave for a SIGKILL of which no news has come: it may have been sent all the same.
    #[serde(default)]
    pub may_kill: bool,
    /// It is a restart of a healthy gateway for want of memory: its size in bytes.
    #[serde(default)]
    pub renews: Option<u64>,
    /// The generation that is to be replaced.
    pub from: Option<Generation>,
    /// When the service had done its part; from then on the probes decide.
    pub done: Option<Moment>,
    /// When it counts as failed.
    pub deadline: Moment,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            seed: 0,
            next_heal: 1,
            next_incident: 1,
            crashes: CrashCounter::default(),
            breaker: Breaker::Closed,
            heals: Window::default(),
            kills: Window::default(),
            incident: None,
            last_incident: None,
            pause: None,
            generation: None,
            refused: false,
            config_stamp: None,
            owes_start: false,
            deed: None,
            stopped: false,
            orderly_ends: Window::default(),
            memory: MemoryTrend::default(),
            memory_told: MemoryLevel::Calm,
            renewals: Window::default(),
            attempt: None,
            running: None,
            healthy_since: None,
        }
    }
}

/// The longest time that a saved state is taken to be old after a reboot: the wall clock, which tells it, may be wrong.
const LONGEST_ABSENCE: Duration = Duration::from_hours(7 * 24);

/// The shift from the clocks of the boot at `saved` to those of another boot at `now`.
///
/// Only the wall clock spans a reboot; a difference below zero counts as none, one above a week as a week.
#[must_use]
pub fn shift_between_boots(saved: Moment, now: Moment) -> Shift {
    let absence = now.wall.saturating_sub(saved.wall).clamp(0, milliseconds(LONGEST_ABSENCE));
    Shift {
        awake: now.awake.saturating_sub(absence).saturating_sub(saved.awake),
        elapsed: now.elapsed.saturating_sub(absence).saturating_sub(saved.elapsed),
    }
}

impl State {
    /// Moves every moment onto the clocks of another boot. No process outlives a boot.
    pub fn shift(&mut self, shift: Shift) {
        let moved = |moment: Moment| moment.shifted(shift);
        self.crashes.shift(shift);
        self.heals.shift(shift);
        self.kills.shift(shift);
        self.orderly_ends.shift(shift);
        self.renewals.shift(shift);
        // No process lives through a boot.
        self.memory.clear();
        self.memory_told = MemoryLevel::Calm;
        self.breaker = match self.breaker {
            Breaker::Open { until, trials } => Breaker::Open { until: moved(until), trials },
            other => other,
        };
        if let Some(incident) = &mut self.incident {
            incident.began = moved(incident.began);
            incident.good_since = None;
        }
        if let Some(pause) = &mut self.pause {
            pause.until = pause.until.map(moved);
        }
        if let Some(attempt) = &mut self.attempt {
            attempt.at = moved(attempt.at);
        }
        if let Some(deed) = &mut self.deed {
            deed.seen = moved(deed.seen);
        }
        self.generation = None;
        self.running = None;
        self.healthy_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_reboot_a_wait_goes_on_where_it_was() {
        let saved = Moment { awake: 500_000, elapsed: 900_000, wall: 1_000_000 };
        let now = Moment { awake: 20_000, elapsed: 20_000, wall: 1_060_000 };
        let shift = shift_between_boots(saved, now);
        let due = saved.after(Duration::from_secs(90)).shifted(shift);
        assert_eq!(due.elapsed_since(now), Duration::from_secs(30));
        assert_eq!(now.awake_since(saved.shifted(shift)), Duration::from_mins(1));
    }

    #[test]
    fn a_wall_clock_that_went_back_over_a_reboot_counts_as_no_time() {
        let saved = Moment { awake: 500_000, elapsed: 900_000, wall: 1_000_000 };
        let now = Moment { awake: 20_000, elapsed: 20_000, wall: 10 };
        let moved = saved.shifted(shift_between_boots(saved, now));
        assert_eq!(now.elapsed_since(moved), Duration::ZERO);
    }

    #[test]
    fn a_generation_is_new_by_its_process_or_by_its_birth() {
        let generation = |pid, born| Generation {
            identity: Some(Identity { pid, started: 1, command: String::new() }),
            born: Some(born),
            born_wall: None,
            born_elapsed: None,
            was_ready: false,
            speaks: false,
        };
        assert!(!generation(1, 10_900).is_newer_than(&generation(1, 10_000)));
        assert!(generation(1, 15_000).is_newer_than(&generation(1, 10_000)));
        assert!(generation(2, 10_000).is_newer_than(&generation(1, 10_000)));
    }
}
