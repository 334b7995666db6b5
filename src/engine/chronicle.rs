//! What a gateway's task remembers for the evidence: how its verdicts followed one another, and how it ended last.

use std::collections::VecDeque;

use crate::evidence::report::{ConfigFacts, LONGEST_LIST, Passage, Report, VERSION};
use crate::supervisor::Supervisor;
use crate::supervisor::configuration::ConfigStanding;
use crate::supervisor::ladder::Heal;
use crate::supervisor::moment::Moment;
use crate::supervisor::observation::Exit;
use crate::text::{Language, Phrase};

/// The memory of one gateway's task.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    passages: VecDeque<Passage>,
    exit: Option<Exit>,
    /// The incident that evidence was last collected of, and whether that was before something was destroyed.
    collected: Option<(u64, bool)>,
}

impl Chronicle {
    /// Notes where the core stands now, if that is news.
    pub(super) fn note(&mut self, core: &Supervisor, now: Moment) {
        let (verdict, health) = (core.verdict().name(), core.health().name());
        if self.passages.back().is_some_and(|last| last.verdict == verdict && last.health == health) {
            return;
        }
        if self.passages.len() >= LONGEST_LIST {
            self.passages.pop_front();
        }
        self.passages.push_back(Passage {
            at: now.wall,
            verdict: verdict.to_owned(),
            health: health.to_owned(),
            summary: core.verdict().say(Language::English),
        });
    }

    /// Notes how the gateway's process ended.
    pub(super) fn note_exit(&mut self, exit: Exit) {
        self.exit = Some(exit);
    }

    /// The report that is due before this attempt: before the first one of an incident, and before the first one that
    /// stops a process. The next question has another answer.
    pub(super) fn report_due(&mut self, core: &Supervisor, heal: &Heal, now: Moment) -> Option<Report> {
        let incident = heal.cause.incident?;
        let destroys = heal.stops_process();
        let before = self.collected.filter(|(known, _)| *known == incident).map(|(_, destroyed)| destroyed);
        if before.is_some_and(|destroyed| destroyed || !destroys) {
            return None;
        }
        self.collected = Some((incident, destroys));
        let lasting = core.incident(now);
        let shown = core.shown();
        Some(Report {
            version: VERSION,
            incident,
            began: lasting.as_ref().map_or(now.wall, |lasting| lasting.began),
            taken: now.wall,
            rung: heal.rung.name().to_owned(),
            attempt: heal.cause.attempt,
            verdict: heal.cause.verdict.name().to_owned(),
            summary: heal.cause.verdict.say(Language::English),
            history: self.passages.iter().cloned().collect(),
            exit: self.exit.or(lasting.and_then(|lasting| lasting.exit)),
            crashes: core.crashes(),
            lifeguard_version: env!("CARGO_PKG_VERSION").to_owned(),
            openclaw_version: shown.version.clone(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            config: ConfigFacts {
                fingerprint: core.state().config_stamp.map(|stamp| format!("{stamp:016x}")),
                changed_since_good: match core.config_standing() {
                    ConfigStanding::Unknown => None,
                    ConfigStanding::Good => Some(false),
                    ConfigStanding::Changed(_) => Some(true),
                },
                ..ConfigFacts::default()
            },
            ..Report::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::ladder::{Cause, Rung};
    use crate::supervisor::observation::Identity;
    use crate::supervisor::policy::Policy;
    use crate::supervisor::state::State;
    use crate::supervisor::verdict::Verdict;

    const NOW: Moment = Moment { awake: 1_000, elapsed: 1_000, wall: 5_000 };

    fn heal(incident: Option<u64>, rung: Rung, alive: bool) -> Heal {
        let target = alive.then(|| Identity { pid: 1, started: 1, command: String::new() });
        let cause = Cause { verdict: Verdict::Hung, incident, attempt: 1 };
        Heal { id: 1, rung, target, may_kill: false, hasty: false, asked: false, channels: Vec::new(), cause }
    }

    #[test]
    fn evidence_is_due_before_the_first_attempt_and_before_the_first_that_stops_something() {
        let core = Supervisor::new(Policy::default(), State::default(), NOW);
        let mut chronicle = Chronicle::default();
        let mut due = |incident, rung, alive| chronicle.report_due(&core, &heal(incident, rung, alive), NOW).is_some();
        assert!(!due(None, Rung::Restart, true), "nothing is the matter");
        assert!(due(Some(1), Rung::Start, false));
        assert!(!due(Some(1), Rung::Start, false));
        assert!(due(Some(1), Rung::Restart, true));
        assert!(!due(Some(1), Rung::Restart, true));
        assert!(!due(Some(1), Rung::StartChannels, true));
        assert!(due(Some(2), Rung::Restart, true), "another incident");
        assert!(!due(Some(2), Rung::Start, false));
    }

    #[test]
    fn a_report_says_what_is_the_matter_and_what_came_before() {
        let core = Supervisor::new(Policy::default(), State::default(), NOW);
        let mut chronicle = Chronicle::default();
        chronicle.note(&core, NOW);
        chronicle.note(&core, NOW);
        chronicle.note_exit(Exit { code: Some(78), signal: None });
        let report = chronicle.report_due(&core, &heal(Some(4), Rung::Restart, true), NOW).unwrap();
        assert_eq!((report.incident, report.verdict.as_str(), report.rung.as_str()), (4, "hung", "restart"));
        assert_eq!(report.history.len(), 1);
        assert_eq!(report.exit.and_then(|exit| exit.code), Some(78));
    }
}
