//! What a person asks for.

use std::time::Duration;

use super::world::{Mood, World};
use crate::supervisor::breaker::Breaker;
use crate::supervisor::event::{Action, Command, Event};
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::verdict::Health;

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
    assert_eq!(world.core.breaker(), Breaker::Closed);
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
