//! Which (verdict, health, event) triples a run has gone through, and which cannot come, each with its reason.

use std::collections::BTreeMap;

use lifeguard::supervisor::Supervisor;
use lifeguard::supervisor::event::Event;
use lifeguard::supervisor::verdict::{Health, Severity, Verdict};

/// Kinds of events.
use super::gateway::refused_model;

const EVENTS: [&str; 5] = ["tick", "observed", "exited", "heal", "command"];

/// One verdict of each name.
fn verdicts() -> Vec<Verdict> {
    let text = String::new;
    vec![
        Verdict::Unknown(text()),
        Verdict::Healthy,
        Verdict::Starting(text()),
        Verdict::Draining,
        Verdict::NotReady(Vec::new()),
        Verdict::ChannelsSuppressed(Vec::new()),
        Verdict::Orphan,
        Verdict::Slow,
        Verdict::ModelRefused(refused_model()),
        Verdict::LoggedOut(Vec::new()),
        Verdict::ChannelsSilent(Vec::new()),
        Verdict::ChannelsDown(Vec::new()),
        Verdict::Overdue,
        Verdict::Gone,
        Verdict::CrashLoop,
        Verdict::Zombie,
        Verdict::Hung,
        Verdict::Failing(text()),
        Verdict::PortTaken { pid: None, name: text() },
        Verdict::StaleGateway { pid: 0 },
        Verdict::Refuses,
        Verdict::NotSpawned(text()),
        Verdict::Parked,
        Verdict::Updating,
        Verdict::ServiceNotLoaded,
        Verdict::ServiceDisabled,
        Verdict::Stopped,
        Verdict::NotInstalled,
    ]
}

/// Why a core never stands at this verdict and this health at once; `None` if it does.
fn unreachable(verdict: &Verdict, health: Health) -> Option<&'static str> {
    use Health::{Blocked, Degraded, Down, Healing, Healthy, NotInstalled, Paused, SafeMode, Stale, Starting, Stopped};
    let only = |possible: &[Health], reason| (!possible.contains(&health)).then_some(reason);
    // A person may ask for a pause or a restart whatever the verdict is.
    if matches!(health, Paused | Healing) {
        return None;
    }
    match (verdict, verdict.severity()) {
        (Verdict::PortTaken { .. } | Verdict::Parked | Verdict::ServiceDisabled, _) => {
            only(&[Blocked], "only a person mends this: it is shown as blocked")
        }
        (_, Severity::Outage) => only(&[Blocked, SafeMode, Down], "an outage is down, blocked or safe mode"),
        (_, Severity::Impaired) => only(&[Degraded], "what works in part is degraded"),
        (Verdict::Healthy, _) => {
            // A renewal for want of memory is shown as a start.
            only(&[Healthy, Starting], "what is healthy is shown so, or is being renewed")
        }
        (Verdict::Stopped, _) => only(&[Stopped], "what is stopped on purpose is shown so"),
        (Verdict::NotInstalled, _) => only(&[NotInstalled], "what is not installed is shown so"),
        (Verdict::Unknown(_), _) => {
            only(&[Stale, Starting], "what nobody knows is stale, or a quiet start of an earlier run")
        }
        (_, _) => only(&[Starting], "what is neither good nor bad is on its way"),
    }
}

/// The triples of a run, counted.
#[derive(Debug)]
pub(crate) struct Coverage {
    counts: Vec<u64>,
}

impl Coverage {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; verdicts().len() * Health::ALL.len() * EVENTS.len()] }
    }

    /// Where the core stands as an event comes.
    pub(crate) fn note(&mut self, core: &Supervisor, event: &Event) {
        let event = match event {
            // A notice of sleep moves what time moves.
            Event::Tick | Event::Suspending | Event::Woken => 0,
            Event::Observed(_) => 1,
            Event::Exited { .. } => 2,
            Event::Heal { .. } => 3,
            Event::Command(_) => 4,
        };
        let place = (place_of(core.verdict()) * Health::ALL.len() + core.health() as usize) * EVENTS.len() + event;
        self.counts[place] += 1;
    }

    /// What was reached, what cannot be, and what is missing, in lines.
    pub(crate) fn report(&self) -> Report {
        let mut report = Report::default();
        let mut place = 0;
        for verdict in verdicts() {
            for health in Health::ALL {
                let reason = unreachable(&verdict, health);
                for event in EVENTS {
                    let count = self.counts[place];
                    place += 1;
                    let name = || format!("{} x {} x {event}", verdict.name(), health.name());
                    match (count, reason) {
                        (0, Some(reason)) => *report.unreachable.entry(reason).or_default() += 1,
                        (0, None) => report.missing.push(name()),
                        (_, Some(_)) => report.impossible.push(name()),
                        (_, None) => report.reached += 1,
                    }
                }
            }
        }
        report
    }
}

/// What a run has covered.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) reached: usize,
    /// Triples that cannot come, by reason.
    pub(crate) unreachable: BTreeMap<&'static str, usize>,
    /// Triples that can come and did not.
    pub(crate) missing: Vec<String>,
    /// Triples that came although they cannot.
    pub(crate) impossible: Vec<String>,
}

fn place_of(verdict: &Verdict) -> usize {
    match verdict {
        Verdict::Unknown(_) => 0,
        Verdict::Healthy => 1,
        Verdict::Starting(_) => 2,
        Verdict::Draining => 3,
        Verdict::NotReady(_) => 4,
        Verdict::ChannelsSuppressed(_) => 5,
        Verdict::Orphan => 6,
        Verdict::Slow => 7,
        Verdict::ModelRefused(_) => 8,
        Verdict::LoggedOut(_) => 9,
        Verdict::ChannelsSilent(_) => 10,
        Verdict::ChannelsDown(_) => 11,
        Verdict::Overdue => 12,
        Verdict::Gone => 13,
        Verdict::CrashLoop => 14,
        Verdict::Zombie => 15,
        Verdict::Hung => 16,
        Verdict::Failing(_) => 17,
        Verdict::PortTaken { .. } => 18,
        Verdict::StaleGateway { .. } => 19,
        Verdict::Refuses => 20,
        Verdict::NotSpawned(_) => 21,
        Verdict::Parked => 22,
        Verdict::Updating => 23,
        Verdict::ServiceNotLoaded => 24,
        Verdict::ServiceDisabled => 25,
        Verdict::Stopped => 26,
        Verdict::NotInstalled => 27,
    }
}
