//! How long to wait before the next attempt: a schedule, then doubling, lengthened by a jitter.

use std::time::Duration;

use super::policy::Policy;

/// The wait before attempt `number` (0 is the first, which follows at once).
///
/// `chance` in 0..=1 picks the jitter: the wait is lengthened by `chance * policy.jitter` of itself, so that
/// several gateways that died together do not come back together.
#[must_use]
pub fn wait(policy: &Policy, number: u32, chance: f64) -> Duration {
    let Some(step) = number.checked_sub(1) else { return Duration::ZERO };
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    let base = match (policy.backoff.get(step), policy.backoff.last()) {
        (Some(wait), _) => *wait,
        (None, Some(last)) => {
            let doublings = u32::try_from(step + 1 - policy.backoff.len()).unwrap_or(31).min(31);
            last.saturating_mul(1 << doublings)
        }
        (None, None) => Duration::ZERO,
    };
    let base = base.min(policy.trial_limit);
    base.mul_f64(1.0 + chance.clamp(0.0, 1.0) * policy.jitter).min(policy.trial_limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_schedule_is_the_one_of_the_requirements_and_then_doubles() {
        let policy = Policy::default();
        let seconds: Vec<u64> = (0..10).map(|number| wait(&policy, number, 0.0).as_secs()).collect();
        assert_eq!(seconds, [0, 10, 30, 90, 180, 300, 600, 1_200, 2_400, 4_800]);
    }

    proptest! {
        #[test]
        fn a_wait_never_exceeds_the_limit_and_never_shrinks(number in 0_u32..10_000, chance in 0.0..=1.0_f64) {
            let policy = Policy::default();
            prop_assert!(wait(&policy, number, chance) <= policy.trial_limit);
            prop_assert!(wait(&policy, number + 1, 0.0) >= wait(&policy, number, 0.0));
            prop_assert!(wait(&policy, number, chance) >= wait(&policy, number, 0.0));
        }
    }
}
