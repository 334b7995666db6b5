//! Watching a gateway that is well asks nothing of the allocator: what the core allocates in a steady state is counted.

#[path = "support/steady.rs"]
mod steady;

use allocation_counter::measure;
use lifeguard::supervisor::event::{Action, Event};
use steady::Steady;

/// Rounds that are counted.
const ROUNDS: usize = 1000;

#[test]
fn a_tick_at_which_nothing_is_due_allocates_nothing() {
    let mut steady = Steady::well();
    steady.round();
    let now = steady.now.after(std::time::Duration::from_millis(1));
    let counted = measure(|| {
        for _ in 0..ROUNDS {
            assert!(steady.core.step(now, Event::Tick).is_empty());
        }
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

#[test]
fn nine_rounds_of_ten_allocate_only_their_answer_and_two_names_and_keep_nothing() {
    let (mut steady, mut others) = (Steady::well(), 0);
    for _ in 0..ROUNDS {
        steady.wait();
        let tick = measure(|| drop(steady.core.step(steady.now, Event::Tick)));
        assert_eq!(tick.count_total, 1, "the list with the one action: {tick:?}");
        assert_eq!(tick.count_current, 0, "{tick:?}");
        // What was seen is the prober's; that it is freed is counted against what the core keeps.
        let mut seen = Some(Event::Observed(Box::new(steady.look())));
        let mut actions = Vec::new();
        let look = measure(|| {
            if let Some(event) = seen.take() {
                actions = steady.core.step(steady.now, event);
            }
        });
        // Every few minutes the course of the memory is written on, and saved now and then.
        if actions.is_empty() && look.count_total <= 2 {
            assert!(look.count_current <= 0, "{look:?}");
        } else {
            assert!(actions.is_empty() || actions == [Action::Persist], "{actions:?}");
            others += 1;
        }
    }
    assert!(others <= ROUNDS / 10, "{others} of {ROUNDS} rounds allocate more than the command line, twice");
}
