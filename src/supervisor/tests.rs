//! The core's rules, in virtual time, against a gateway of a few lines.

use std::time::Duration;

use proptest::prelude::*;

use super::event::{Alert, AlertKind, HealReport};
use super::ladder::{Heal, Outcome, Rung};
use super::observation::{
    Answer, Exit, HealthBody, Identity, PortOwner, ProcessState, ReadyBody, ServiceState, StartupBody,
};
use super::*;
use crate::supervisor::verdict::Health;

/// How the modelled gateway behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    /// Answers, once it has been up for its start-up time.
    Well,
    /// Accepts and does not answer.
    Hung,
    /// Dies this long after each start.
    DiesAfter(Duration),
    /// Refuses to start: exit code 78.
    Refuses,
    /// Live, not ready.
    NotReady,
}

/// A gateway, a service and a clock.
struct World {
    core: Supervisor,
    now: Moment,
    mood: Mood,
    startup: Duration,
    process: Option<(Identity, Moment)>,
    next_pid: u32,
    heals: Vec<(Moment, Heal)>,
    kills: Vec<Moment>,
    alerts: Vec<Alert>,
    outcomes: Vec<Outcome>,
    persists: u32,
}

const BEGIN: Moment = Moment { awake: 1_000_000, elapsed: 1_000_000, wall: 1_700_000_000_000 };

impl World {
    fn new(policy: Policy) -> Self {
        let mut world = Self {
            core: Supervisor::new(policy, State::default(), BEGIN),
            now: BEGIN,
            mood: Mood::Well,
            startup: Duration::from_secs(8),
            process: None,
            next_pid: 100,
            heals: Vec::new(),
            kills: Vec::new(),
            alerts: Vec::new(),
            outcomes: Vec::new(),
            persists: 0,
        };
        world.start();
        world
    }

    /// A world whose gateway has been healthy for a while.
    fn healthy() -> Self {
        let mut world = Self::new(Policy::default());
        world.run(Duration::from_mins(3));
        assert_eq!(world.core.health(), Health::Healthy);
        world
    }

    fn start(&mut self) {
        self.next_pid += 1;
        let identity = Identity { pid: self.next_pid, started: 1, command: "openclaw-gateway".to_owned() };
        self.process = Some((identity, self.now));
    }

    fn die(&mut self, exit: Exit) {
        if let Some((identity, _)) = self.process.take() {
            self.feed(Event::Exited { identity, exit });
        }
    }

    fn kill(&mut self) {
        self.die(Exit { code: None, signal: Some(9) });
    }

    fn look(&self) -> Observation {
        let mut seen = Observation::nothing(self.now);
        seen.service = ServiceState::Unmanaged;
        let Some((identity, born)) = &self.process else {
            seen.process = ProcessState::Gone;
            seen.health = Answer::Refused;
            seen.port = PortOwner::Free;
            return seen;
        };
        let age = self.now.awake_since(*born);
        seen.process = ProcessState::Running { identity: identity.clone(), age };
        if age < self.startup {
            seen.health = Answer::Refused;
            return seen;
        }
        seen.port = PortOwner::Gateway;
        if self.mood == Mood::Hung {
            seen.health = Answer::TimedOut;
            return seen;
        }
        seen.health = Answer::Json { status: 200, body: HealthBody { live: true } };
        seen.startup = Answer::Json {
            status: 200,
            body: StartupBody { started: true, uptime: Some(age), ..StartupBody::default() },
        };
        let ready = self.mood != Mood::NotReady;
        let failing = if ready { Vec::new() } else { vec!["telegram".to_owned()] };
        seen.ready = Answer::Json {
            status: if ready { 200 } else { 503 },
            body: ReadyBody { ready, failing, ..ReadyBody::default() },
        };
        seen
    }

    fn feed(&mut self, event: Event) {
        for action in self.core.step(self.now, event) {
            match action {
                Action::Probe => {
                    let seen = self.look();
                    self.feed(Event::Observed(Box::new(seen)));
                }
                Action::Heal(heal) => self.do_heal(&heal),
                Action::Concluded { outcome, .. } => self.outcomes.push(outcome),
                Action::Announce(alert) => self.alerts.push(alert),
                Action::Persist => self.persists += 1,
            }
        }
    }

    fn do_heal(&mut self, heal: &Heal) {
        self.heals.push((self.now, heal.clone()));
        if self.process.is_some() {
            if heal.hasty && heal.may_kill {
                self.kills.push(self.now);
                self.feed(Event::Heal { id: heal.id, report: HealReport::Killed });
            } else if self.mood == Mood::Hung {
                let reason = "it ignores SIGTERM".to_owned();
                self.feed(Event::Heal { id: heal.id, report: HealReport::Failed(reason) });
                return;
            }
            self.kill();
        }
        self.start();
        if self.mood == Mood::Hung {
            self.mood = Mood::Well;
        }
        self.feed(Event::Heal { id: heal.id, report: HealReport::Done });
    }

    fn run(&mut self, time: Duration) {
        let end = self.now.after(time);
        while self.now.elapsed < end.elapsed {
            let lifetime = match self.mood {
                Mood::DiesAfter(lifetime) => Some((lifetime, Exit { code: Some(1), signal: None })),
                Mood::Refuses => Some((Duration::from_secs(2), Exit { code: Some(78), signal: None })),
                _ => None,
            };
            let death = self.process.as_ref().zip(lifetime).map(|((_, born), (time, exit))| (born.after(time), exit));
            let left = |moment: Moment| moment.elapsed_since(self.now);
            let wait = self.core.next_wake(self.now).clamp(Duration::from_millis(1), Duration::from_secs(10));
            let wait = death.map_or(wait, |(at, _)| wait.min(at.awake_since(self.now))).min(left(end));
            self.now = self.now.after(wait);
            if let Some((at, exit)) = death
                && self.now.awake >= at.awake
            {
                self.die(exit);
            }
            self.feed(Event::Tick);
        }
    }

    fn sleep(&mut self, time: Duration) {
        let later = self.now.after(time);
        self.now = Moment { awake: self.now.awake, ..later };
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.alerts.iter().map(|alert| alert.kind.name()).collect()
    }

    fn gaps(&self) -> Vec<u64> {
        self.heals.windows(2).map(|pair| pair[1].0.elapsed_since(pair[0].0).as_secs()).collect()
    }
}

#[test]
fn the_first_crash_in_a_while_is_healed_in_the_same_step() {
    let mut world = World::healthy();
    let crashed = world.now;
    world.kill();
    assert_eq!(world.heals.len(), 1);
    assert_eq!(world.heals[0].0, crashed);
    assert_eq!(world.heals[0].1.rung, Rung::Start);
    assert_eq!(world.core.health(), Health::Healing);
    assert_eq!(world.kinds(), ["down"]);
    world.run(Duration::from_secs(67));
    assert_eq!(world.outcomes, [Outcome::Restarted]);
    assert_eq!(world.kinds(), ["down"], "health has not held yet");
    world.run(Duration::from_secs(5));
    assert_eq!(world.kinds(), ["down", "recovered"]);
    let AlertKind::Recovered { downtime, attempts, fixed_by } = &world.alerts[1].kind else { panic!() };
    assert!((8_000..=9_100).contains(downtime), "{downtime}");
    assert_eq!((*attempts, *fixed_by), (1, Some(Rung::Start)));
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.core.crashes(), 1);
}

#[test]
fn a_gateway_of_our_own_that_never_ran_is_started_and_no_alarm_is_raised() {
    let mut world = World::new(Policy::default());
    world.process = None;
    world.run(Duration::from_mins(3));
    assert_eq!(world.heals.len(), 1);
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.core.crashes(), 0);
    assert!(world.alerts.is_empty(), "{:?}", world.kinds());
}

#[test]
fn a_first_start_that_fails_is_an_outage() {
    let mut world = World::new(Policy::default());
    world.process = None;
    world.mood = Mood::DiesAfter(Duration::from_secs(1));
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds(), ["down"]);
}

#[test]
fn a_crash_loop_backs_off_then_enters_safe_mode_and_goes_on_with_trials() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_hours(12));
    assert_eq!(world.core.crashes(), 6);
    let kinds = world.kinds();
    assert_eq!(kinds.iter().filter(|kind| **kind == "down").count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "safe_mode").count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&"recovered"));
    assert_eq!(world.core.health(), Health::SafeMode);
    let gaps = world.gaps();
    // Attempts at 0, 10, 30, 90 (held back by the budget of 3 in 5 min), 180 s after the death that they answer.
    assert!((30..=33).contains(&gaps[0]), "{gaps:?}");
    assert!((50..=54).contains(&gaps[1]), "{gaps:?}");
    assert!(gaps[2] >= 110, "{gaps:?}");
    assert!(gaps.last().is_some_and(|gap| *gap >= 4_800), "{gaps:?}");
    let next = world.core.attempt().expect("a trial is always scheduled");
    assert!(next.at.elapsed_since(world.now) <= Duration::from_hours(6));
}

#[test]
fn a_gateway_that_is_mended_during_safe_mode_recovers_by_the_next_trial() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_hours(2));
    assert_eq!(world.core.health(), Health::SafeMode);
    world.mood = Mood::Well;
    world.run(Duration::from_hours(6));
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.core.breaker(), breaker::Breaker::Closed);
    assert_eq!(world.kinds().last(), Some(&"recovered"));
}

#[test]
fn a_hang_is_shown_within_25_seconds_and_healed_after_its_patience_with_one_kill() {
    let mut world = World::healthy();
    world.mood = Mood::Hung;
    let hung = world.now;
    while world.core.health() == Health::Healthy {
        world.run(Duration::from_millis(500));
    }
    // In this world an answer that never comes costs no time; at the defaults it costs 5 s per round.
    assert!(world.now.elapsed_since(hung) <= Duration::from_secs(13));
    assert_eq!(world.core.verdict(), &Verdict::Hung);
    assert!(world.heals.is_empty(), "short blocks end by themselves");
    world.run(Duration::from_secs(80));
    assert_eq!(world.heals.len(), 1);
    assert_eq!(world.heals[0].1.rung, Rung::Restart);
    assert_eq!(world.kills.len(), 1);
    world.run(Duration::from_mins(2));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

#[test]
fn a_hang_that_ends_by_itself_is_not_restarted() {
    let mut world = World::healthy();
    world.mood = Mood::Hung;
    world.run(Duration::from_secs(40));
    world.mood = Mood::Well;
    world.run(Duration::from_mins(2));
    assert!(world.heals.is_empty());
    let AlertKind::Recovered { fixed_by, attempts, .. } = &world.alerts[1].kind else { panic!() };
    assert_eq!((*fixed_by, *attempts), (None, 0));
}

#[test]
fn an_answer_to_a_question_from_before_the_end_changes_nothing() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_secs(20));
    assert_eq!(world.core.verdict(), &Verdict::Gone);
    let mut late = world.look();
    late.began = world.now.before(Duration::from_secs(5));
    late.health = Answer::Broken("connection reset by peer".to_owned());
    for _ in 0..3 {
        world.feed(Event::Observed(Box::new(late.clone())));
    }
    assert_eq!(world.core.verdict(), &Verdict::Gone);
}

#[test]
fn one_missed_answer_is_no_outage() {
    let mut world = World::healthy();
    let mut seen = world.look();
    seen.health = Answer::TimedOut;
    world.feed(Event::Observed(Box::new(seen)));
    assert_eq!(world.core.health(), Health::Healthy);
    world.run(Duration::from_mins(5));
    assert!(world.alerts.is_empty());
}

#[test]
fn exit_78_is_tried_only_by_trials_and_tells_the_person_to_act() {
    let mut world = World::healthy();
    world.mood = Mood::Refuses;
    world.die(Exit { code: Some(78), signal: None });
    world.run(Duration::from_mins(4));
    assert_eq!(world.core.health(), Health::Blocked);
    assert!(world.heals.is_empty());
    assert_eq!(world.kinds(), ["down"]);
    let next = world.core.attempt().expect("a trial is scheduled");
    assert!(next.at.elapsed_since(world.now) <= Duration::from_mins(2));
    world.run(Duration::from_hours(1));
    assert!(world.heals.len() >= 2);
}

#[test]
fn not_ready_is_shown_told_after_its_patience_and_never_restarted() {
    let mut world = World::healthy();
    world.mood = Mood::NotReady;
    world.run(Duration::from_secs(30));
    assert_eq!(world.core.health(), Health::Degraded);
    assert!(world.alerts.is_empty());
    world.run(Duration::from_mins(5));
    assert_eq!(world.kinds(), ["degraded"]);
    world.mood = Mood::Well;
    world.run(Duration::from_mins(2));
    assert_eq!(world.kinds(), ["degraded", "recovered"]);
    assert!(world.heals.is_empty());
}

#[test]
fn a_sleep_of_any_length_causes_neither_heal_nor_alert() {
    let mut world = World::healthy();
    world.sleep(Duration::from_hours(30));
    let mut seen = world.look();
    seen.health = Answer::TimedOut;
    for _ in 0..5 {
        world.feed(Event::Observed(Box::new(seen.clone())));
    }
    world.run(Duration::from_mins(10));
    assert!(world.heals.is_empty() && world.alerts.is_empty());
}

#[test]
fn a_wall_clock_that_is_set_causes_neither_heal_nor_alert() {
    let mut world = World::healthy();
    for jump in [86_400_000, -400_000_000] {
        world.now.wall += jump;
        world.run(Duration::from_mins(10));
    }
    assert!(world.heals.is_empty() && world.alerts.is_empty());
}

#[test]
fn a_pause_keeps_hands_and_mouth_still_and_ends_by_itself() {
    let mut world = World::healthy();
    let until = Some(world.now.wall + 3_600_000);
    world.feed(Event::Command(Command::Pause { until }));
    world.kill();
    world.run(Duration::from_mins(59));
    assert!(world.heals.is_empty() && world.alerts.is_empty());
    assert_eq!(world.core.health(), Health::Paused);
    world.run(Duration::from_mins(2));
    assert_eq!(world.heals.len(), 1);
    assert_eq!(world.kinds(), ["down"]);
}

#[test]
fn a_restart_that_was_asked_for_is_no_incident_and_its_result_is_told() {
    let mut world = World::healthy();
    world.feed(Event::Command(Command::Restart { force: false }));
    assert_eq!(world.heals[0].1.rung, Rung::Graceful);
    world.run(Duration::from_mins(3));
    assert_eq!(world.outcomes, [Outcome::Restarted]);
    assert_eq!(world.kinds(), ["restart_finished"]);
    assert_eq!(world.core.crashes(), 0);
}

#[test]
fn a_restart_that_was_asked_for_leaves_safe_mode_at_once() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_hours(3));
    world.mood = Mood::Well;
    let before = world.heals.len();
    world.feed(Event::Command(Command::Restart { force: true }));
    assert_eq!(world.heals.len(), before + 1);
    world.run(Duration::from_mins(3));
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.core.breaker(), breaker::Breaker::Closed);
}

#[test]
fn force_cuts_a_restart_short_that_waits_for_work_to_finish() {
    let mut world = World::healthy();
    let graceful = world.core.step(world.now, Event::Command(Command::Restart { force: false }));
    assert!(graceful.iter().any(|action| matches!(action, Action::Heal(heal) if heal.rung == Rung::Graceful)));
    world.feed(Event::Command(Command::Restart { force: true }));
    assert_eq!(world.outcomes, [Outcome::Cancelled]);
    assert!(world.heals[0].1.hasty);
    world.run(Duration::from_mins(3));
    assert_eq!(world.outcomes, [Outcome::Cancelled, Outcome::Restarted]);
    assert_eq!(world.core.health(), Health::Healthy);
}

#[test]
fn a_gateway_that_flaps_every_few_minutes_is_not_taken_for_healthy() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_mins(6));
    world.run(Duration::from_hours(8));
    assert!(world.kinds().contains(&"safe_mode"), "{:?}", world.kinds());
    assert!(world.heals.len() <= 60, "{} heals in 8 h", world.heals.len());
}

#[test]
fn a_restart_of_lifeguard_in_the_middle_goes_on_where_it_was() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_mins(2));
    let state = world.core.state().clone();
    let json = serde_json::to_string(&state).unwrap();
    let loaded: State = serde_json::from_str(&json).unwrap();
    assert_eq!(loaded, state);
    let (crashes, incident) = (world.core.crashes(), world.core.incident(world.now));
    world.core = Supervisor::new(Policy::default(), loaded, world.now);
    assert_eq!(world.core.crashes(), crashes);
    assert_eq!(world.core.incident(world.now), incident);
    world.mood = Mood::Well;
    world.run(Duration::from_mins(20));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

#[test]
fn a_heal_that_was_interrupted_before_it_ended_the_gateway_is_not_waited_for() {
    let mut world = World::healthy();
    world.mood = Mood::Hung;
    let mut state = world.core.state().clone();
    state.running = Some(state::RunningHeal {
        id: 7,
        rung: Rung::Restart,
        began: world.now,
        asked: false,
        from: state.generation.clone(),
        done: None,
        deadline: world.now.after(Duration::from_mins(1)),
        hasty: true,
    });
    let policy =
        Policy { startup_grace: Duration::from_mins(20), startup_limit: Duration::from_mins(30), ..Policy::default() };
    world.core = Supervisor::new(policy, state, world.now);
    world.run(Duration::from_mins(3));
    assert_eq!(world.heals.len(), 1);
}

#[test]
fn a_quiet_gateway_causes_no_writes_to_disk() {
    let mut world = World::healthy();
    world.run(Duration::from_mins(1));
    let before = world.persists;
    world.run(Duration::from_hours(5));
    assert_eq!(world.persists, before);
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    Hang,
    NotReady,
    Loop(u64),
    Refuse,
    Mend,
    Sleep(u64),
    Restart(bool),
    Pause(u64),
    Reset,
    Reborn,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::Kill),
        2 => Just(Fault::Hang),
        1 => Just(Fault::NotReady),
        2 => (5_u64..900).prop_map(Fault::Loop),
        1 => Just(Fault::Refuse),
        4 => Just(Fault::Mend),
        1 => (1_u64..200_000).prop_map(Fault::Sleep),
        1 => any::<bool>().prop_map(Fault::Restart),
        1 => (1_u64..7_200).prop_map(Fault::Pause),
        1 => Just(Fault::Reset),
        1 => Just(Fault::Reborn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_invariants_hold_whatever_happens(story in proptest::collection::vec((fault(), 1_u64..4_000), 1..25)) {
        let policy = Policy::default();
        let mut world = World::new(policy.clone());
        for (fault, seconds) in story {
            match fault {
                Fault::Kill => world.kill(),
                Fault::Hang => world.mood = Mood::Hung,
                Fault::NotReady => world.mood = Mood::NotReady,
                Fault::Loop(lifetime) => world.mood = Mood::DiesAfter(Duration::from_secs(lifetime)),
                Fault::Refuse => world.mood = Mood::Refuses,
                Fault::Mend => world.mood = Mood::Well,
                Fault::Sleep(seconds) => world.sleep(Duration::from_secs(seconds)),
                Fault::Restart(force) => world.feed(Event::Command(Command::Restart { force })),
                Fault::Pause(seconds) => {
                    let until = Some(world.now.wall + i64::try_from(seconds * 1_000).unwrap());
                    world.feed(Event::Command(Command::Pause { until }));
                }
                Fault::Reset => world.feed(Event::Command(Command::Reset)),
                Fault::Reborn => {
                    let state = world.core.state().clone();
                    world.core = Supervisor::new(policy.clone(), state, world.now);
                }
            }
            world.run(Duration::from_secs(seconds));
            prop_assert!(world.core.crashes() <= policy.crash_limit);
        }
        let automatic: Vec<Moment> =
            world.heals.iter().filter(|(_, heal)| !heal.asked).map(|(at, _)| *at).collect();
        for (index, at) in automatic.iter().enumerate() {
            let inside = automatic[index..].iter().filter(|other| other.awake_since(*at) < policy.budget_window).count();
            prop_assert!(inside <= policy.budget as usize, "{inside} heals in one window");
        }
        let mut downs = std::collections::HashMap::<u64, (u32, u32)>::new();
        for alert in &world.alerts {
            let Some(incident) = &alert.incident else { continue };
            let counts = downs.entry(incident.id).or_default();
            match alert.kind {
                AlertKind::Down { .. } => counts.0 += 1,
                AlertKind::Recovered { .. } => counts.1 += 1,
                _ => {}
            }
        }
        for (incident, (down, recovered)) in downs {
            prop_assert!(down <= 1 && recovered <= 1, "incident {incident}: {down} down, {recovered} recovered");
        }
        // Whatever happened: once the cause is gone, it comes back by itself within the longest trial distance.
        world.mood = Mood::Well;
        world.run(Duration::from_hours(9));
        prop_assert_eq!(world.core.health(), Health::Healthy);
    }
}
