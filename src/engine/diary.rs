//! What a step adds to the history beside the state: a look, lines of an incident's timeline, attempts.

use std::sync::Arc;
use std::time::Duration;

use crate::history::recorder::Recorder;
use crate::history::samples::Sample;
use crate::history::timeline::{Entry, Happening, HealRecord};
use crate::history::{Change, HistoryError};
use crate::metrics::Metrics;
use crate::supervisor::Supervisor;
use crate::supervisor::event::{Action, Event};
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::moment::{Moment, milliseconds};
use crate::supervisor::observation::{Exit, Identity, Observation};
use crate::supervisor::verdict::{Health, Severity, Verdict};

/// Least distance of two looks that are kept while nothing changes: half the usual one. In trouble there is one each
/// second.
const LEAST_DISTANCE: Duration = Duration::from_secs(5);

/// Longest time that one look vouches for: past this nobody has looked.
const LONGEST_SPELL: Duration = Duration::from_mins(2);

/// Where the core stood before a step.
pub(super) struct Standing {
    incident: Option<u64>,
    verdict: Verdict,
    health: Health,
    up: Option<bool>,
    running: Option<(u64, Rung)>,
}

impl Standing {
    pub(super) fn of(core: &Supervisor, now: Moment) -> Self {
        let incident = core.incident(now).map(|incident| incident.id);
        let up = match core.verdict().severity() {
            Severity::Good | Severity::Impaired => Some(true),
            Severity::Outage => Some(false),
            // A start-up after an outage is part of it; one that nobody needed is no one's loss.
            Severity::Neutral => incident.map(|_| false),
        };
        Self {
            incident,
            verdict: core.verdict().clone(),
            health: core.health(),
            up,
            running: core.running().map(|running| (running.id, running.rung)),
        }
    }
}

/// What an event brings that is kept.
#[derive(Default)]
pub(super) struct Facts {
    look: Option<Measured>,
    ended: Option<(u32, Exit)>,
}

struct Measured {
    process: Option<Identity>,
    latency: Option<Duration>,
    memory: Option<u64>,
    processor: Option<Duration>,
    files: Option<u64>,
}

impl Facts {
    pub(super) fn of(event: &Event) -> Self {
        match event {
            Event::Observed(seen) => Self { look: Some(measured(seen)), ended: None },
            Event::Exited { identity, exit } => Self { look: None, ended: Some((identity.pid, *exit)) },
            Event::Tick | Event::Heal { .. } | Event::Command(_) | Event::Suspending | Event::Woken => Self::default(),
        }
    }
}

fn measured(seen: &Observation) -> Measured {
    Measured {
        process: seen.process.identity().cloned(),
        latency: seen.latency,
        memory: seen.memory,
        processor: seen.processor,
        files: seen.open_files,
    }
}

/// The diary of one gateway.
#[derive(Debug)]
pub(super) struct Diary {
    gateway: String,
    recorder: Arc<Recorder>,
    metrics: Arc<Metrics>,
    /// When the last look was kept.
    kept: Option<Moment>,
    /// The processor time that a process had used.
    processor: Option<(Identity, Duration, Moment)>,
    /// The process whose end was written down last; a heal and the watch may both report it.
    ended: Option<u32>,
}

impl Diary {
    /// Of the gateway that is called `gateway` in the history.
    pub(super) fn new(gateway: &str, recorder: Arc<Recorder>, metrics: Arc<Metrics>) -> Self {
        metrics.expect(gateway);
        Self { gateway: gateway.to_owned(), recorder, metrics, kept: None, processor: None, ended: None }
    }

    /// Keeps the look, and makes a page of what else happened in a step.
    pub(super) fn note(
        &mut self,
        before: &Standing,
        facts: &Facts,
        core: &Supervisor,
        actions: &[Action],
        now: Moment,
    ) -> Page {
        let after = Standing::of(core, now);
        if let Some(latency) = facts.look.as_ref().and_then(|look| look.latency) {
            self.metrics.probe_answered(&self.gateway, latency);
        }
        for action in actions {
            if let Action::Concluded { id, outcome } = action
                && let Some((_, rung)) = before.running.filter(|(running, _)| running == id)
            {
                self.metrics.heal_ended(&self.gateway, rung, outcome);
            }
        }
        self.keep_look(before, &after, facts.look.as_ref(), now);
        self.page(before, &after, facts, core, actions, now)
    }

    fn keep_look(&mut self, before: &Standing, after: &Standing, look: Option<&Measured>, now: Moment) {
        let spent = self.kept.map(|kept| now.awake_since(kept));
        let changed = before.health != after.health || before.up != after.up;
        let due = look.is_some() && spent.is_none_or(|spent| spent >= LEAST_DISTANCE);
        if !changed && !due {
            return;
        }
        self.kept = Some(now);
        let spent = spent.unwrap_or_default().min(LONGEST_SPELL);
        let processor = look.and_then(|look| self.processor_use(look, now));
        self.recorder.note(Sample {
            gateway: self.gateway.clone(),
            at: now.wall,
            health: before.health,
            up: before.up,
            spent: u64::try_from(milliseconds(spent)).unwrap_or(0),
            latency: look.and_then(|look| look.latency).map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            memory: look.and_then(|look| look.memory),
            processor,
            files: look.and_then(|look| look.files),
        });
    }

    /// Processor use since the look before, in cores.
    fn processor_use(&mut self, look: &Measured, now: Moment) -> Option<f64> {
        let (process, used) = (look.process.clone()?, look.processor?);
        let before = self.processor.replace((process.clone(), used, now));
        let (_, used_then, then) = before.filter(|(earlier, ..)| earlier.is_same(&process))?;
        let time = now.awake_since(then);
        // A helper that ended took its share along.
        let work = used.checked_sub(used_then)?;
        (!time.is_zero()).then(|| work.as_secs_f64() / time.as_secs_f64())
    }

    fn page(
        &mut self,
        before: &Standing,
        after: &Standing,
        facts: &Facts,
        core: &Supervisor,
        actions: &[Action],
        now: Moment,
    ) -> Page {
        let mut page = Page::default();
        let Some(incident) = after.incident.or(before.incident) else {
            page.attempts(actions, now);
            return page;
        };
        let mut write = |at, happening| page.entries.push((incident, Entry { at, happening }));
        let opened = before.incident != Some(incident);
        if opened && let Some(lasting) = core.incident(now) {
            self.metrics.incident_began(&self.gateway);
            write(lasting.began, Happening::Observed { verdict: lasting.verdict });
        }
        if let Some((pid, exit)) = facts.ended
            && self.ended != Some(pid)
        {
            self.ended = Some(pid);
            write(now.wall, Happening::ProcessEnded { pid, exit });
        }
        let changed = before.verdict.name() != after.verdict.name() || before.health != after.health;
        if changed && !opened && after.incident.is_some() {
            write(now.wall, Happening::Changed { verdict: after.verdict.clone(), health: after.health });
        }
        for action in actions {
            match action {
                Action::Heal(heal) => {
                    let (rung, attempt, asked) = (heal.rung, heal.cause.attempt, heal.asked);
                    write(now.wall, Happening::HealBegan { heal: heal.id, rung, attempt, asked });
                }
                Action::Concluded { id, outcome } => {
                    if let Some((_, rung)) = before.running.filter(|(running, _)| running == id) {
                        write(now.wall, Happening::HealEnded { heal: *id, rung, outcome: outcome.clone() });
                    }
                }
                Action::Announce(alert) => write(now.wall, Happening::Told { alert: alert.kind.name().to_owned() }),
                Action::Probe | Action::KeepConfig { .. } | Action::Persist => {}
            }
        }
        let over = core.last_incident().filter(|over| after.incident.is_none() && over.id == incident);
        if let Some(over) = over {
            self.metrics.recovered(&self.gateway, Duration::from_millis(over.duration));
            write(over.ended.unwrap_or(now.wall), Happening::Over { downtime: over.duration });
        }
        page.attempts(actions, now);
        page
    }
}

/// What a step adds to the history.
#[derive(Default)]
pub(super) struct Page {
    entries: Vec<(u64, Entry)>,
    begun: Vec<HealRecord>,
    ended: Vec<(u64, i64, Outcome)>,
}

impl Page {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.begun.is_empty() && self.ended.is_empty()
    }

    pub(super) fn save(&self, change: &Change<'_>, gateway: &str) -> Result<(), HistoryError> {
        for (incident, entry) in &self.entries {
            change.add_entry(gateway, *incident, entry)?;
        }
        for heal in &self.begun {
            change.save_heal(gateway, heal)?;
        }
        for (heal, at, outcome) in &self.ended {
            change.end_heal(gateway, *heal, *at, outcome)?;
        }
        Ok(())
    }

    fn attempts(&mut self, actions: &[Action], now: Moment) {
        for action in actions {
            match action {
                Action::Heal(heal) => self.begun.push(HealRecord {
                    id: heal.id,
                    incident: heal.cause.incident,
                    rung: heal.rung.name().to_owned(),
                    asked: heal.asked,
                    verdict: heal.cause.verdict.name().to_owned(),
                    began: now.wall,
                    ended: None,
                    outcome: None,
                }),
                Action::Concluded { id, outcome } => self.ended.push((*id, now.wall, outcome.clone())),
                Action::Probe | Action::KeepConfig { .. } | Action::Announce(_) | Action::Persist => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::history::samples::Level;
    use crate::supervisor::event::HealReport;
    use crate::supervisor::observation::{Answer, HealthBody, PortOwner, ProcessState, ReadyBody, ServiceState};
    use crate::supervisor::policy::{Manager, Policy};
    use crate::supervisor::state::State;

    const SECOND: i64 = 1_000;

    fn at(millis: i64) -> Moment {
        Moment { awake: millis, elapsed: millis, wall: millis }
    }

    fn gone(now: i64) -> Event {
        let mut seen = Observation::nothing(at(now));
        seen.process = ProcessState::Gone;
        seen.health = Answer::Refused;
        seen.ready = Answer::Refused;
        seen.port = PortOwner::Free;
        seen.service = ServiceState::Unmanaged;
        Event::Observed(Box::new(seen))
    }

    fn well(now: i64, started: u64, used: u64) -> Event {
        let mut seen = Observation::nothing(at(now));
        let identity = Identity { pid: 7, started, command: "openclaw".to_owned() };
        seen.process = ProcessState::Running { identity, age: Duration::from_millis(u64::try_from(now).unwrap()) };
        seen.health = Answer::Json { status: 200, body: HealthBody { live: true } };
        seen.ready = Answer::Json { status: 200, body: ReadyBody { ready: true, ..ReadyBody::default() } };
        seen.port = PortOwner::Gateway;
        seen.service = ServiceState::Unmanaged;
        seen.latency = Some(Duration::from_micros(400));
        seen.memory = Some(1_000_000);
        seen.processor = Some(Duration::from_millis(used));
        Event::Observed(Box::new(seen))
    }

    struct World {
        history: Arc<History>,
        recorder: Arc<Recorder>,
        core: Supervisor,
        diary: Diary,
    }

    impl World {
        fn new() -> Self {
            let history = Arc::new(History::in_memory().unwrap());
            let recorder = Arc::new(Recorder::open(Arc::clone(&history), u64::MAX));
            let policy = Policy { manager: Manager::Ourselves, ..Policy::default() };
            let core = Supervisor::new(policy, State { seed: 1, ..State::default() }, at(0));
            Self { history, core, diary: Diary::new("gateway", Arc::clone(&recorder), Arc::default()), recorder }
        }

        fn step(&mut self, now: i64, event: Event) -> Vec<Action> {
            let (standing, facts) = (Standing::of(&self.core, at(now)), Facts::of(&event));
            let actions = self.core.step(at(now), event);
            let page = self.diary.note(&standing, &facts, &self.core, &actions, at(now));
            self.history.change(|change| page.save(change, "gateway")).unwrap();
            actions
        }

        fn written(&self) -> Vec<&'static str> {
            let entries = self.history.timeline("gateway", 1).unwrap();
            entries.iter().map(|entry| entry.happening.name()).collect()
        }
    }

    #[test]
    fn an_outage_is_written_down_from_the_first_failed_look_to_health_that_held() {
        let mut world = World::new();
        world.step(1, well(1, 1, 0));
        world.step(2, well(2, 1, 0));
        let identity = Identity { pid: 7, started: 1, command: "openclaw".to_owned() };
        let exit = Exit { code: None, signal: Some(9) };
        let begun = |actions: &[Action]| {
            actions.iter().find_map(|action| match action {
                Action::Heal(heal) => Some(heal.id),
                _ => None,
            })
        };
        let mut heal = begun(&world.step(10 * SECOND, Event::Exited { identity: identity.clone(), exit }));
        world.step(10 * SECOND + 1, Event::Exited { identity, exit });
        let mut now = 11 * SECOND;
        while heal.is_none() {
            assert!(now < 60 * SECOND, "no attempt was made");
            heal = begun(&world.step(now, gone(now)));
            now += SECOND;
        }
        let id = heal.unwrap();
        world.step(now, Event::Heal { id, report: HealReport::Done });
        let begun = now;
        while world.core.incident(at(now)).is_some() {
            assert!(now < begun + 1_000 * SECOND, "the incident never ended");
            now += SECOND;
            world.step(now, well(now, 2, 0));
        }
        let written = world.written();
        assert_eq!(written.first(), Some(&"observed"), "{written:?}");
        assert_eq!(written.last(), Some(&"over"), "{written:?}");
        for one in ["process_ended", "heal_began", "heal_ended"] {
            assert_eq!(written.iter().filter(|name| **name == one).count(), 1, "{one}: {written:?}");
        }
        assert!(written.contains(&"told"), "{written:?}");
        let heals = world.history.heals("gateway", 0, i64::MAX).unwrap();
        assert_eq!(heals.len(), 1);
        assert_eq!((heals[0].incident, heals[0].asked, heals[0].outcome.is_some()), (Some(1), false, true));
        world.recorder.write(now).unwrap();
        let uptime = world.history.uptime("gateway", 0, i64::MAX, Level::Looks).unwrap();
        assert!(uptime.down >= Duration::from_secs(1) && uptime.up > Duration::from_mins(1), "{uptime:?}");
    }

    #[test]
    fn looks_in_a_hurry_are_thinned_out_and_processor_use_is_in_cores() {
        let mut world = World::new();
        for second in 0..60 {
            let now = second * SECOND;
            world.step(now, well(now, 1, u64::try_from(second).unwrap() * 250));
        }
        world.recorder.write(60 * SECOND).unwrap();
        let points = world.history.points("gateway", 0, i64::MAX, Level::Looks).unwrap();
        assert!((12..=16).contains(&points.len()), "{points:?}");
        let last = points.last().unwrap();
        assert!((last.processor.unwrap().mean - 0.25).abs() < 1e-9, "{last:?}");
        assert_eq!(last.latency.unwrap().mean, 400);
    }
}
