//! What went wrong with the watchdogs before this one, by name (anchors.md: the original script).

use std::time::Duration;

use super::world::{Mood, World, no_docker};
use crate::supervisor::Supervisor;
use crate::supervisor::breaker::Breaker;
use crate::supervisor::event::Event;
use crate::supervisor::intent::Intent;
use crate::supervisor::ladder::Rung;
use crate::supervisor::observation::{Answer, Exit, Identity, PortOwner};
use crate::supervisor::policy::Policy;
use crate::supervisor::state::RunningHeal;
use crate::supervisor::verdict::Health;

/// It sent a hung gateway its graceful signal for ever: 24 in 4 h, never a kill.
#[test]
fn hung_for_ever() {
    let mut world = World::healthy();
    world.mood = Mood::Hung;
    world.run(Duration::from_mins(5));
    assert_eq!(world.kills.len(), 1);
    assert_eq!(world.core.health(), Health::Healthy);
}

/// 81 restarts in 8 h, with the counter at 1, for each looked like a success.
#[test]
fn flapping() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_mins(6));
    world.run(Duration::from_hours(8));
    assert!(world.kinds().contains(&"safe_mode"), "{:?}", world.kinds());
    assert!(world.heals.len() <= 27, "{} attempts in 8 h", world.heals.len());
}

/// 64 crashes on the counter after 12 h, and 192 min of health to bring it down.
#[test]
fn uncapped_counter() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.run(Duration::from_hours(12));
    assert_eq!(world.core.crashes(), Policy::default().crash_limit);
    world.mood = Mood::Well;
    while world.core.health() != Health::Healthy {
        world.run(Duration::from_mins(1));
    }
    world.run(Duration::from_mins(185));
    assert_eq!(world.core.crashes(), 0);
}

/// Six hours without a crash were to reset the counter, but never while the gateway was down.
#[test]
fn six_hour_reset_while_down() {
    let mut world = World::healthy();
    for _ in 0..3 {
        world.kill();
        world.run(Duration::from_mins(2));
    }
    assert!(world.core.crashes() > 0);
    world.mood = Mood::NotReady;
    world.run(Duration::from_hours(6));
    assert_eq!(world.core.crashes(), 0);
}

/// Waits shorter than the distance of its runs did nothing: the first steps of the ladder were one and the same.
#[test]
fn backoff_below_the_tick() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(1));
    world.kill();
    world.run(Duration::from_mins(2));
    let gaps = world.gaps();
    assert!((10..=13).contains(&gaps[0]) && (30..=34).contains(&gaps[1]), "{gaps:?}");
}

/// The end of an outage was counted from the last attempt, and so each looked short.
#[test]
fn downtime_from_the_last_attempt() {
    let mut world = World::healthy();
    let crashed = world.now;
    world.mood = Mood::DiesAfter(Duration::from_secs(1));
    world.kill();
    world.run(Duration::from_mins(8));
    world.mood = Mood::Well;
    while world.core.last_incident().is_none() {
        world.run(Duration::from_secs(5));
    }
    let told = world.core.last_incident().map(|incident| incident.duration).unwrap();
    let lasted = u64::try_from(world.now.elapsed_since(crashed).as_millis()).unwrap();
    assert!(told >= 8 * 60_000 && told <= lasted, "{told} of {lasted} ms");
}

/// 241 alerts in 241 runs.
#[test]
fn one_alert_per_look() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_hours(12));
    assert_eq!(world.kinds(), ["down", "safe_mode"]);
}

/// A memory warning was followed by a "recovered" for an outage that never was.
#[test]
fn false_recovery_after_a_memory_warning() {
    let mut world = World::healthy();
    world.memory = Some(1_700 * 1024 * 1024);
    world.run(Duration::from_mins(10));
    world.memory = Some(700 * 1024 * 1024);
    world.run(Duration::from_mins(10));
    assert_eq!(world.kinds(), ["memory"]);
    assert_eq!(world.core.last_incident(), None);
}

/// Simulator, seed 43: one missed answer of a gateway that had worked in part for an hour was a hang, long overdue, and it
/// was killed at once.
#[test]
fn one_missed_answer_of_a_degraded_gateway() {
    let mut world = World::healthy();
    world.mood = Mood::NotReady;
    world.run(Duration::from_hours(1));
    let mut seen = world.look();
    seen.health = Answer::TimedOut;
    world.feed(Event::Observed(Box::new(seen)));
    world.run(Duration::from_mins(5));
    assert_eq!(world.core.health(), Health::Degraded);
    assert!(world.heals.is_empty());
    world.mood = Mood::Hung;
    world.run(Duration::from_secs(50));
    assert!(world.heals.is_empty(), "a hang has its patience, whatever came before it");
    world.run(Duration::from_secs(40));
    assert_eq!(world.kills.len(), 1);
}

/// Simulator, seed 28: a stop by its user was forgotten when the clock was set.
#[test]
fn a_clock_that_is_set_after_a_stop() {
    let mut world = World::healthy();
    world.deed(Intent::Stop);
    world.run(Duration::from_secs(15));
    world.die(Exit { code: Some(0), signal: None });
    world.now.wall += 34 * 3_600_000;
    world.run(Duration::from_hours(2));
    assert_eq!(world.core.health(), Health::Stopped);
    assert!(world.heals.is_empty());
}

/// Simulator: the clock was set back, and a stop that came after it looked older than the gateway.
#[test]
fn a_stop_after_a_clock_that_was_set_back() {
    let mut world = World::healthy();
    world.now.wall -= 6 * 3_600_000;
    world.run(Duration::from_secs(30));
    world.deed(Intent::Stop);
    world.run(Duration::from_secs(15));
    world.die(Exit { code: Some(0), signal: None });
    world.run(Duration::from_hours(2));
    assert_eq!(world.core.health(), Health::Stopped);
    assert!(world.heals.is_empty());
}

/// Simulator, seed 70: a record from before the clock was set back excused every later crash.
#[test]
fn a_record_from_the_future() {
    let mut world = World::new(Policy::default());
    world.deed(Intent::Stop);
    world.now.wall -= 78 * 24 * 3_600_000;
    world.start();
    world.run(Duration::from_mins(3));
    world.kill();
    assert_eq!(world.heals.len(), 1);
}

/// Simulator, seed 12: a leftover on the port of a gateway that its user had stopped was ended, and the gateway started.
#[test]
fn a_leftover_on_the_port_of_a_stopped_gateway() {
    let mut world = World::healthy();
    world.deed(Intent::Stop);
    world.run(Duration::from_secs(15));
    world.die(Exit { code: Some(0), signal: None });
    world.run(Duration::from_mins(1));
    let holder = Identity { pid: 7, started: 7, command: String::new() };
    for _ in 0..9 {
        let mut seen = world.look();
        seen.port = PortOwner::OtherGateway(holder.clone());
        seen.health = Answer::TimedOut;
        world.now = world.now.after(Duration::from_secs(20));
        seen.began = world.now;
        world.feed(Event::Observed(Box::new(seen)));
    }
    assert_eq!(world.core.health(), Health::Stopped);
    assert!(world.heals.is_empty());
}

/// Simulator, seed 4: a process that ended during an attempt was named as the one to stop in the next.
#[test]
fn a_process_that_ended_during_an_attempt() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    world.run(Duration::from_hours(1));
    assert!(world.heals.len() > 5);
    assert!(world.heals.iter().skip(1).all(|(_, heal)| heal.target.is_none()), "{:?}", world.heals);
}

/// Simulator, seed 40: after a reboot nobody was told that the gateway could not be started.
#[test]
fn a_first_start_that_is_held_up() {
    let mut world = World::new(Policy::default());
    world.process = None;
    world.dependencies = vec![no_docker()];
    world.run(Duration::from_mins(4));
    assert!(world.alerts.is_empty(), "Docker takes its time after a boot");
    world.run(Duration::from_mins(2));
    assert_eq!(world.kinds(), ["down"]);
    world.dependencies.clear();
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

/// Simulator, seed 12: health that had been held by another process counted for its successor.
#[test]
fn a_successor_that_nobody_saw_begin() {
    let mut world = World::healthy();
    world.kill();
    world.run(Duration::from_secs(50));
    let state = world.core.state().clone();
    world.start();
    world.now = world.now.after(Duration::from_mins(5));
    world.core = Supervisor::new(Policy::default(), state, world.now);
    world.run(Duration::from_secs(40));
    assert_eq!(world.kinds(), ["down"]);
    world.run(Duration::from_secs(40));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

/// Simulator, seed 184: the time of an attempt ran out while Lifeguard was dead, and it was judged before anybody had looked:
/// a failed one was not counted, and the next followed at once.
#[test]
fn an_attempt_whose_time_ran_out_while_lifeguard_was_dead() {
    let reborn = |mood| {
        let mut world = World::healthy();
        world.mood = Mood::DiesAfter(Duration::from_secs(1));
        world.startup = Duration::from_mins(1);
        world.kill();
        world.run(Duration::from_secs(20));
        let (mut state, crashes) = (world.core.state().clone(), world.core.crashes());
        let (heals, from) = (world.heals.len(), state.generation.clone());
        let heal = RunningHeal { from, ..attempt(&world, Rung::Start) };
        state.running = Some(heal);
        state.attempt = None;
        world.mood = mood;
        world.start();
        world.now = world.now.after(Duration::from_mins(10));
        world.core = Supervisor::new(Policy::default(), state, world.now);
        if mood != Mood::Well {
            world.process = None;
        }
        world.run(Duration::from_secs(20));
        (world.core.crashes() - crashes, world.heals.len() - heals)
    };
    assert_eq!(reborn(Mood::DiesAfter(Duration::ZERO)), (1, 0), "it failed, and is counted");
    assert_eq!(reborn(Mood::Well), (0, 0), "it worked, and is not");
}

/// Simulator, seed 17: the attempt of a trial failed while a Lifeguard that had been restarted saw the gateway only starting:
/// it was not counted, and the next followed at once.
#[test]
fn a_trial_that_fails_under_a_lifeguard_that_was_restarted() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_secs(20));
    world.kill();
    while !matches!(world.core.breaker(), Breaker::HalfOpen { .. }) {
        world.run(Duration::from_secs(1));
    }
    world.mood = Mood::Well;
    world.startup = Duration::from_mins(20);
    let state = world.core.state().clone();
    world.now = world.now.after(Duration::from_mins(3));
    world.core = Supervisor::new(Policy::default(), state, world.now);
    let heals = world.heals.len();
    world.run(Duration::from_mins(10));
    assert!(matches!(world.core.breaker(), Breaker::Open { .. }), "{:?}", world.core.breaker());
    assert_eq!(world.heals.len(), heals);
}

/// Simulator, seed 23: a spell of health that ended while Lifeguard was dead counted for the next one.
#[test]
fn a_spell_of_health_that_ended_while_lifeguard_was_dead() {
    let mut world = World::healthy();
    for _ in 0..3 {
        world.kill();
        world.run(Duration::from_mins(2));
    }
    while world.core.crashes() > 2 {
        world.run(Duration::from_secs(10));
    }
    let state = world.core.state().clone();
    world.start();
    world.now = world.now.after(Duration::from_mins(1));
    world.core = Supervisor::new(Policy::default(), state, world.now);
    world.run(Duration::from_mins(29) + Duration::from_secs(30));
    assert_eq!(world.core.crashes(), 2);
    world.run(Duration::from_mins(1));
    assert_eq!(world.core.crashes(), 1);
}

/// The news of a SIGKILL died with the Lifeguard that had sent it, and a third one followed within the window.
#[test]
fn a_kill_whose_news_was_lost() {
    let mut world = World::healthy();
    let mut state = world.core.state().clone();
    state.kills.note(world.now, Policy::default().kill_window);
    state.running = Some(RunningHeal { may_kill: true, done: None, ..attempt(&world, Rung::Restart) });
    world.start();
    world.mood = Mood::Hung;
    world.core = Supervisor::new(Policy::default(), state, world.now);
    world.run(Duration::from_mins(4));
    assert!(world.kills.is_empty());
    world.run(Duration::from_mins(3));
    assert_eq!(world.kills.len(), 1);
}

/// An attempt that runs, and of which the service has done its part.
fn attempt(world: &World, rung: Rung) -> RunningHeal {
    RunningHeal {
        id: 1_000,
        rung,
        began: world.now,
        asked: false,
        hasty: false,
        may_kill: false,
        renews: None,
        from: world.core.state().generation.clone(),
        done: Some(world.now),
        deadline: world.now.after(Policy::default().startup_grace),
    }
}
