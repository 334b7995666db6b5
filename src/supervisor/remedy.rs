//! What helps against a verdict: one table, from the verdict and what has been tried to the next rung.

use std::time::Duration;

use super::ladder::Rung;
use super::policy::{Manager, Policy};
use super::verdict::Verdict;

/// What helps against a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing to mend, or nothing that helps.
    Nothing,
    /// Only a person can.
    Person,
    /// An attempt, once `patience` has passed since the first failed observation.
    Attempt {
        /// How hard.
        rung: Rung,
        /// Skip the drain: it answers nothing.
        hasty: bool,
        /// What it is given to recover by itself.
        patience: Duration,
    },
}

/// What may be used beyond starting and stopping, by the policy and as the situation allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each asked by its name")]
pub struct Means {
    /// The configuration has changed since it was last good, and may be put back without asking.
    pub roll_back: bool,
    /// `openclaw doctor --fix` may be run.
    pub doctor: bool,
    /// The user has a command of their own for this.
    pub hook: bool,
    /// Hosts that the configuration names were looked at, and all can be reached.
    pub network: bool,
}

/// Plain attempts before the next means are tried.
const PLAIN_ATTEMPTS: usize = 2;

/// What helps against `verdict`, after `tried`.
#[must_use]
pub fn remedy(verdict: &Verdict, tried: &[Rung], means: Means, policy: &Policy) -> Remedy {
    let attempt = |rung, hasty, patience| Remedy::Attempt { rung, hasty, patience };
    let count = |rung| tried.iter().filter(|other| **other == rung).count();
    let next_means = || {
        let allowed = [(Rung::RollBack, means.roll_back), (Rung::Doctor, means.doctor), (Rung::Hook, means.hook)];
        allowed.into_iter().find(|(rung, allowed)| *allowed && count(*rung) == 0).map(|(rung, _)| rung)
    };
    // A start may be all it takes, unless it is the starting that fails.
    let start = |patience| {
        let fails_to_start = matches!(verdict, Verdict::Refuses | Verdict::CrashLoop);
        let spent = fails_to_start || count(Rung::Start) >= PLAIN_ATTEMPTS;
        attempt(next_means().filter(|_| spent).unwrap_or(Rung::Start), false, patience)
    };
    let restart = |hasty, patience| {
        let spent = count(Rung::Restart) >= PLAIN_ATTEMPTS;
        let rung = next_means().filter(|rung| spent || (*rung == Rung::RollBack && *verdict == Verdict::Zombie));
        attempt(rung.unwrap_or(Rung::Restart), hasty, patience)
    };
    let once = |rung, patience| if count(rung) == 0 { attempt(rung, false, patience) } else { Remedy::Nothing };
    let hang_patience = policy.hang_patience;
    match (verdict, policy.manager) {
        (Verdict::PortTaken { .. } | Verdict::ServiceDisabled | Verdict::Parked, _) => Remedy::Person,
        (Verdict::Gone | Verdict::CrashLoop | Verdict::Refuses, Manager::Nobody { start_when_dead: false }) => {
            Remedy::Person
        }
        (Verdict::Gone | Verdict::CrashLoop | Verdict::Refuses, Manager::ServiceManager { patience }) => {
            start(patience)
        }
        (Verdict::Gone | Verdict::CrashLoop | Verdict::Refuses, _) => start(Duration::ZERO),
        (Verdict::ServiceNotLoaded, _) => start(hang_patience),
        // The manager has said itself that it will not: waiting for it is over.
        (Verdict::NotSpawned(_), _) => start(policy.retry_interval),
        (Verdict::Hung, _) => restart(true, hang_patience),
        (Verdict::Zombie, _) => restart(true, Duration::ZERO),
        (Verdict::Failing(_), _) if tried.is_empty() => attempt(Rung::Graceful, false, hang_patience),
        (Verdict::Failing(_), _) => restart(false, hang_patience),
        (Verdict::StaleGateway { .. }, _) => {
            let hook = means.hook && count(Rung::FreePort) >= PLAIN_ATTEMPTS && count(Rung::Hook) == 0;
            attempt(if hook { Rung::Hook } else { Rung::FreePort }, true, hang_patience)
        }
        (Verdict::ChannelsSuppressed(_), _) if count(Rung::StartChannels) < PLAIN_ATTEMPTS => {
            attempt(Rung::StartChannels, false, policy.suppressed_patience)
        }
        // A restart into a dead network makes it worse (gateway.md, section 6, row 11).
        (Verdict::NotReady(missing), _) if means.network && missing.iter().all(|name| is_channel(name)) => {
            once(Rung::Graceful, policy.channel_patience)
        }
        (Verdict::ChannelsSilent(_), _) if means.network => once(Rung::Graceful, policy.channel_patience),
        (Verdict::Overdue, _) => once(Rung::Graceful, policy.overdue_patience),
        (
            Verdict::Unknown(_)
            | Verdict::Healthy
            | Verdict::Starting(_)
            | Verdict::Draining
            | Verdict::NotReady(_)
            | Verdict::ChannelsSuppressed(_)
            | Verdict::ChannelsSilent(_)
            | Verdict::ChannelsDown(_)
            | Verdict::ModelRefused(_)
            | Verdict::LoggedOut(_)
            | Verdict::Orphan
            | Verdict::Slow
            | Verdict::Updating
            | Verdict::Stopped
            | Verdict::NotInstalled,
            _,
        ) => Remedy::Nothing,
    }
}

/// Whether a reason that `/readyz` names is a channel: all others are named in the gateway's source (gateway.md,
/// section 3).
fn is_channel(name: &str) -> bool {
    let others = ["gateway-", "startup-", "agent-database", "plugin-reload", "state-database", "/readyz", "HTTP"];
    !name.contains(' ') && !others.iter().any(|other| name.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rungs that follow one another while nothing helps.
    fn climb(verdict: &Verdict, means: Means, policy: &Policy, steps: usize) -> Vec<Rung> {
        let mut tried = Vec::new();
        while tried.len() < steps {
            let Remedy::Attempt { rung, .. } = remedy(verdict, &tried, means, policy) else { break };
            tried.push(rung);
        }
        tried
    }

    const EVERYTHING: Means = Means { roll_back: true, doctor: true, hook: true, network: true };
    const NOTHING: Means = Means { roll_back: false, doctor: false, hook: false, network: false };

    #[test]
    fn the_ladder_of_each_verdict() {
        use Rung::{Doctor, FreePort, Graceful, Hook, Restart, RollBack, Start, StartChannels};
        let policy = Policy::default();
        let of = |verdict: &Verdict, means| climb(verdict, means, &policy, 6);
        let channel = || vec!["telegram".to_owned()];
        assert_eq!(of(&Verdict::Gone, NOTHING), [Start; 6]);
        assert_eq!(of(&Verdict::Gone, EVERYTHING), [Start, Start, RollBack, Doctor, Hook, Start]);
        assert_eq!(of(&Verdict::CrashLoop, EVERYTHING), [RollBack, Doctor, Hook, Start, Start, Start]);
        assert_eq!(of(&Verdict::Refuses, EVERYTHING), [RollBack, Doctor, Hook, Start, Start, Start]);
        assert_eq!(of(&Verdict::NotSpawned(String::new()), NOTHING), [Start; 6]);
        assert_eq!(of(&Verdict::Hung, NOTHING), [Restart; 6]);
        assert_eq!(of(&Verdict::Hung, EVERYTHING), [Restart, Restart, RollBack, Doctor, Hook, Restart]);
        assert_eq!(of(&Verdict::Zombie, EVERYTHING), [RollBack, Restart, Restart, Doctor, Hook, Restart]);
        let failing = Verdict::Failing(String::new());
        assert_eq!(of(&failing, NOTHING), [Graceful, Restart, Restart, Restart, Restart, Restart]);
        assert_eq!(of(&failing, EVERYTHING), [Graceful, Restart, Restart, RollBack, Doctor, Hook]);
        let stale = Verdict::StaleGateway { pid: 1 };
        assert_eq!(of(&stale, EVERYTHING), [FreePort, FreePort, Hook, FreePort, FreePort, FreePort]);
        assert_eq!(of(&Verdict::ChannelsSuppressed(channel()), EVERYTHING), [StartChannels, StartChannels]);
        assert_eq!(of(&Verdict::NotReady(channel()), EVERYTHING), [Graceful]);
        assert_eq!(of(&Verdict::NotReady(channel()), NOTHING), []);
        assert_eq!(of(&Verdict::NotReady(vec!["state-database".to_owned()]), EVERYTHING), []);
        assert_eq!(of(&Verdict::LoggedOut(channel()), EVERYTHING), []);
        assert_eq!(of(&Verdict::ChannelsDown(channel()), EVERYTHING), []);
        assert_eq!(of(&Verdict::Overdue, NOTHING), [Graceful]);
        assert_eq!(of(&Verdict::Slow, EVERYTHING), []);
        assert_eq!(of(&Verdict::Orphan, EVERYTHING), []);
    }

    #[test]
    fn what_is_parked_disabled_or_a_strangers_is_left_alone() {
        let policy = Policy::default();
        let stranger = Verdict::PortTaken { pid: None, name: String::new() };
        for verdict in [Verdict::Parked, Verdict::ServiceDisabled, stranger] {
            assert_eq!(remedy(&verdict, &[], EVERYTHING, &policy), Remedy::Person);
        }
        for verdict in [Verdict::Updating, Verdict::Stopped, Verdict::NotInstalled, Verdict::Draining] {
            assert_eq!(remedy(&verdict, &[], EVERYTHING, &policy), Remedy::Nothing);
        }
    }

    #[test]
    fn a_gateway_that_a_person_starts_by_hand_is_theirs_to_start() {
        let policy = Policy { manager: Manager::Nobody { start_when_dead: false }, ..Policy::default() };
        for verdict in [Verdict::Gone, Verdict::CrashLoop, Verdict::Refuses] {
            assert_eq!(remedy(&verdict, &[], EVERYTHING, &policy), Remedy::Person);
        }
        let hung = remedy(&Verdict::Hung, &[], NOTHING, &policy);
        assert!(matches!(hung, Remedy::Attempt { rung: Rung::Restart, hasty: true, .. }));
    }

    #[test]
    fn a_service_manager_gets_its_chance_first() {
        let patience = Duration::from_secs(20);
        let policy = Policy { manager: Manager::ServiceManager { patience }, ..Policy::default() };
        let start = Remedy::Attempt { rung: Rung::Start, hasty: false, patience };
        assert_eq!(remedy(&Verdict::Gone, &[], NOTHING, &policy), start);
    }
}
