//! What went wrong with the watchdogs before this one, by name (anchors.md: the original script).

use std::time::Duration;

use super::world::{Mood, World};
use crate::supervisor::policy::Policy;
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
