//! Outages: how they are seen, healed and told.

use std::time::Duration;

use super::world::{Mood, World};
use crate::supervisor::breaker::Breaker;
use crate::supervisor::event::{AlertKind, Event};
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::observation::{Answer, Exit};
use crate::supervisor::policy::Policy;
use crate::supervisor::verdict::{Health, Verdict};

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
    assert_eq!(world.core.breaker(), Breaker::Closed);
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
fn a_gateway_that_flaps_every_few_minutes_is_not_taken_for_healthy() {
    let mut world = World::healthy();
    world.mood = Mood::DiesAfter(Duration::from_mins(6));
    world.run(Duration::from_hours(8));
    assert!(world.kinds().contains(&"safe_mode"), "{:?}", world.kinds());
    assert!(world.heals.len() <= 60, "{} heals in 8 h", world.heals.len());
}
