//! The auditor of one gateway: it knows the truth, keeps its own books, and complains when an invariant is broken.

use std::time::Duration;

use lifeguard::supervisor::Supervisor;
use lifeguard::supervisor::breaker::Breaker;
use lifeguard::supervisor::dependency::DependencyState;
use lifeguard::supervisor::event::{Command, Event, HealReport};
use lifeguard::supervisor::incident::Stage;
use lifeguard::supervisor::intent::Intent;
use lifeguard::supervisor::ladder::{Heal, Rung};
use lifeguard::supervisor::moment::Moment;
use lifeguard::supervisor::observation::{Answer, Exit, Identity, Observation, PortOwner, ProcessState};
use lifeguard::supervisor::policy::{Manager, Policy};
use lifeguard::supervisor::state::State;
use lifeguard::supervisor::verdict::{Health, Severity};

use super::clock::{MINUTE, SECOND, Time};
use super::gateway::{Ailment, Flavour, Model, Process, Truth};

/// What the core stood at before a step.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) health: Health,
    pub(crate) outage: bool,
    pub(crate) crashes: u32,
    pub(crate) breaker: Breaker,
    pub(crate) paused: bool,
    pub(crate) running: Option<(u64, bool)>,
    pub(crate) incident: Option<(u64, Moment, Stage)>,
    pub(crate) command: Option<Command>,
    /// The end of the process that was thought to be the gateway.
    pub(crate) exit: Option<Exit>,
    pub(crate) looked: bool,
}

/// A heal that was really begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) id: u64,
    pub(crate) at: Moment,
    pub(crate) asked: bool,
}

/// The books.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct Auditor {
    /// The first invariant that was broken.
    pub(crate) complaint: Option<String>,
    pub(crate) policy: Policy,
    pub(crate) calm: bool,
    pub(crate) truth: Truth,
    /// Since when it is so, with the same ailments.
    pub(crate) truth_since: Time,
    /// Since when it is so, whatever ails it.
    pub(crate) kind_since: Time,
    /// How it was before.
    pub(crate) kind_before: Truth,
    pub(crate) born: Time,
    /// It runs at all.
    pub(crate) alive: bool,
    /// What it does not need a heal for: the impairments that no restart mends.
    pub(crate) hopeless: bool,
    pub(crate) page: bool,
    /// It is down because its process ended, and nothing else is the matter.
    pub(crate) plain_end: bool,
    /// Until then the truth is no measure of the core: it cannot know it, or need not.
    pub(crate) disturbed_until: Time,
    /// A deed of its user explains what is so until then.
    pub(crate) deed_until: Time,
    pub(crate) deed: Option<(Intent, Time)>,
    /// A look has seen its record.
    pub(crate) deed_seen: bool,
    pub(crate) woke: Time,
    /// An attempt ran last.
    pub(crate) ran_until: Time,
    pub(crate) died: bool,
    /// First good observation of the present spell, as Lifeguard heard it.
    pub(crate) good_since: Option<Moment>,
    /// The same, of one generation.
    pub(crate) spell: Option<(Moment, Time)>,
    pub(crate) decayed: Option<Moment>,
    pub(crate) heard: Truth,
    pub(crate) heard_at: Time,
    /// When the newest round began that was heard, on the awake clock.
    heard_began: i64,
    pub(crate) lacks: Vec<DependencyState>,
    pub(crate) ended: Option<Identity>,
    ended_at: Option<Moment>,
    pub(crate) last_strike: Option<Moment>,
    pub(crate) heals: Vec<Made>,
    pub(crate) kills: Vec<Moment>,
    /// News of a SIGKILL that came when the heal it is of was long over: when, since the present one was given its leave.
    late_kills: Vec<Moment>,
    pub(crate) memory_ails: bool,
    pub(crate) edited: bool,
    /// The core was told of an outage by the state that it began with.
    pub(crate) inherited: bool,
    pub(crate) looked_at: Time,
    /// The distance of the look that is waited for.
    pub(crate) awaited: Duration,
    pub(crate) idle_steps: u32,
    /// What the core has told of the newest incident, and of it what is stored.
    pub(crate) told: Option<(u64, Vec<&'static str>)>,
    saved: Option<(u64, Vec<&'static str>)>,
    saved_decay: Option<Moment>,
    saved_good: Option<Moment>,
    saved_outage: bool,
    saved_spell: Option<(Moment, Time)>,
    saved_strike: Option<Moment>,
    /// Lifeguard has started and not looked yet.
    pub(crate) blind: bool,
    /// Bad looks in a row.
    bad_looks: u32,
    /// What ails it, as it was last.
    picture: (u64, Vec<Ailment>),
    pub(crate) before: Option<Before>,
}

impl Auditor {
    pub(crate) fn new(policy: &Policy, calm: bool) -> Self {
        Self {
            complaint: None,
            policy: policy.clone(),
            calm,
            truth: Truth::Starting,
            truth_since: 0,
            kind_since: 0,
            kind_before: Truth::Starting,
            born: 0,
            alive: false,
            hopeless: false,
            page: false,
            plain_end: false,
            disturbed_until: MINUTE,
            deed_until: 0,
            deed: None,
            deed_seen: false,
            woke: Time::MIN / 2,
            ran_until: 0,
            died: false,
            good_since: None,
            spell: None,
            decayed: None,
            heard: Truth::Starting,
            heard_at: 0,
            heard_began: i64::MIN,
            lacks: Vec::new(),
            ended: None,
            ended_at: None,
            last_strike: None,
            heals: Vec::new(),
            kills: Vec::new(),
            late_kills: Vec::new(),
            memory_ails: false,
            edited: false,
            inherited: false,
            looked_at: 0,
            awaited: policy.probe_interval,
            idle_steps: 0,
            told: None,
            saved: None,
            saved_decay: None,
            saved_good: None,
            saved_outage: false,
            saved_spell: None,
            saved_strike: None,
            blind: true,
            bad_looks: 0,
            picture: (0, Vec::new()),
            before: None,
        }
    }

    pub(crate) fn complain(&mut self, complaint: impl FnOnce() -> String) {
        if self.complaint.is_none() {
            self.complaint = Some(complaint());
        }
    }

    /// For so long the truth is no measure of the core.
    pub(crate) fn disturb(&mut self, now: Time, length: Time) {
        self.disturbed_until = self.disturbed_until.max(now + length + self.slowness());
    }

    pub(crate) fn is_disturbed(&self, now: Time) -> bool {
        now < self.disturbed_until
    }

    /// How long the truth has been as it is, and could be known.
    pub(crate) fn lasting(&self, now: Time) -> Time {
        now - self.truth_since.max(self.disturbed_until)
    }

    /// What seldom looks need beyond what the default needs.
    pub(crate) fn slowness(&self) -> Time {
        (self.detection() - 35 * SECOND).max(0)
    }

    /// A round that finds nothing takes five seconds, and it takes two to be sure.
    pub(crate) fn detection(&self) -> Time {
        2 * Time::try_from(self.policy.probe_interval.as_millis()).unwrap_or(Time::MAX) + 15 * SECOND
    }

    pub(crate) fn note_truth(&mut self, truth: Truth, model: &Model, now: Time) {
        self.alive = model.process.is_some();
        self.page = model.flavour == Flavour::Page;
        let cured = |ailment: &Ailment| {
            matches!(
                ailment,
                Ailment::Slow
                    | Ailment::LoggedOut
                    | Ailment::ModelRefused
                    | Ailment::ChannelDown
                    | Ailment::Orphan
                    | Ailment::ReadyHangs
                    | Ailment::NotReady { channel: false }
            )
        };
        let impairs = |ailment: &Ailment| {
            cured(ailment)
                || matches!(
                    ailment,
                    Ailment::Silent | Ailment::Overdue | Ailment::Suppressed | Ailment::NotReady { channel: true }
                )
        };
        self.hopeless = model.ailments(now).filter(impairs).all(|ailment| cured(&ailment));
        self.memory_ails |= model.ailments(now).any(|ailment| matches!(ailment, Ailment::Memory(_) | Ailment::Leak(_)));
        self.plain_end = !self.alive && model.ailments(now).next().is_none();
        let picture = (model.life, model.ailments(now).collect());
        self.born = model.process.as_ref().map_or(now, |process| process.born);
        if self.alive && self.deed.is_some_and(|(_, at)| now > at + SECOND) {
            self.deed = None;
        }
        if truth != self.truth {
            self.kind_since = now;
            self.kind_before = self.truth;
        }
        if truth != self.truth || picture != self.picture {
            self.truth = truth;
            self.truth_since = now;
            self.picture = picture;
        }
    }

    pub(crate) fn note_ailment(&mut self, ailment: Ailment, now: Time, lasts: Time) {
        match ailment {
            Ailment::Nothing | Ailment::Blind | Ailment::ProbeLost => self.disturb(now, lasts + 3 * MINUTE),
            Ailment::Uninstalled => self.disturb(now, 5 * MINUTE),
            _ => {}
        }
    }

    /// Looks have another distance from now on; one that is waited for keeps the old one.
    pub(crate) fn note_interval(&mut self, interval: Duration, now: Time) {
        let longest = self.detection();
        self.awaited = self.awaited.max(interval);
        self.policy.probe_interval = interval;
        self.disturb(now, longest.max(self.detection()));
    }

    pub(crate) fn note_deed(&mut self, intent: Intent, now: Time, until: Time) {
        self.deed = Some((intent, now));
        self.deed_seen = false;
        self.deed_until = until;
        self.disturb(now, until - now + 15 * MINUTE);
    }

    pub(crate) fn note_command(&mut self, command: Command, now: Time) {
        let length = match command {
            Command::Stop | Command::Restart { .. } => {
                self.deed = None;
                8 * MINUTE
            }
            Command::RollBack | Command::Reset | Command::Pause { .. } | Command::Resume | Command::Probe => 2 * MINUTE,
        };
        self.disturb(now, length);
    }

    /// A record that nobody has seen yet is dated wrongly from now on.
    pub(crate) fn note_clock_step(&mut self) {
        self.deed = self.deed.filter(|_| self.deed_seen);
    }

    /// Lifeguard was cut off for so long, and can know it.
    pub(crate) fn note_standstill(&mut self, now: Time, slept: bool, length: Time) {
        if slept || length > 2 * MINUTE + self.slowness() {
            self.woke = self.woke.max(now);
        }
    }

    /// The leave of a heal that has begun already cannot heed it.
    pub(crate) fn note_late_report(&mut self, killed: bool, now: Moment) {
        if killed {
            self.late_kills.push(now);
        }
    }

    pub(crate) fn note_death(&mut self, back: Time) {
        self.died = true;
        // What was not stored was never told, and never counted.
        self.told.clone_from(&self.saved);
        self.decayed = self.saved_decay;
        self.good_since = self.saved_good;
        self.spell = self.saved_spell;
        self.last_strike = self.saved_strike;
        self.disturb(back, 2 * MINUTE);
        self.lacks.clear();
        self.before = None;
    }

    /// All clocks begin anew, and no process lives through it.
    pub(crate) fn note_reboot(&mut self, now: Time) {
        self.disturb(now, 10 * MINUTE);
        self.deed = None;
        self.last_strike = None;
        self.spell = None;
        self.decayed = None;
        self.good_since = None;
        self.saved_decay = None;
        self.saved_good = None;
        self.saved_spell = None;
        self.saved_strike = None;
        self.heals.clear();
        self.kills.clear();
        self.late_kills.clear();
    }

    pub(crate) fn note_launch(&mut self, state: &State, now: Time) {
        self.disturb(now, 2 * MINUTE);
        self.inherited =
            self.saved_outage && state.incident.as_ref().is_some_and(|incident| incident.good_since.is_none());
        self.looked_at = now;
        self.heard_began = i64::MIN;
        self.woke = Time::MIN / 2;
        self.ended_at = None;
        self.blind = true;
        self.idle_steps = 0;
    }

    pub(crate) fn note_mended(&mut self, now: Time) {
        self.deed = None;
        self.disturb(now, 10 * MINUTE);
    }

    pub(crate) fn note_saved(&mut self, core: &Supervisor) {
        self.saved_outage = core.verdict().severity() == Severity::Outage;
        self.saved.clone_from(&self.told);
        self.saved_decay = self.decayed;
        self.saved_good = self.good_since;
        self.saved_spell = self.spell;
        self.saved_strike = self.last_strike;
        self.died = false;
    }

    /// The process ended, whoever has heard of it.
    pub(crate) fn note_end(&mut self, process: &Process, _exit: Exit, now: Time) {
        if now < process.ready_at && process.ready_at != Time::MAX {
            self.disturb(now, 5 * SECOND);
        }
    }

    pub(crate) fn hear_end(&mut self, identity: &Identity, moment: Moment) {
        // This run of Lifeguard has heard of it before: it is no news.
        if self.ended_at.is_some() && self.ended.as_ref().is_some_and(|ended| ended.is_same(identity)) {
            return;
        }
        self.ended_at = Some(moment);
        self.ended = Some(identity.clone());
    }

    /// What a round has seen, as it is handed to the core.
    pub(crate) fn hear(&mut self, seen: &Observation, truth: Truth, moment: Moment, now: Time) {
        let missed = seen.health == Answer::TimedOut && truth == Truth::Whole;
        // An answer to a question from before a sleep, or before an end, says nothing of what is now.
        let slept = moment.elapsed_since(seen.began).saturating_sub(moment.awake_since(seen.began));
        let before_end = self.ended_at.is_some_and(|ended| seen.began.awake < ended.awake);
        if slept > Duration::from_secs(5) || before_end || seen.began.awake < self.heard_began {
            return;
        }
        self.heard_began = seen.began.awake;
        self.blind = false;
        self.deed_seen |=
            self.deed.is_some_and(|(intent, at)| now > at && seen.intent.is_some_and(|seen| seen.intent == intent));
        self.heard = truth;
        self.heard_at = now;
        self.lacks.clear();
        self.lacks.extend(seen.dependencies.iter().filter(|state| state.trouble.is_some()).cloned());
        // During an update a version that answers with a web page cannot show that it works, and a missed answer of any
        // version belongs to the update.
        let hidden = (self.page || missed) && seen.intent.is_some_and(|record| record.intent == Intent::Update);
        // A web page from a port that nobody knows the owner of proves nothing.
        let unproven = self.page && seen.port == PortOwner::Unknown;
        // A process that listens no more may be starting anew within itself: that begins another spell.
        let closed = seen.health == Answer::Refused && matches!(seen.process, ProcessState::Running { .. });
        match truth {
            Truth::Whole if !missed && !hidden && !unproven => {
                let generation = generation(seen);
                match &self.spell {
                    Some((_, of)) if (*of - generation).abs() < 3_000 => {}
                    _ => {
                        self.spell = Some((seen.began, generation));
                        self.decayed = None;
                        self.good_since = None;
                    }
                }
                self.good_since.get_or_insert(seen.began);
                self.bad_looks = 0;
                self.inherited = false;
            }
            _ => {
                self.good_since = None;
                self.bad_looks += 1;
                // One bad look alone breaks no spell of health.
                if matches!(truth, Truth::Starting | Truth::Draining) || self.bad_looks > 1 || hidden || closed {
                    self.spell = None;
                    self.decayed = None;
                }
            }
        }
    }

    /// A heal is really begun.
    pub(crate) fn note_heal(&mut self, heal: &Heal, at: Moment, now: Time) {
        self.kills.append(&mut self.late_kills);
        if heal.rung != Rung::StartChannels {
            self.disturb(now, 0);
        }
        self.heals.retain(|made| at.awake_since(made.at) < self.policy.budget_window);
        self.heals.push(Made { id: heal.id, at, asked: heal.asked });
        let automatic = self.heals.iter().filter(|made| !made.asked).count();
        if automatic > self.policy.budget as usize {
            self.complain(|| format!("1 budget: {automatic} heals in one window"));
        }
    }

    /// What could not be made costs nothing.
    pub(crate) fn note_report(&mut self, id: u64, report: &HealReport) {
        if matches!(report, HealReport::Obstructed(_)) {
            self.heals.retain(|made| made.id != id);
        }
    }

    pub(crate) fn note_kill(&mut self, at: Moment, asked: bool) {
        self.kills.retain(|kill| at.awake_since(*kill) < self.policy.kill_window);
        self.kills.push(at);
        if !asked && self.kills.len() > self.policy.kill_budget as usize {
            let kills = self.kills.len();
            self.complain(|| format!("10 kills: {kills} SIGKILLs in one window"));
        }
    }

    /// Hours after the last fault.
    pub(crate) fn check_the_end(core: &Supervisor, now: Moment) -> Result<(), String> {
        let facts = [
            (core.health() == Health::Healthy, "it is not healthy"),
            (core.incident(now).is_none(), "an incident lasts"),
            (core.breaker() == Breaker::Closed, "the breaker is not closed"),
            (core.crashes() == 0, "the crash counter is not zero"),
            (core.pause().is_none(), "it is paused"),
        ];
        match facts.into_iter().find(|(holds, _)| !holds) {
            None => Ok(()),
            Some((_, what)) => Err(format!("2 end: hours after the last fault {what}: {:?}", core.verdict())),
        }
    }

    pub(crate) fn before(&mut self, core: &Supervisor, event: &Event, now: Time) {
        let state = core.state();
        if state.pause.is_some() {
            self.disturb(now, 2 * MINUTE);
        }
        let current = state.generation.as_ref().and_then(|generation| generation.identity.as_ref());
        let exit = match event {
            Event::Exited { identity, exit } if current.is_some_and(|current| current.is_same(identity)) => Some(*exit),
            _ => None,
        };
        self.before = Some(Before {
            health: core.health(),
            outage: core.verdict().severity() == Severity::Outage,
            crashes: core.crashes(),
            breaker: core.breaker(),
            paused: state.pause.is_some(),
            running: state.running.as_ref().map(|running| (running.id, running.asked)),
            incident: state.incident.as_ref().map(|incident| (incident.id, incident.began, incident.told)),
            command: if let Event::Command(command) = event { Some(*command) } else { None },
            exit,
            looked: matches!(event, Event::Observed(_)),
        });
    }

    pub(crate) fn is_managed(&self) -> bool {
        matches!(self.policy.manager, Manager::ServiceManager { .. })
    }
}

/// When the generation that was seen began, on the awake clock; its process, where it does not say.
fn generation(seen: &Observation) -> Time {
    let uptime = seen.ready.body().and_then(|ready| ready.uptime).or(match &seen.process {
        ProcessState::Running { age, .. } => Some(*age),
        ProcessState::Unknown | ProcessState::Gone => None,
    });
    seen.began.awake - uptime.map_or(0, |uptime| i64::try_from(uptime.as_millis()).unwrap_or(0))
}
