//! What the simulator found (docs/simulator.md), each by the seed of the history that showed it.

use std::time::Duration;

use super::world::{Mood, World, network, telegram};
use crate::supervisor::Supervisor;
use crate::supervisor::breaker::Breaker;
use crate::supervisor::event::{Command, Event};
use crate::supervisor::intent::Intent;
use crate::supervisor::ladder::Rung;
use crate::supervisor::observation::{
    Answer, Exit, HealthBody, Identity, Observation, PortOwner, ProcessState, ServiceState,
};
use crate::supervisor::policy::{Manager, Policy};
use crate::supervisor::state::{RunningHeal, State};
use crate::supervisor::verdict::{Health, Verdict};

const ORDERLY: Exit = Exit { code: Some(0), signal: None };

/// A gateway that crashed until its trials came, and then was well again.
fn on_trial() -> World {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    while !matches!(world.core.breaker(), Breaker::HalfOpen { .. }) {
        world.run(Duration::from_secs(1));
    }
    world.mood = Mood::Well;
    world.run(Duration::from_mins(12));
    assert_eq!(world.core.health(), Health::Healthy);
    world
}

/// Seed 82: the distances of the trials that had been made took the place of an impairment's patience.
#[test]
fn an_impairment_after_trials_has_its_patience() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    while !matches!(world.core.breaker(), Breaker::Open { .. }) {
        world.run(Duration::from_secs(1));
    }
    world.mood = Mood::Well;
    world.start();
    world.run(Duration::from_mins(15));
    assert_eq!(world.core.health(), Health::Healthy);
    world.mood = Mood::Suppressed;
    let heals = world.heals.len();
    world.run(Duration::from_mins(9));
    assert_eq!(world.heals.len(), heals);
    world.run(Duration::from_mins(2));
    assert_eq!(world.rungs().last(), Some(&Rung::StartChannels));
}

/// Seed 162: the time of an update ran out while the machine slept.
#[test]
fn an_update_does_not_go_on_in_sleep() {
    let mut world = World::healthy();
    world.deed(Intent::Update);
    world.run(Duration::from_secs(15));
    world.die(ORDERLY);
    world.run(Duration::from_mins(5));
    world.sleep(Duration::from_hours(6));
    world.run(Duration::from_mins(20));
    assert!(world.heals.is_empty());
}

/// Seed 205: a start that had to wait for a trial was a quiet one, and nobody was told that the gateway was down.
#[test]
fn a_start_that_waits_for_a_trial_is_no_quiet_one() {
    let mut world = on_trial();
    world.alerts.clear();
    world.die(ORDERLY);
    world.run(Duration::from_secs(15));
    assert_eq!(world.kinds(), ["down", "safe_mode"]);
}

/// Seed 184: an outage that began after an impairment was taken for one that an earlier run of Lifeguard had counted.
#[test]
fn an_outage_after_an_impairment_is_counted_after_a_restart_of_lifeguard() {
    let mut world = World::healthy();
    world.mood = Mood::NotReady;
    world.run(Duration::from_mins(6));
    let state = world.core.state().clone();
    world.core = Supervisor::new(Policy::default(), state, world.now);
    world.mood = Mood::Hung;
    world.run(Duration::from_secs(30));
    assert_eq!(world.core.crashes(), 1);
}

/// Seed 234: an update of a gateway that had been stopped by Lifeguard was disturbed by a start.
#[test]
fn an_update_of_a_gateway_that_was_stopped_and_started_again() {
    let policy = Policy { manager: Manager::ServiceManager { patience: Duration::from_secs(20) }, ..Policy::default() };
    let mut world = World::healthy_with(policy);
    world.ask(Command::Stop);
    world.service = ServiceState::Stopped;
    world.run(Duration::from_mins(1));
    world.service = ServiceState::Failed("start-limit-hit".to_owned());
    world.deed(Intent::Update);
    let heals = world.heals.len();
    world.run(Duration::from_mins(20));
    assert_eq!(world.heals.len(), heals);
}

/// Seed 63: after the end of the process the time until the next look still counted as health.
#[test]
fn health_ends_with_the_process() {
    let policy = Policy { manager: Manager::ServiceManager { patience: Duration::from_secs(20) }, ..Policy::default() };
    let mut world = World::healthy_with(policy);
    let Some((identity, _)) = world.process.clone() else { panic!("it runs") };
    world.core.step(world.now, Event::Exited { identity, exit: Exit::default() });
    assert_eq!(world.core.state().healthy_since, None);
}

/// Seed 266: a stop was taken for an older one, for the clock had been set back since the gateway began, and it had never
/// told its age.
#[test]
fn a_stop_of_a_gateway_that_never_answered() {
    let mut world = World::new(Policy { startup_grace: Duration::from_hours(1), ..Policy::default() });
    world.startup = Duration::from_hours(2);
    world.run(Duration::from_mins(3));
    world.now.wall -= 98 * 24 * 3_600_000;
    world.run(Duration::from_mins(1));
    world.deed(Intent::Stop);
    world.run(Duration::from_secs(15));
    world.die(ORDERLY);
    world.run(Duration::from_mins(20));
    assert_eq!(world.core.health(), Health::Stopped);
    assert!(world.heals.is_empty());
}

/// Seed 550: a leftover on the port of a gateway that is not installed was ended, and the gateway started.
#[test]
fn a_leftover_on_the_port_of_a_gateway_that_is_not_installed() {
    let mut world = World::healthy();
    world.service = ServiceState::NotInstalled;
    world.die(ORDERLY);
    let heals = world.heals.len();
    world.process = None;
    for _ in 0..9 {
        world.now = world.now.after(Duration::from_secs(20));
        let mut seen = world.look();
        seen.port = PortOwner::OtherGateway(Identity { pid: 7, started: 7, command: String::new() });
        seen.health = Answer::TimedOut;
        world.feed(Event::Observed(Box::new(seen)));
    }
    assert_eq!(world.heals.len(), heals);
}

/// Seed 20: a stop by its user was taken for the one that Lifeguard itself had made for the doctor, long after the service had
/// been started again.
#[test]
fn a_stop_after_the_doctor_is_a_stop() {
    let policy = Policy { manager: Manager::ServiceManager { patience: Duration::from_secs(20) }, ..Policy::default() };
    let state = State { owes_start: true, ..State::default() };
    let mut world = World::healthy();
    world.process = None;
    world.core = Supervisor::new(policy, state, world.now);
    world.service = ServiceState::Restarting;
    world.run(Duration::from_secs(5));
    world.service = ServiceState::Stopped;
    world.run(Duration::from_mins(2));
    assert_eq!(world.core.health(), Health::Stopped);
}

/// Seed 393: a round that had been given up ended after a later one, and was believed.
#[test]
fn a_round_that_was_overtaken() {
    let mut world = World::healthy();
    let mut old = world.look();
    (old.health, old.process, old.service) = (Answer::Refused, ProcessState::Gone, ServiceState::NotInstalled);
    world.run(Duration::from_mins(2));
    world.feed(Event::Observed(Box::new(old)));
    assert_eq!(world.core.health(), Health::Healthy);
}

/// Seed 629: the patience of an impairment ran on from before a crash.
#[test]
fn an_impairment_after_a_crash_has_its_patience_anew() {
    let policy = Policy { manager: Manager::ServiceManager { patience: Duration::from_secs(20) }, ..Policy::default() };
    let mut world = World::healthy_with(policy);
    let mut activity = telegram(|_| ());
    activity.overdue = Some(Duration::from_mins(20));
    world.activity = Some(activity);
    world.run(Duration::from_mins(12));
    // It is back before anybody sees it start.
    world.startup = Duration::ZERO;
    world.kill();
    world.run(Duration::from_secs(10));
    world.start();
    world.run(Duration::from_mins(12));
    assert_eq!(world.core.health(), Health::Degraded);
    assert!(world.heals.is_empty());
    world.run(Duration::from_mins(5));
    assert_eq!(world.rungs(), [Rung::Graceful]);
}

/// Seed 694: an attempt was made at the end of the grace after a sleep, although the newest look had seen that the gateway is
/// parked.
#[test]
fn an_attempt_is_made_for_what_was_seen_last() {
    let policy = Policy {
        manager: Manager::ServiceManager { patience: Duration::from_secs(20) },
        wake_grace: Duration::from_secs(9),
        ..Policy::default()
    };
    let mut world = World::healthy_with(policy);
    world.mood = Mood::DiesAfter(Duration::from_secs(1));
    world.kill();
    while world.core.attempt().is_none_or(|attempt| attempt.at.elapsed_since(world.now) < Duration::from_mins(6)) {
        world.run(Duration::from_secs(1));
    }
    world.run(Duration::from_mins(5));
    world.service = ServiceState::Disabled;
    world.deed(Intent::Maintenance);
    world.sleep(Duration::from_hours(2));
    let heals = world.heals.len();
    world.run(Duration::from_mins(2));
    assert_eq!(world.heals.len(), heals);
    assert_eq!(world.core.verdict(), &Verdict::Parked);
}

/// Seed 721: a gateway that answered with errors in the first seconds of its start was restarted.
#[test]
fn errors_in_the_first_seconds_of_a_start() {
    let mut world = World::new(Policy::default());
    for answer in [
        Answer::Json { status: 503, body: HealthBody { live: false } },
        Answer::Foreign { status: 500, reason: String::new() },
        Answer::Broken(String::new()),
    ] {
        world.now = world.now.after(Duration::from_secs(20));
        let mut seen = world.look();
        seen.health = answer;
        world.feed(Event::Observed(Box::new(seen)));
        assert_eq!(world.core.health(), Health::Starting);
    }
}

/// Seed 2084: the patience of an impairment ran on from before a restart within the process.
#[test]
fn an_impairment_after_a_restart_within_the_process_has_its_patience_anew() {
    let mut world = World::healthy_with(Policy { probe_interval: Duration::from_mins(5), ..Policy::default() });
    let mut activity = telegram(|_| ());
    activity.overdue = Some(Duration::from_mins(20));
    world.activity = Some(activity);
    world.run(Duration::from_mins(12));
    if let Some((_, born)) = &mut world.process {
        *born = world.now;
    }
    world.run(Duration::from_mins(14));
    assert!(world.heals.is_empty());
    world.run(Duration::from_mins(12));
    assert_eq!(world.rungs(), [Rung::Graceful]);
}

/// Seed 1157: a stop by its user during a restart that Lifeguard was asked for was a failed attempt, and it was started.
#[test]
fn a_stop_during_an_attempt() {
    let mut world = World::healthy();
    world.startup = Duration::from_mins(5);
    world.ask(Command::Restart { force: true });
    world.run(Duration::from_secs(20));
    world.deed(Intent::Stop);
    world.run(Duration::from_secs(2));
    world.die(ORDERLY);
    world.run(Duration::from_mins(10));
    assert_eq!(world.core.health(), Health::Stopped);
    assert_eq!(world.heals.len(), 1);
}

/// Seed 1124: the clock was set forward after a stop, before anybody had seen its record.
#[test]
fn a_clock_that_is_set_before_a_stop_is_seen() {
    let mut world = World::healthy();
    world.deed(Intent::Stop);
    world.now.wall += 90 * 3_600_000;
    world.die(ORDERLY);
    world.run(Duration::from_hours(1));
    assert_eq!(world.core.health(), Health::Stopped);
}

/// Seed 1794: as seed 20, of a gateway that ended again before it could be seen.
#[test]
fn what_ends_after_the_doctor_was_started() {
    let mut world = World::healthy();
    let mut state = world.core.state().clone();
    state.owes_start = true;
    state.running = Some(RunningHeal {
        id: 7,
        rung: Rung::Doctor,
        began: world.now,
        asked: false,
        hasty: false,
        may_kill: false,
        renews: None,
        from: state.generation.clone(),
        done: Some(world.now),
        deadline: world.now.after(Duration::from_mins(2)),
    });
    world.core = Supervisor::new(Policy::default(), state, world.now);
    world.start();
    world.kill();
    assert!(!world.core.state().owes_start);
}

/// Seed 12536: the same of an update: the gateway was started in the middle of it.
#[test]
fn an_update_during_an_attempt() {
    let mut world = World::healthy();
    world.startup = Duration::from_mins(5);
    world.ask(Command::Restart { force: true });
    world.run(Duration::from_secs(20));
    world.deed(Intent::Update);
    world.run(Duration::from_secs(2));
    world.die(ORDERLY);
    world.run(Duration::from_mins(10));
    assert_eq!(world.heals.len(), 1, "{:?}", world.rungs());
}

/// Seed 4009: the end of a gateway in good order was told a second time, without how it was: nobody was told any more that
/// its start waited for the network.
#[test]
fn an_end_that_is_told_twice_is_one_end() {
    let mut world = World::healthy();
    world.dependencies = vec![network(false)];
    let (identity, _) = world.process.clone().expect("it runs");
    world.die(ORDERLY);
    world.run(Duration::from_secs(70));
    world.feed(Event::Exited { identity, exit: Exit::default() });
    world.run(Duration::from_mins(10));
    assert_eq!(world.kinds(), ["down"]);
}

/// The same of two watches on one process: its end in good order counted as two, and three are a loop.
#[test]
fn an_end_in_good_order_that_two_watches_tell_counts_once() {
    let mut world = World::healthy();
    for _ in 0..2 {
        let (identity, _) = world.process.take().expect("it runs");
        // Both tell before the round is over that the first one calls for.
        for _ in 0..2 {
            let _round = world.core.step(world.now, Event::Exited { identity: identity.clone(), exit: ORDERLY });
        }
        world.now = world.now.after(Duration::from_millis(5));
        world.feed(Event::Observed(Box::new(world.look())));
        world.run(Duration::from_mins(1));
    }
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.kinds(), Vec::<&str>::new());
}

/// Seed 5685: what answered after the end of a gateway, and could not be looked up, was taken for the one that had ended:
/// its health began anew once it could be seen.
#[test]
fn what_answers_after_an_end_is_another_life() {
    let manager = Manager::Nobody { start_when_dead: false };
    let probe_interval = Duration::from_mins(2);
    let mut world = World::healthy_with(Policy { manager, probe_interval, ..Policy::default() });
    world.kill();
    // Seen, but it never answers.
    world.start();
    world.feed(Event::Observed(Box::new(world.look())));
    world.kill();
    world.start();
    world.now = world.now.after(Duration::from_mins(1));
    let began = world.now;
    let seen = Observation { process: ProcessState::Unknown, ..world.look() };
    world.feed(Event::Observed(Box::new(seen)));
    world.run(Duration::from_mins(10));
    assert_eq!(world.core.state().healthy_since, Some(began));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

/// A quiet start that the network held up was no quiet one any more when a stranger took its port, and nobody was told.
#[test]
fn a_quiet_start_that_meets_a_stranger_is_told() {
    let mut world = World::healthy();
    world.dependencies = vec![network(false)];
    world.die(ORDERLY);
    world.run(Duration::from_secs(15));
    let mut seen = world.look();
    seen.port = PortOwner::Stranger { pid: Some(7), name: "nginx".to_owned() };
    seen.health = Answer::Foreign { status: 404, reason: String::new() };
    for _ in 0..60 {
        world.now = world.now.after(Duration::from_secs(10));
        seen.began = world.now;
        world.feed(Event::Observed(Box::new(seen.clone())));
    }
    assert_eq!(world.kinds(), ["down"]);
}
