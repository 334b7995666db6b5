//! What surrounds the gateway: what it needs, what it reports, what was done to it on purpose.

use std::time::Duration;

use super::world::{Mood, World, network, no_docker, telegram};
use crate::supervisor::activity::{Activity, ModelRefusal, RefusalCause};
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};
use crate::supervisor::event::{AlertKind, Command};
use crate::supervisor::intent::Intent;
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::observation::{Exit, ServiceState};
use crate::supervisor::policy::{Manager, Policy};
use crate::supervisor::verdict::{Health, Verdict};

const CLEAN: Exit = Exit { code: Some(0), signal: None };

#[test]
fn an_outage_waits_for_what_the_gateway_needs_and_goes_on_by_itself() {
    let mut world = World::healthy();
    world.dependencies = vec![no_docker()];
    world.run(Duration::from_secs(30));
    assert_eq!(world.core.health(), Health::Healthy, "a missing need alone is no outage");
    world.kill();
    world.run(Duration::from_hours(2));
    assert!(world.heals.is_empty());
    assert_eq!(world.core.crashes(), 0);
    assert_eq!(world.core.health(), Health::Blocked);
    assert_eq!(world.kinds(), ["down"]);
    let AlertKind::Down { waits_for, .. } = &world.alerts[0].kind else { panic!() };
    assert_eq!(*waits_for, [no_docker()]);
    world.dependencies.clear();
    world.run(Duration::from_mins(3));
    assert_eq!(world.rungs(), [Rung::Start]);
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

#[test]
fn a_heal_that_finds_something_missing_at_the_last_moment_costs_nothing() {
    let mut world = World::healthy();
    world.obstruction = Some(no_docker());
    world.kill();
    assert_eq!(world.outcomes, [Outcome::Obstructed(vec![no_docker()])]);
    assert_eq!(world.core.crashes(), 0);
    assert_eq!(world.core.incident(world.now).map(|incident| incident.attempts), Some(0));
    world.dependencies = vec![no_docker()];
    world.run(Duration::from_hours(1));
    assert_eq!(world.heals.len(), 1);
    assert_eq!(world.core.crashes(), 0);
    world.obstruction = None;
    world.dependencies.clear();
    world.run(Duration::from_mins(3));
    assert_eq!(world.core.health(), Health::Healthy);
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "down").count(), 1);
}

#[test]
fn channels_that_it_holds_back_are_started_without_a_restart() {
    let mut world = World::healthy();
    world.mood = Mood::Suppressed;
    world.run(Duration::from_mins(9));
    assert!(world.heals.is_empty(), "its own monitor gets its chance first");
    world.run(Duration::from_mins(2));
    assert_eq!(world.rungs(), [Rung::StartChannels]);
    assert_eq!(world.heals[0].1.channels, ["telegram"]);
    assert_eq!(world.outcomes, [Outcome::ChannelsStarted]);
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds(), ["degraded", "recovered"]);
    assert!(world.kills.is_empty());
}

#[test]
fn a_missing_channel_gets_one_restart_and_only_where_the_network_is_known_to_work() {
    for (hosts, restarts) in [(vec![], 0), (vec![network(false)], 0), (vec![network(true)], 1)] {
        let mut world = World::healthy();
        world.mood = Mood::NotReady;
        world.dependencies = hosts.clone();
        world.run(Duration::from_mins(14));
        assert!(world.heals.is_empty());
        world.run(Duration::from_hours(6));
        assert_eq!(world.heals.len(), restarts, "{hosts:?}");
        assert!(world.rungs().iter().all(|rung| *rung == Rung::Graceful));
        assert_eq!(world.core.health(), Health::Degraded);
    }
}

#[test]
fn a_channel_that_carries_nothing_is_told_by_its_name() {
    let mut world = World::healthy();
    world.activity = Some(telegram(|channel| channel.silent_for = Some(Duration::from_mins(31))));
    world.run(Duration::from_mins(6));
    assert_eq!(world.core.verdict(), &Verdict::ChannelsSilent(vec!["telegram".to_owned()]));
    assert_eq!(world.core.health(), Health::Degraded);
    assert_eq!(world.kinds(), ["degraded"]);
    assert!(world.heals.is_empty());
}

#[test]
fn a_channel_that_was_logged_out_is_never_restarted() {
    let mut world = World::healthy();
    world.dependencies = vec![network(true)];
    world.activity = Some(telegram(|channel| channel.logged_out = true));
    world.run(Duration::from_hours(8));
    assert_eq!(world.kinds(), ["degraded"]);
    assert!(world.heals.is_empty());
}

#[test]
fn a_model_whose_provider_refuses_is_told_once_and_never_restarted() {
    let mut world = World::healthy();
    world.dependencies = vec![network(true)];
    let refusal = ModelRefusal { provider: "anthropic".to_owned(), cause: RefusalCause::Credentials };
    world.activity = Some(Activity { refusal: Some(refusal.clone()), ..Activity::default() });
    world.run(Duration::from_mins(4));
    assert!(world.alerts.is_empty());
    world.run(Duration::from_hours(8));
    assert_eq!((world.kinds(), world.core.verdict()), (vec!["degraded"], &Verdict::ModelRefused(refusal)));
    assert_eq!(world.core.health(), Health::Degraded);
    assert!(world.heals.is_empty());
    world.activity = Some(Activity::default());
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds(), ["degraded", "recovered"]);
}

#[test]
fn a_schedule_that_stands_still_is_told_and_gets_one_restart() {
    let mut world = World::healthy();
    let overdue = |length| Some(Activity { overdue: Some(length), ..Activity::default() });
    world.activity = overdue(Duration::from_mins(9));
    world.run(Duration::from_hours(1));
    assert!(world.alerts.is_empty(), "a run may be late");
    world.activity = overdue(Duration::from_mins(11));
    world.run(Duration::from_mins(10));
    assert_eq!((world.kinds(), world.core.verdict()), (vec!["degraded"], &Verdict::Overdue));
    world.run(Duration::from_hours(3));
    assert_eq!(world.rungs(), [Rung::Graceful], "once, whatever it helped");
}

#[test]
fn a_slow_gateway_is_told_and_left_alone() {
    let mut world = World::healthy();
    world.latency = Some(Duration::from_secs(3));
    world.run(Duration::from_hours(1));
    assert_eq!(world.kinds(), ["degraded"]);
    assert!(world.heals.is_empty());
    world.latency = None;
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds(), ["degraded", "recovered"]);
}

#[test]
fn a_stop_by_its_user_is_no_outage_and_ends_with_a_start_by_anybody() {
    let mut world = World::healthy();
    world.deed(Intent::Stop);
    world.run(Duration::from_secs(15));
    assert_eq!(world.core.health(), Health::Healthy, "the record alone says nothing");
    world.die(CLEAN);
    world.run(Duration::from_hours(30));
    assert_eq!(world.core.health(), Health::Stopped);
    assert!(world.heals.is_empty() && world.alerts.is_empty(), "{:?} {:?}", world.rungs(), world.kinds());
    world.start();
    world.run(Duration::from_mins(2));
    assert_eq!(world.core.health(), Health::Healthy);
    world.kill();
    assert_eq!(world.heals.len(), 1, "an old record does not excuse a new crash");
}

#[test]
fn a_restart_by_its_user_is_no_outage_as_long_as_a_start_takes() {
    let mut world = World::healthy();
    world.deed(Intent::Restart);
    world.run(Duration::from_secs(15));
    world.die(CLEAN);
    world.run(Duration::from_secs(40));
    assert_eq!(world.core.health(), Health::Starting);
    assert!(world.alerts.is_empty());
    world.run(Duration::from_mins(5));
    assert!(!world.heals.is_empty(), "nobody started it");
}

#[test]
fn an_update_is_left_alone_for_half_an_hour() {
    let mut world = World::healthy();
    world.deed(Intent::Update);
    world.run(Duration::from_secs(15));
    world.kill();
    world.run(Duration::from_mins(25));
    assert!(world.heals.is_empty() && world.alerts.is_empty());
    world.run(Duration::from_mins(10));
    assert_eq!(world.heals.len(), 1);
}

#[test]
fn a_service_that_openclaw_has_parked_is_left_alone_and_told() {
    let patience = Duration::from_secs(20);
    let policy = Policy { manager: Manager::ServiceManager { patience }, ..Policy::default() };
    let mut world = World::healthy_with(policy);
    world.deed(Intent::Maintenance);
    world.service = ServiceState::Disabled;
    world.kill();
    world.run(Duration::from_hours(3));
    assert_eq!(world.core.verdict(), &Verdict::Parked);
    assert!(world.heals.is_empty());
    assert_eq!(world.kinds(), ["down"]);
}

#[test]
fn an_end_in_good_order_is_followed_by_a_quiet_start_but_a_loop_of_them_is_an_outage() {
    let mut world = World::healthy();
    for starts in 1..=2 {
        world.die(CLEAN);
        world.run(Duration::from_mins(2));
        assert_eq!(world.heals.len(), starts);
        assert_eq!(world.core.health(), Health::Healthy);
    }
    assert!(world.alerts.is_empty(), "{:?}", world.kinds());
    assert_eq!(world.core.crashes(), 0);
    world.die(CLEAN);
    world.run(Duration::from_mins(2));
    assert_eq!(world.kinds(), ["down", "recovered"]);
}

#[test]
fn three_ends_in_half_an_hour_are_a_crash_loop_however_healthy_it_looked_between() {
    let mut world = World::healthy();
    for _ in 0..3 {
        world.run(Duration::from_mins(8));
        world.kill();
    }
    assert_eq!(world.core.incident(world.now).map(|incident| incident.verdict), Some(Verdict::CrashLoop));
    world.run(Duration::from_mins(9));
    assert_ne!(world.kinds().last(), Some(&"recovered"), "a minute of health proves nothing any more");
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds().last(), Some(&"recovered"));
}

#[test]
fn a_stop_that_was_asked_for_lasts_until_a_start_is_asked_for() {
    let mut world = World::healthy();
    world.ask(Command::Stop);
    assert_eq!(world.rungs(), [Rung::Stop]);
    world.run(Duration::from_hours(30));
    assert_eq!(world.outcomes, [Outcome::Stopped]);
    assert_eq!(world.core.health(), Health::Stopped);
    assert!(world.alerts.is_empty(), "{:?}", world.kinds());
    world.ask(Command::Restart { force: false });
    world.run(Duration::from_mins(3));
    assert_eq!(world.rungs(), [Rung::Stop, Rung::Start]);
    assert_eq!(world.core.health(), Health::Healthy);
}

#[test]
fn a_service_manager_that_says_it_will_not_is_not_waited_for() {
    let patience = Duration::from_mins(2);
    let policy = Policy { manager: Manager::ServiceManager { patience }, ..Policy::default() };
    let mut world = World::healthy_with(policy);
    world.service = ServiceState::Failed("start-limit-hit".to_owned());
    world.kill();
    world.run(Duration::from_secs(30));
    assert_eq!(world.rungs(), [Rung::Start]);
}

#[test]
fn without_a_clear_word_of_the_service_manager_an_outage_is_told_and_nothing_is_done() {
    let patience = Duration::from_secs(20);
    let policy = Policy { manager: Manager::ServiceManager { patience }, ..Policy::default() };
    for clear in [ServiceState::Failed("exit-code".to_owned()), ServiceState::Stopped] {
        let mut world = World::healthy_with(policy.clone());
        world.service = ServiceState::Unknown("systemd says \"superposed\"".to_owned());
        world.kill();
        world.run(Duration::from_hours(2));
        assert!(world.heals.is_empty());
        assert_eq!((world.kinds(), world.core.health()), (vec!["down"], Health::Blocked));
        let AlertKind::Down { waits_for, .. } = &world.alerts[0].kind else { panic!("{:?}", world.alerts[0]) };
        assert_eq!(waits_for[0].dependency, Dependency::ServiceManager);
        // It goes on by itself, or was meant to be stopped all the time.
        world.service = clear.clone();
        world.run(Duration::from_mins(1));
        assert_eq!(world.heals.len(), usize::from(clear != ServiceState::Stopped));
    }
}

const GIGABYTE: u64 = 1024 * 1024 * 1024;

#[test]
fn much_memory_is_told_once_and_at_the_limit_the_gateway_is_renewed() {
    let mut world = World::healthy();
    world.memory = Some(7 * GIGABYTE / 4);
    world.run(Duration::from_hours(3));
    assert_eq!(world.kinds(), ["memory"]);
    assert!(world.heals.is_empty());
    world.memory = Some(9 * GIGABYTE / 4);
    world.run(Duration::from_hours(3));
    assert_eq!(world.kinds(), ["memory", "memory"]);
    assert!(world.heals.is_empty(), "nobody knows whether work is in flight");
    world.memory = Some(3 * GIGABYTE);
    world.run(Duration::from_mins(2));
    assert_eq!(world.rungs(), [Rung::Graceful]);
    assert!(world.kills.is_empty());
    world.memory = Some(GIGABYTE);
    world.run(Duration::from_mins(3));
    assert_eq!(world.kinds(), ["memory", "memory", "memory", "renewed"]);
    assert_eq!(world.core.crashes(), 0);
    assert_eq!(world.core.incident(world.now), None);
}

#[test]
fn a_gateway_with_too_much_memory_is_renewed_as_soon_as_no_work_is_in_flight() {
    let mut world = World::healthy();
    let busy = |in_flight| Activity { in_flight: Some(in_flight), ..Activity::default() };
    world.memory = Some(9 * GIGABYTE / 4);
    world.activity = Some(busy(2));
    world.run(Duration::from_hours(1));
    assert!(world.heals.is_empty());
    world.activity = Some(busy(0));
    world.run(Duration::from_secs(20));
    assert_eq!(world.rungs(), [Rung::Graceful]);
}

#[test]
fn memory_that_fills_up_again_and_again_is_no_restart_loop() {
    let mut world = World::healthy();
    world.memory = Some(3 * GIGABYTE);
    world.run(Duration::from_hours(5));
    assert_eq!(world.heals.len(), 2);
    assert_eq!(world.kinds().iter().filter(|kind| **kind == "memory").count(), 3, "once in each life");
}

#[test]
fn where_it_is_not_wanted_memory_is_only_told() {
    let mut policy = Policy::default();
    policy.memory.restart = false;
    let mut world = World::healthy_with(policy);
    world.memory = Some(3 * GIGABYTE);
    world.run(Duration::from_hours(5));
    assert!(world.heals.is_empty());
    assert_eq!(world.kinds(), ["memory"]);
}

#[test]
fn a_person_is_called_with_the_reason_or_without_when_none_is_found() {
    let mut world = World::healthy();
    world.mood = Mood::Refuses;
    world.kill();
    world.run(Duration::from_secs(12));
    assert_eq!(world.kinds(), ["down"]);
    let trouble = Some(Trouble::Invalid("gateway: Unrecognized key".to_owned()));
    world.dependencies.push(DependencyState { dependency: Dependency::Configuration, trouble });
    world.run(Duration::from_secs(12));
    assert_eq!(world.kinds(), ["down", "blocked"]);
    let AlertKind::Blocked { waits_for, .. } = &world.alerts[1].kind else { panic!("{:?}", world.alerts[1]) };
    assert_eq!(waits_for.len(), 1);

    let mut world = World::healthy();
    world.mood = Mood::Refuses;
    world.kill();
    world.run(Duration::from_secs(25));
    assert_eq!(world.kinds(), ["down"]);
    world.run(Duration::from_secs(15));
    assert_eq!(world.kinds(), ["down", "blocked"]);
}
