//! Sleep, clocks, restarts of Lifeguard.

use std::time::Duration;

use super::world::{Mood, World};
use crate::supervisor::Supervisor;
use crate::supervisor::event::AlertKind;
use crate::supervisor::event::Event;
use crate::supervisor::ladder::Rung;
use crate::supervisor::observation::Answer;
use crate::supervisor::policy::Policy;
use crate::supervisor::state::{RunningHeal, State};

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
fn a_notice_of_sleep_is_no_reason_to_do_anything() {
    let mut world = World::healthy();
    for _ in 0..20 {
        world.feed(Event::Suspending);
        world.run(Duration::from_secs(5));
        world.feed(Event::Woken);
        world.run(Duration::from_secs(5));
    }
    assert!(world.heals.is_empty() && world.alerts.is_empty());
}

#[test]
fn between_a_notice_and_the_sleep_nothing_bad_counts_but_afterwards_it_does() {
    for notice in [Event::Suspending, Event::Woken] {
        let mut world = World::healthy();
        world.feed(notice);
        // As a machine does that takes its network down first.
        world.mood = Mood::Hung;
        let end = world.now.after(Policy::default().wake_grace).before(Duration::from_secs(1));
        world.run(end.awake_since(world.now));
        assert!(world.heals.is_empty() && world.alerts.is_empty());
        world.run(Duration::from_mins(3));
        assert!(!world.heals.is_empty(), "a hang that lasts is healed");
    }
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
    let attempts: Vec<u32> = world
        .progress
        .iter()
        .map(|alert| match alert.kind {
            AlertKind::Progress { attempt, .. } => attempt,
            _ => 0,
        })
        .collect();
    assert_eq!(attempts, [1, 2, 3, 4], "each attempt moves the message of the outage");
}

#[test]
fn a_heal_that_was_interrupted_before_it_ended_the_gateway_is_not_waited_for() {
    let mut world = World::healthy();
    world.mood = Mood::Hung;
    let mut state = world.core.state().clone();
    state.running = Some(RunningHeal {
        id: 7,
        rung: Rung::Restart,
        began: world.now,
        asked: false,
        from: state.generation.clone(),
        done: None,
        deadline: world.now.after(Duration::from_mins(1)),
        hasty: true,
        may_kill: true,
        renews: None,
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

#[test]
fn health_is_as_old_as_it_is_whoever_watched_it() {
    let mut world = World::healthy();
    world.run(Duration::from_hours(2));
    let began = world.core.shown().since;
    let restart = |world: &mut World| {
        let state = world.core.state().clone();
        world.now = world.now.after(Duration::from_mins(5));
        world.core = Supervisor::new(Policy::default(), state, world.now);
        world.run(Duration::from_mins(1));
        world.core.shown().since
    };
    assert!(restart(&mut world).elapsed_since(began) < Duration::from_mins(1));
    // Nobody saw this one begin.
    world.start();
    assert!(restart(&mut world).elapsed_since(began) > Duration::from_hours(2));
}
