//! The invariants, whatever happens.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{Mood, World};
use crate::supervisor::Supervisor;
use crate::supervisor::event::{AlertKind, Command, Event};
use crate::supervisor::moment::Moment;
use crate::supervisor::policy::Policy;
use crate::supervisor::verdict::Health;

#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    Hang,
    NotReady,
    Loop(u64),
    Refuse,
    Mend,
    Sleep(u64),
    Notice(bool),
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
        1 => any::<bool>().prop_map(Fault::Notice),
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
                Fault::Notice(woken) => world.feed(if woken { Event::Woken } else { Event::Suspending }),
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
