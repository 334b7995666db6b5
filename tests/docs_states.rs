//! `docs/states.md` names every verdict and every state, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use lifeguard::supervisor::activity::{ModelRefusal, RefusalCause};
use lifeguard::supervisor::verdict::{Health, Verdict};

const DOCUMENT: &str = include_str!("../docs/states.md");

/// The names in the first column of the section's table, in its order.
fn rows(heading: &str) -> Vec<&'static str> {
    let section = DOCUMENT.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    cells.map(|rest| rest.split('`').next().unwrap()).collect()
}

/// One of each. The match makes sure that a new one is not forgotten here.
fn verdicts() -> Vec<Verdict> {
    let next = |verdict: &Verdict| match verdict {
        Verdict::Unknown(_) => Some(Verdict::Healthy),
        Verdict::Healthy => Some(Verdict::Starting(String::new())),
        Verdict::Starting(_) => Some(Verdict::Draining),
        Verdict::Draining => Some(Verdict::NotReady(Vec::new())),
        Verdict::NotReady(_) => Some(Verdict::ChannelsSuppressed(Vec::new())),
        Verdict::ChannelsSuppressed(_) => Some(Verdict::Orphan),
        Verdict::Orphan => Some(Verdict::Slow),
        Verdict::Slow => {
            let refusal = ModelRefusal { provider: String::new(), cause: RefusalCause::Credentials };
            Some(Verdict::ModelRefused(refusal))
        }
        Verdict::ModelRefused(_) => Some(Verdict::LoggedOut(Vec::new())),
        Verdict::LoggedOut(_) => Some(Verdict::ChannelsSilent(Vec::new())),
        Verdict::ChannelsSilent(_) => Some(Verdict::ChannelsDown(Vec::new())),
        Verdict::ChannelsDown(_) => Some(Verdict::Overdue),
        Verdict::Overdue => Some(Verdict::Gone),
        Verdict::Gone => Some(Verdict::CrashLoop),
        Verdict::CrashLoop => Some(Verdict::Zombie),
        Verdict::Zombie => Some(Verdict::Hung),
        Verdict::Hung => Some(Verdict::Failing(String::new())),
        Verdict::Failing(_) => Some(Verdict::PortTaken { pid: None, name: String::new() }),
        Verdict::PortTaken { .. } => Some(Verdict::StaleGateway { pid: 1 }),
        Verdict::StaleGateway { .. } => Some(Verdict::Refuses),
        Verdict::Refuses => Some(Verdict::NotSpawned(String::new())),
        Verdict::NotSpawned(_) => Some(Verdict::Parked),
        Verdict::Parked => Some(Verdict::Updating),
        Verdict::Updating => Some(Verdict::ServiceNotLoaded),
        Verdict::ServiceNotLoaded => Some(Verdict::ServiceDisabled),
        Verdict::ServiceDisabled => Some(Verdict::Stopped),
        Verdict::Stopped => Some(Verdict::NotInstalled),
        Verdict::NotInstalled => None,
    };
    std::iter::successors(Some(Verdict::Unknown(String::new())), next).collect()
}

#[test]
fn every_verdict_is_described_in_its_order() {
    let names: Vec<&str> = verdicts().iter().map(Verdict::name).collect();
    assert_eq!(rows("Verdicts"), names);
}

#[test]
fn every_state_is_described_once() {
    let described = rows("Health");
    let names: BTreeSet<&str> = Health::ALL.into_iter().map(Health::name).collect();
    assert_eq!(described.iter().copied().collect::<BTreeSet<_>>(), names);
    assert_eq!(described.len(), names.len());
}

#[test]
fn every_word_in_the_tables_that_looks_like_a_state_is_one() {
    let known: BTreeSet<&str> = ["Verdicts", "Health", "Attempts"].into_iter().flat_map(rows).collect();
    let cells = DOCUMENT.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(3));
    let looks_like_one = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    for word in cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(looks_like_one) {
        assert!(known.contains(word) || matches!(word, "start_when_dead"), "{word}");
    }
}
