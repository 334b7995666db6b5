//! One machine: its clock, its gateways with their cores, the two channels, and the queue of what comes next.
//!
//! The shell around the core is the engine's, in miniature and in its order: a step, its state and alerts stored
//! together, then what the step calls for.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use lifeguard::alert::GatewayAlert;
use lifeguard::alert::channel::{Confirmed, Failure as Undelivered};
use lifeguard::history::Stamp;
use lifeguard::supervisor::Supervisor;
use lifeguard::supervisor::event::{Action, Command, Event, HealReport};
use lifeguard::supervisor::intent::{Intent, IntentSeen};
use lifeguard::supervisor::ladder::Outcome;
use lifeguard::supervisor::observation::{Answer, Exit, Identity, Observation};
use lifeguard::supervisor::policy::Manager;
use lifeguard::supervisor::state::State;

use super::auditor::Auditor;
use super::channels::{Telling, Weather};
use super::clock::{Clock, MINUTE, SECOND, Time};
use super::coverage::Coverage;
use super::gateway::{Ailment, Flavour, Model, Truth, reachable};
use super::plan::{AFTERMATH, Ask, Fault, Gateway, KillPoint, Plan};
use super::service::{Job, Stage};

/// A thing to come.
#[derive(Debug)]
pub(crate) enum Coming {
    /// A fault of the plan.
    Fault(usize),
    /// What ails this gateway, or how it is, may change now.
    Change { gateway: usize },
    /// The process of this life ends, unless it has ended already.
    Die { gateway: usize, life: u64, exit: Exit },
    /// The service manager, or its user, starts it.
    Start { gateway: usize, after: u64 },
    /// A running heal goes on.
    Job { gateway: usize, token: u64 },
    /// Lifeguard is started.
    Launch,
    /// A channel's server is as it should be.
    Fair { channel: usize },
    /// What its user did to a gateway is undone.
    Undone { gateway: usize },
    /// For Lifeguard of this run.
    Lifeguard { run: u64, news: News },
    /// The end of the faults.
    Mended,
}

/// A thing to come for Lifeguard: it comes later if Lifeguard stands still, and never if it is dead.
#[derive(Debug)]
pub(crate) enum News {
    Tick { gateway: usize, token: u64 },
    Seen { gateway: usize, seen: Box<Observation>, truth: Truth },
    Ended { gateway: usize, identity: Identity, exit: Exit },
    Heal { gateway: usize, id: u64, report: HealReport },
    Asked { gateway: usize, ask: Ask },
    Lane { channel: usize },
    Arrives { channel: usize },
    Receipt { channel: usize, result: Box<Result<Confirmed, Undelivered>> },
}

#[derive(Debug)]
struct Entry {
    at: Time,
    number: u64,
    coming: Coming,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// One gateway, its core while Lifeguard lives, and what is kept on disk of it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) spec: Gateway,
    pub(crate) model: Model,
    pub(crate) core: Option<Supervisor>,
    pub(crate) disk: Option<(State, Stamp)>,
    pub(crate) audit: Auditor,
    pub(crate) job: Option<Job>,
    /// The process whose end was reported last.
    pub(crate) ended: Option<Identity>,
    tick: u64,
    missed: bool,
    /// The last round was answered: only a single one is missed.
    answered: bool,
}

/// The machine.
pub(crate) struct World<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) clock: Clock,
    pub(crate) members: Vec<Member>,
    pub(crate) telling: Telling,
    pub(crate) rng: fastrand::Rng,
    pub(crate) coverage: &'a mut Coverage,
    queue: BinaryHeap<Entry>,
    number: u64,
    /// Counts the runs of Lifeguard; odd ones are alive.
    run: u64,
    frozen_until: Time,
    pub(crate) armed: Option<(KillPoint, Time)>,
    lanes: [Time; 2],
    pub(crate) tokens: u64,
    /// Print what happens.
    aloud: bool,
    pub(crate) steps: u64,
}

/// What went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) invariant: String,
    pub(crate) at: Time,
}

impl<'a> World<'a> {
    pub(crate) fn new(plan: &'a Plan, coverage: &'a mut Coverage, aloud: bool) -> Self {
        let mut world = Self {
            plan,
            clock: Clock::new(),
            members: Vec::new(),
            telling: Telling::new(),
            rng: fastrand::Rng::with_seed(plan.seed ^ 0x5EED),
            coverage,
            queue: BinaryHeap::new(),
            number: 0,
            run: 0,
            frozen_until: 0,
            armed: None,
            lanes: [Time::MIN; 2],
            tokens: 0,
            aloud,
            steps: 0,
        };
        for (place, spec) in plan.gateways.iter().enumerate() {
            let mut model = Model::new(spec.policy.manager, spec.flavour, spec.startup);
            if spec.runs {
                model.start(0);
            }
            let audit = Auditor::new(&spec.policy, plan.calm);
            world.members.push(Member {
                spec: spec.clone(),
                model,
                core: None,
                disk: None,
                audit,
                job: None,
                ended: None,
                tick: 0,
                missed: false,
                answered: false,
            });
            world.await_ready(place);
        }
        world.push(0, Coming::Launch);
        for (index, planned) in plan.faults.iter().enumerate() {
            world.push(planned.at, Coming::Fault(index));
        }
        world.push(plan.length, Coming::Mended);
        world
    }

    /// Lives through the whole history; the first broken invariant ends it.
    pub(crate) fn run(mut self) -> Result<u64, Failure> {
        let end = self.plan.length + AFTERMATH;
        while let Some(entry) = self.queue.pop() {
            if entry.at > end {
                break;
            }
            self.clock.now = entry.at.max(self.clock.now);
            self.come(entry.coming);
            for place in 0..self.members.len() {
                if let Some(invariant) = self.members[place].audit.complaint.take() {
                    return Err(self.failure(format!("gateway {place}: {invariant}")));
                }
            }
            for channel in &mut self.telling.channels {
                if let Some(invariant) = channel.complaint.take() {
                    return Err(self.failure(invariant));
                }
            }
        }
        self.clock.now = end;
        self.check_the_end().map_err(|invariant| self.failure(invariant))?;
        Ok(self.steps)
    }

    fn failure(&self, invariant: String) -> Failure {
        Failure { invariant, at: self.clock.now }
    }

    /// Hours after the last fault everything is well, and everything is told.
    fn check_the_end(&self) -> Result<(), String> {
        for (place, member) in self.members.iter().enumerate() {
            let core = member.core.as_ref().ok_or("Lifeguard is not alive at the end")?;
            Auditor::check_the_end(core, self.clock.moment()).map_err(|what| format!("gateway {place}: {what}"))?;
        }
        match self.telling.waiting() {
            0 => Ok(()),
            waiting => Err(format!("end: {waiting} alerts are still not delivered")),
        }
    }

    pub(crate) fn push(&mut self, at: Time, coming: Coming) {
        self.number += 1;
        self.queue.push(Entry { at, number: self.number, coming });
    }

    /// For Lifeguard as it lives now, after `wait`.
    pub(crate) fn tell(&mut self, wait: Time, news: News) {
        let run = self.run;
        self.push(self.clock.now + wait, Coming::Lifeguard { run, news });
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.aloud {
            let now = self.clock.now;
            println!(
                "{:>4}h{:02}m{:02}.{:03}s  {}",
                now / 3_600_000,
                now / MINUTE % 60,
                now % MINUTE / SECOND,
                now % SECOND,
                text()
            );
        }
    }

    fn come(&mut self, coming: Coming) {
        match coming {
            Coming::Fault(index) => {
                let planned = self.plan.faults[index];
                self.say(|| format!("fault    {} {:?}", planned.gateway, planned.fault));
                self.strike(planned.gateway, planned.fault);
            }
            Coming::Change { gateway } => self.note_truth(gateway),
            Coming::Die { gateway, life, exit } => self.die(gateway, life, exit),
            Coming::Start { gateway, after } => {
                let model = &self.members[gateway].model;
                if model.process.is_none() && model.life == after && !model.stopped {
                    self.start(gateway);
                }
            }
            Coming::Job { gateway, token } => self.go_on(gateway, token),
            Coming::Launch => self.launch(),
            Coming::Fair { channel } => self.telling.channels[channel].weather = Weather::Fair,
            Coming::Undone { gateway } => self.undo(gateway),
            // What is being done, or waits to be heard, comes first.
            Coming::Mended if self.is_busy() => self.push(self.clock.now + MINUTE, Coming::Mended),
            Coming::Mended => self.mend(),
            Coming::Lifeguard { run, .. } if run != self.run => {}
            Coming::Lifeguard { run, news } if self.clock.now < self.frozen_until => {
                self.push(self.frozen_until, Coming::Lifeguard { run, news });
            }
            Coming::Lifeguard { news, .. } => self.hear(news),
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Tick { gateway, token } if token == self.members[gateway].tick => self.step(gateway, Event::Tick),
            News::Tick { .. } => {}
            News::Seen { gateway, seen, truth } => {
                let moment = self.clock.moment();
                self.members[gateway].audit.hear(&seen, truth, moment, self.clock.now);
                self.step(gateway, Event::Observed(seen));
            }
            News::Ended { gateway, identity, exit } => {
                let moment = self.clock.moment();
                self.members[gateway].audit.hear_end(&identity, moment);
                self.step(gateway, Event::Exited { identity, exit });
            }
            News::Asked { gateway, ask } => {
                let command = ask.command(self.clock.moment().wall);
                self.members[gateway].audit.note_command(command, self.clock.now);
                self.step(gateway, Event::Command(command));
            }
            News::Heal { gateway, id, report } => self.step(gateway, Event::Heal { id, report }),
            News::Lane { channel } => self.lane(channel),
            News::Arrives { channel } => {
                let Some(result) = self.telling.arrive(channel, &self.clock) else { return };
                self.say(|| {
                    let told = self.telling.channels[channel].in_hand.as_ref().map(|errand| {
                        (
                            errand.number,
                            errand.alert.id,
                            errand.alert.alert.kind.name(),
                            errand.edit.is_some(),
                            errand.repeat,
                            errand.folded,
                        )
                    });
                    format!("told     channel {channel} {told:?}: {}", result.is_ok())
                });
                if result.is_ok() && matches!(self.armed, Some((KillPoint::BeforeReceipt, _))) {
                    self.die_as_armed();
                    return;
                }
                self.tell(30, News::Receipt { channel, result: Box::new(result) });
            }
            News::Receipt { channel, result } => {
                let (moment, chance) = (self.clock.moment(), self.rng.f64());
                self.telling.channels[channel].conclude(&result, moment, chance);
                self.lane(channel);
            }
        }
    }

    /// A channel's lane looks for work.
    fn lane(&mut self, channel: usize) {
        let moment = self.clock.moment();
        let lane = &mut self.telling.channels[channel];
        if lane.in_hand.is_some() {
            return;
        }
        let until = lane.take_up(moment);
        if lane.in_hand.is_some() {
            let trip = self.rng.i64(20..400);
            self.tell(trip, News::Arrives { channel });
        } else if let Some(until) = until {
            let wait = until.saturating_sub(moment.elapsed).clamp(1, 30 * SECOND);
            let at = self.clock.now + wait;
            if self.lanes[channel] <= self.clock.now || at < self.lanes[channel] {
                self.lanes[channel] = at;
                self.tell(wait, News::Lane { channel });
            }
        }
    }

    /// One step of a core, and what the engine makes of it.
    pub(crate) fn step(&mut self, gateway: usize, event: Event) {
        let moment = self.clock.moment();
        let member = &mut self.members[gateway];
        let Some(core) = &mut member.core else { return };
        self.steps += 1;
        self.coverage.note(core, &event);
        member.audit.before(core, &event, self.clock.now);
        let stood = |core: &Supervisor| (core.verdict().name(), core.health().name(), core.crashes(), core.breaker());
        let before = if self.aloud { Some(stood(core)) } else { None };
        let actions = core.step(moment, event);
        let after = before.filter(|before| *before != stood(core)).map(|_| stood(core));
        member.audit.after(core, &actions, moment, self.clock.now);
        if let Some((verdict, health, crashes, breaker)) = after {
            self.say(|| format!("stands   {gateway} {verdict}, {health}, {crashes} crashes, {breaker:?}"));
        }
        if !actions.is_empty() && self.carry_out(gateway, actions).is_none() {
            return;
        }
        let member = &mut self.members[gateway];
        let Some(core) = &member.core else { return };
        let wait = Time::try_from(core.next_wake(moment).as_millis()).unwrap_or(Time::MAX / 4);
        member.audit.check_wait(wait);
        member.tick += 1;
        let token = member.tick;
        self.tell(wait, News::Tick { gateway, token });
    }

    /// What a step calls for, in the engine's order. `None`: Lifeguard did not live through it.
    fn carry_out(&mut self, gateway: usize, actions: Vec<Action>) -> Option<()> {
        let moment = self.clock.moment();
        let mut alerts: Vec<GatewayAlert> = Vec::new();
        for action in &actions {
            if let Action::Announce(alert) = action {
                self.say(|| {
                    format!("alert    {gateway} {} of {:?}", alert.kind.name(), alert.incident.as_ref().map(|i| i.id))
                });
                let name = format!("gateway-{gateway}");
                alerts.push(GatewayAlert {
                    id: 0,
                    gateway: name,
                    address: String::new(),
                    practice: false,
                    alert: alert.clone(),
                });
            }
        }
        let saves = actions.contains(&Action::Persist) || !alerts.is_empty();
        if saves && matches!(self.armed, Some((KillPoint::BeforeSave, _))) {
            self.die_as_armed();
            return None;
        }
        if saves {
            let stamp = Stamp { boot: Some(self.clock.boot_name()), saved: moment };
            let member = &mut self.members[gateway];
            let core = member.core.as_ref()?;
            member.audit.note_saved(core);
            member.disk = Some((core.state().clone(), stamp));
        }
        if !alerts.is_empty() {
            self.telling.record(&mut alerts, moment, &self.clock);
        }
        if saves && matches!(self.armed, Some((KillPoint::BeforeActions, _))) {
            self.die_as_armed();
            return None;
        }
        for action in actions {
            match action {
                Action::Probe => self.probe(gateway),
                Action::Heal(heal) => {
                    self.say(|| {
                        format!("heal     {gateway} {} {} for {}", heal.id, heal.rung.name(), heal.cause.verdict.name())
                    });
                    self.begin(gateway, heal);
                }
                Action::Concluded { id, outcome } => self.concluded(gateway, id, &outcome),
                Action::Announce(_) | Action::Persist | Action::KeepConfig { .. } => {}
            }
        }
        if !alerts.is_empty() {
            for channel in 0..self.telling.channels.len() {
                self.lane(channel);
            }
        }
        Some(())
    }

    fn concluded(&mut self, gateway: usize, id: u64, outcome: &Outcome) {
        self.say(|| format!("heal     {gateway} {id} ended: {}", outcome.name()));
    }

    fn probe(&mut self, gateway: usize) {
        let (now, moment) = (self.clock.now, self.clock.moment());
        let member = &mut self.members[gateway];
        if member.model.has(now, Ailment::ProbeLost) {
            member.audit.disturb(now, 3 * MINUTE);
            return;
        }
        let mut seen = member.model.look(now, moment, &mut self.rng);
        let truth = member.model.truth(now);
        if member.spec.networked && seen.dependencies.is_empty() {
            seen.dependencies.push(reachable());
        }
        let answered = matches!(seen.health, Answer::Json { .. } | Answer::Foreign { .. });
        let first = std::mem::replace(&mut member.answered, answered);
        if std::mem::take(&mut member.missed) && answered && first {
            member.answered = false;
            member.audit.disturb(now, member.audit.detection());
            seen.health = Answer::TimedOut;
            seen.startup = Answer::TimedOut;
            seen.ready = Answer::TimedOut;
        }
        let silent = seen.health == Answer::TimedOut;
        let took = if silent { 5 * SECOND } else { self.rng.i64(2..120) };
        self.tell(took, News::Seen { gateway, seen: Box::new(seen), truth });
    }

    /// Lifeguard starts, with what is on disk.
    fn launch(&mut self) {
        if self.run % 2 == 1 {
            return;
        }
        self.run += 1;
        let moment = self.clock.moment();
        self.say(|| "Lifeguard starts".to_owned());
        self.telling.open(moment);
        for gateway in 0..self.members.len() {
            let boot = self.clock.boot_name();
            let member = &mut self.members[gateway];
            let state = match &member.disk {
                None => State { seed: self.plan.seed | 1, ..State::default() },
                Some((state, stamp)) => {
                    // Through its text, as on disk.
                    let mut state: State = serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap();
                    if let Some(shift) = stamp.shift_to(Some(&boot), moment) {
                        state.shift(shift);
                    }
                    state
                }
            };
            member.audit.note_launch(&state, self.clock.now);
            member.core = Some(Supervisor::new(member.spec.policy.clone(), state, moment));
            let run = self.run;
            self.step(gateway, Event::Tick);
            if self.run != run {
                return;
            }
            if self.clock.now >= self.plan.length {
                self.step(gateway, Event::Command(Command::Resume));
            }
        }
        for channel in 0..self.telling.channels.len() {
            self.lane(channel);
        }
    }

    pub(crate) fn die_as_armed(&mut self) {
        if let Some((_, absence)) = self.armed.take() {
            self.end_lifeguard(absence);
        }
    }

    fn end_lifeguard(&mut self, absence: Time) {
        if self.run.is_multiple_of(2) {
            return;
        }
        self.say(|| "Lifeguard is killed".to_owned());
        self.run += 1;
        self.armed = None;
        self.frozen_until = 0;
        self.lanes = [Time::MIN; 2];
        self.telling.close();
        for member in &mut self.members {
            member.core = None;
            member.job = None;
            member.audit.note_death(self.clock.now + absence);
        }
        self.push(self.clock.now + absence, Coming::Launch);
    }

    fn strike(&mut self, gateway: usize, fault: Fault) {
        let now = self.clock.now;
        match fault {
            Fault::End(exit) => {
                let life = self.members[gateway].model.life;
                self.die(gateway, life, exit);
            }
            Fault::Ill { ailment, lasts, cured_by_end } => self.fall_ill(gateway, ailment, lasts, cured_by_end),
            Fault::InProcess => {
                let page = self.members[gateway].model.flavour == Flavour::Page;
                if let Some(process) = &mut self.members[gateway].model.process {
                    process.generation = now;
                    process.listens_at = now + 3 * SECOND;
                    process.ready_at = now + if page { 3 * SECOND } else { 5 * SECOND };
                    self.await_ready(gateway);
                }
            }
            Fault::Deed { intent, lasts, drains } => self.do_deed(gateway, intent, lasts, drains),
            Fault::Started => self.undo(gateway),
            Fault::Edited => {
                let model = &mut self.members[gateway].model;
                model.config_stamp += 1;
                model.config_changed = !model.config_changed;
                self.members[gateway].audit.disturb(now, MINUTE);
            }
            Fault::Interval(interval) => {
                let member = &mut self.members[gateway];
                member.spec.policy.probe_interval = interval;
                member.audit.note_interval(interval, now);
                if let Some(core) = &mut member.core {
                    core.set_policy(member.spec.policy.clone());
                    self.step(gateway, Event::Tick);
                }
            }
            Fault::Asked(ask) => self.tell(0, News::Asked { gateway, ask }),
            Fault::Missed => self.members[gateway].missed = true,
            Fault::LateReport { killed } => {
                let report = if killed { HealReport::Killed } else { HealReport::Done };
                self.members[gateway].audit.note_late_report(killed, self.clock.moment());
                self.tell(0, News::Heal { gateway, id: 0, report });
            }
            Fault::LateExit => {
                if let Some(identity) = self.members[gateway].ended.clone() {
                    self.tell(0, News::Ended { gateway, identity, exit: Exit::default() });
                }
            }
            Fault::Sleep(length) => {
                self.clock.sleep(length);
                self.disturb_all(2 * MINUTE);
                if length > 5 * SECOND {
                    self.note_standstill(true, length);
                }
            }
            Fault::ClockStep(by) => {
                self.clock.step_wall(by);
                for member in &mut self.members {
                    member.audit.note_clock_step();
                }
            }
            Fault::Reboot(off) => self.reboot(off),
            Fault::Standstill(length) => {
                self.frozen_until = self.frozen_until.max(now + length);
                // What a core does not notice it cannot heed: it looks once a minute at the latest.
                self.disturb_all(length + 2 * MINUTE);
                self.note_standstill(false, length);
            }
            Fault::Death { when: KillPoint::Idle, absence } => self.end_lifeguard(absence),
            Fault::Death { when, absence } => self.armed = Some((when, absence)),
            Fault::Weather { channel, weather, lasts } => {
                self.telling.channels[channel].weather = weather;
                self.push(now + lasts, Coming::Fair { channel });
            }
        }
        self.note_truth(gateway);
    }

    fn disturb_all(&mut self, length: Time) {
        for member in &mut self.members {
            member.audit.disturb(self.clock.now, length);
        }
    }

    fn note_standstill(&mut self, slept: bool, length: Time) {
        for member in &mut self.members {
            member.audit.note_standstill(self.clock.now, slept, length);
        }
    }

    fn fall_ill(&mut self, gateway: usize, ailment: Ailment, lasts: Time, cured_by_end: bool) {
        let now = self.clock.now;
        let member = &mut self.members[gateway];
        member.model.fall_ill(ailment, now + lasts, cured_by_end);
        member.audit.note_ailment(ailment, now, lasts);
        self.push(now + lasts, Coming::Change { gateway });
        let (life, model) = (self.members[gateway].model.life, &self.members[gateway].model);
        match ailment {
            Ailment::Uninstalled => {
                self.die(gateway, life, Exit { code: Some(0), signal: None });
                self.push(now + lasts, Coming::Start { gateway, after: life });
            }
            Ailment::Unloaded | Ailment::Disabled if model.is_managed() => {
                self.die(gateway, life, Exit { code: Some(0), signal: None });
                self.push(now + lasts, Coming::Start { gateway, after: life });
            }
            Ailment::Thief | Ailment::Leftover => self.die(gateway, life, Exit { code: Some(1), signal: None }),
            Ailment::Refuses => self.die(gateway, life, Exit { code: Some(78), signal: None }),
            Ailment::ShortLife { lifetime, exit } => {
                self.push(now + lifetime, Coming::Die { gateway, life, exit });
            }
            _ => {}
        }
        // Whoever runs it by hand looks after it when what ailed it is over.
        let after = self.members[gateway].model.life;
        self.push(now + lasts + 10 * MINUTE, Coming::Start { gateway, after });
    }

    fn do_deed(&mut self, gateway: usize, intent: Intent, lasts: Time, drains: Option<Time>) {
        let (now, wall) = (self.clock.now, self.clock.moment().wall);
        let member = &mut self.members[gateway];
        // Only a service can be parked.
        let intent = if member.model.is_managed() || intent != Intent::Maintenance { intent } else { Intent::Stop };
        let life = member.model.life;
        member.model.intent = Some(IntentSeen { intent, at: wall });
        let back = match intent {
            Intent::Stop => {
                member.model.stopped = true;
                lasts
            }
            Intent::Restart => 5 * SECOND,
            Intent::Update => lasts.min(20 * MINUTE),
            Intent::Maintenance => {
                member.model.fall_ill(Ailment::Disabled, now + lasts, false);
                lasts
            }
        };
        member.audit.note_deed(intent, now, now + back);
        let drains = drains.map(|length| length.min(back / 2));
        if let Some(process) = member.model.process.as_mut().filter(|_| drains.is_some()) {
            process.drains = true;
        }
        // The record is seen by the round that follows; the end comes a little later.
        self.push(
            now + drains.unwrap_or(500),
            Coming::Die { gateway, life, exit: Exit { code: Some(0), signal: None } },
        );
        self.push(now + back, Coming::Change { gateway });
        self.push(now + back, Coming::Undone { gateway });
    }

    /// Its user has it run again.
    fn undo(&mut self, gateway: usize) {
        let model = &mut self.members[gateway].model;
        model.stopped = false;
        // An update is known by what runs of it; the other records stay.
        model.intent = model.intent.filter(|seen| seen.intent != Intent::Update);
        if model.process.is_none() {
            self.start(gateway);
        }
    }

    fn reboot(&mut self, off: Time) {
        self.end_lifeguard(MINUTE);
        self.clock.reboot(off);
        for gateway in 0..self.members.len() {
            let member = &mut self.members[gateway];
            let life = member.model.life;
            member.audit.note_reboot(self.clock.now);
            let starts = !matches!(member.spec.policy.manager, Manager::Ourselves);
            self.die(gateway, life, Exit::default());
            if starts {
                self.push(self.clock.now + 20 * SECOND, Coming::Start { gateway, after: life });
            }
        }
    }

    fn is_busy(&self) -> bool {
        let at_work = |member: &Member| member.job.as_ref().is_some_and(|job| job.stage != Stage::Over);
        self.clock.now < self.frozen_until || self.members.iter().any(at_work)
    }

    fn mend(&mut self) {
        self.say(|| "everything is mended".to_owned());
        self.armed = None;
        for channel in &mut self.telling.channels {
            channel.weather = Weather::Fair;
        }
        for gateway in 0..self.members.len() {
            let member = &mut self.members[gateway];
            member.model.mend();
            member.missed = false;
            member.model.stopped = false;
            member.model.intent = None;
            member.audit.note_mended(self.clock.now);
            if member.core.is_some() {
                self.step(gateway, Event::Command(Command::Resume));
            }
            let member = &mut self.members[gateway];
            let by_hand = member.spec.policy.manager == Manager::Nobody { start_when_dead: false };
            let stopped = member.disk.as_ref().is_some_and(|(state, _)| state.stopped);
            // A process that was stuck for good is its user's to end.
            let stuck = member.model.process.as_ref().is_some_and(|process| process.ready_at == Time::MAX);
            if stuck {
                let life = member.model.life;
                self.die(gateway, life, Exit { code: None, signal: Some(9) });
            }
            if (by_hand || stopped) && self.members[gateway].model.process.is_none() {
                self.start(gateway);
            }
            self.note_truth(gateway);
        }
        if self.run.is_multiple_of(2) {
            self.push(self.clock.now, Coming::Launch);
        }
    }

    pub(crate) fn tell_aloud(&self, text: impl FnOnce() -> String) {
        self.say(text);
    }
}
