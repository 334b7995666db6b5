//! OpenClaw's configuration: which one is good, and what follows from a change.

use std::time::Duration;

use super::world::{Mood, World};
use crate::supervisor::Supervisor;
use crate::supervisor::breaker::Breaker;
use crate::supervisor::configuration::{Alteration, ConfigChange, ConfigStanding};
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};
use crate::supervisor::event::{AlertKind, Command};
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::observation::ServiceState;
use crate::supervisor::policy::{Manager, Policy};
use crate::supervisor::state::State;
use crate::supervisor::verdict::Health;

const MINUTE: i64 = 60_000;

fn changed() -> ConfigStanding {
    ConfigStanding::Changed(ConfigChange { good: 1, alteration: Alteration::Settings(vec!["+ a = 1".to_owned()]) })
}

fn rolling_back() -> Policy {
    Policy { roll_back: true, ..Policy::default() }
}

#[test]
fn a_configuration_is_kept_once_after_five_minutes_of_health() {
    let mut world = World::new(Policy::default());
    (world.config_stamp, world.config_edited) = (Some(7), Some(world.now.wall - MINUTE));
    world.run(Duration::from_mins(5));
    assert_eq!(world.kept, [0_u64; 0], "it has been ready for less");
    world.run(Duration::from_mins(1));
    assert_eq!(world.kept, [7]);
    world.run(Duration::from_hours(1));
    assert_eq!(world.kept, [7]);
}

#[test]
fn an_edit_that_the_running_generation_never_read_is_not_kept_before_it_has_run_itself() {
    let mut world = World::new(Policy::default());
    world.run(Duration::from_mins(1));
    (world.config_stamp, world.config_edited) = (Some(8), Some(world.now.wall));
    world.run(Duration::from_hours(3));
    assert_eq!(world.kept, [0_u64; 0]);
    // A sleep of the machine makes no generation younger.
    world.sleep(Duration::from_hours(8));
    world.run(Duration::from_hours(1));
    assert_eq!(world.kept, [0_u64; 0]);
    world.ask(Command::Restart { force: false });
    world.run(Duration::from_mins(10));
    assert_eq!(world.kept, [8]);
}

#[test]
fn health_within_a_crash_loop_proves_no_configuration() {
    let mut world = World::new(Policy::default());
    (world.config_stamp, world.config_edited) = (Some(9), Some(world.now.wall - MINUTE));
    world.mood = Mood::DiesAfter(Duration::from_mins(7));
    world.run(Duration::from_mins(30));
    world.kept.clear();
    world.config = changed();
    world.run(Duration::from_hours(1));
    assert_eq!(world.kept, [0_u64; 0], "{:?}", world.kinds());
}

#[test]
fn a_change_before_it_refuses_to_start_is_told_once_and_with_what_was_changed() {
    let mut world = World::healthy();
    world.config = changed();
    world.mood = Mood::Refuses;
    world.kill();
    world.run(Duration::from_hours(3));
    let told = world.alerts.iter().filter_map(|alert| match &alert.kind {
        AlertKind::ConfigSuspect { change, rolls_back, .. } => Some((change.clone(), *rolls_back)),
        _ => None,
    });
    let ConfigStanding::Changed(change) = changed() else { panic!() };
    assert_eq!(told.collect::<Vec<_>>(), [(change, false)]);
    assert_eq!(world.kinds()[..2], ["down", "config_suspect"]);
    assert!(!world.rungs().contains(&Rung::RollBack), "nobody allowed that");

    world.ask(Command::RollBack);
    world.config = ConfigStanding::Good;
    world.run(Duration::from_mins(15));
    assert_eq!(world.rungs().last(), Some(&Rung::RollBack));
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.outcomes.last(), Some(&Outcome::Restarted));
    assert_eq!(world.kinds().last(), Some(&"recovered"));
}

#[test]
fn a_crash_loop_after_a_change_is_told_as_one() {
    let mut world = World::healthy();
    world.config = changed();
    world.mood = Mood::DiesAfter(Duration::from_secs(30));
    world.run(Duration::from_mins(20));
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "config_suspect").count(), 1, "{:?}", world.kinds());
}

#[test]
fn one_crash_accuses_no_configuration() {
    let mut world = World::healthy();
    world.config = changed();
    world.kill();
    world.run(Duration::from_mins(10));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

#[test]
fn a_roll_back_without_asking_is_never_silent() {
    let mut world = World::healthy_with(rolling_back());
    world.config = changed();
    world.mood = Mood::Refuses;
    world.run(Duration::from_mins(10));
    assert_eq!(world.rungs(), [Rung::RollBack]);
    assert_eq!(world.kinds(), ["down", "config_suspect", "recovered"]);
    assert!(matches!(world.alerts[1].kind, AlertKind::ConfigSuspect { rolls_back: true, .. }));
}

#[test]
fn a_roll_back_that_cannot_be_made_leaves_the_other_rungs() {
    let mut world = World::healthy_with(rolling_back());
    world.config = changed();
    world.mood = Mood::Refuses;
    world.unprepared = true;
    world.run(Duration::from_hours(1));
    assert_eq!(world.rungs()[..2], [Rung::RollBack, Rung::Start]);
    assert!(matches!(world.outcomes[0], Outcome::Unprepared(_)));
}

#[test]
fn a_lifeguard_that_ended_while_the_doctor_worked_starts_the_gateway_again() {
    let manager = Manager::ServiceManager { patience: Duration::from_secs(20) };
    for (owes_start, rungs) in [(true, vec![Rung::Start]), (false, Vec::new())] {
        let mut world = World::healthy_with(Policy { manager, ..Policy::default() });
        let state = State { owes_start, ..world.core.state().clone() };
        world.core = Supervisor::new(Policy { manager, ..Policy::default() }, state, world.now);
        (world.process, world.service) = (None, ServiceState::Stopped);
        world.run(Duration::from_mins(1));
        assert_eq!(world.rungs(), rungs, "{owes_start}");
    }
}

#[test]
fn beneath_a_healthy_gateway_only_the_file_is_put_back() {
    let mut world = World::healthy();
    world.config = changed();
    world.run(Duration::from_secs(20));
    let before = world.process.clone();
    world.ask(Command::RollBack);
    world.config = ConfigStanding::Good;
    world.run(Duration::from_mins(1));
    assert_eq!(world.outcomes, [Outcome::ConfigRestored]);
    assert_eq!((world.process.clone(), world.core.health()), (before, Health::Healthy));
    assert_eq!(world.kinds(), ["restart_finished"]);
    world.ask(Command::RollBack);
    assert_eq!(world.heals.len(), 1, "there is nothing to put back");
}

#[test]
fn a_broken_configuration_does_not_hold_back_what_mends_it() {
    let policy = Policy { roll_back: true, ..Policy::default() };
    let mut world = World::healthy_with(policy);
    world.config = changed();
    let invalid = Trouble::Invalid("gateway.prot is not known".to_owned());
    world.dependencies = vec![DependencyState { dependency: Dependency::Configuration, trouble: Some(invalid) }];
    world.mood = Mood::Refuses;
    world.run(Duration::from_mins(10));
    assert_eq!(world.rungs().first(), Some(&Rung::RollBack));
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.kinds(), ["down", "config_suspect", "recovered"], "what is being mended is not waited for");
}

#[test]
fn without_leave_a_changed_configuration_is_never_put_back() {
    let mut world = World::healthy();
    world.config = changed();
    world.mood = Mood::Refuses;
    world.run(Duration::from_hours(12));
    assert!(!world.rungs().contains(&Rung::RollBack));
}

#[test]
fn an_edit_of_the_configuration_closes_the_breaker_and_is_tried_at_once() {
    let mut world = World::healthy();
    world.config_stamp = Some(1);
    world.mood = Mood::Refuses;
    world.run(Duration::from_hours(3));
    assert!(matches!(world.core.breaker(), Breaker::Open { .. }));
    let before = world.heals.len();
    world.mood = Mood::Well;
    world.config_stamp = Some(2);
    world.run(Duration::from_secs(30));
    assert_eq!(world.heals.len(), before + 1);
    world.run(Duration::from_mins(15));
    assert_eq!(world.core.health(), Health::Healthy);
}
