//! Late perhaps, never lost, never a storm: the books of two channels, the history on disk and Discord's own requests,
//! in virtual time, with servers that fail and a Lifeguard that is killed at any step. One seed is one story.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests fails the test")]
#![expect(clippy::print_stdout, reason = "the figures are for whoever runs the proof")]

#[path = "support/alerts.rs"]
mod alerts;
#[path = "alert_proof/books.rs"]
mod books;
#[path = "support/discord.rs"]
mod discord;
#[path = "alert_proof/server.rs"]
mod server;
#[path = "alert_proof/story.rs"]
mod story;

use std::fmt;
use std::ops::{AddAssign, Range};

use books::Lifeguard;
use server::Server;
use story::{Story, Telling};

/// Stories that each of the two tests tells.
const STORIES: u64 = 500;

/// What happened in a story, for the closing figures.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Figures {
    stories: usize,
    incidents: usize,
    kills: usize,
    cuts: usize,
    refusals: usize,
    messages: usize,
    folded: usize,
    never_due: usize,
    repeated_after_a_kill: usize,
    repeated_after_a_cut: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        self.stories += other.stories;
        self.incidents += other.incidents;
        self.kills += other.kills;
        self.cuts += other.cuts;
        self.refusals += other.refusals;
        self.messages += other.messages;
        self.folded += other.folded;
        self.never_due += other.never_due;
        self.repeated_after_a_kill += other.repeated_after_a_kill;
        self.repeated_after_a_cut += other.repeated_after_a_cut;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} stories, {} incidents, two channels: {} messages arrived, 0 lost, 0 repeated without being marked",
            self.stories, self.incidents, self.messages
        )?;
        writeln!(
            formatter,
            "faults: Lifeguard killed {} times, {} requests cut, {} refused or limited",
            self.kills, self.cuts, self.refusals
        )?;
        write!(
            formatter,
            "repeats, all marked: {} after a kill, {} after a cut; {} outages told with their end in one message, {} over \
             before the cooldown let them be told",
            self.repeated_after_a_kill, self.repeated_after_a_cut, self.folded, self.never_due
        )
    }
}

/// Tells one story to its end, and holds what arrived against what happened.
fn tell(seed: u64) -> Figures {
    let mut chance = fastrand::Rng::with_seed(seed);
    let story = Story::draw(&mut chance);
    let mut servers = [Server::discord(), Server::plain()];
    let mut figures = Figures { stories: 1, incidents: story.incidents(), ..Figures::default() };
    let mut lifeguard = Lifeguard::begin(story.cooldown);
    let mut place = 0;
    loop {
        // What is told is committed before it is told: a killed Lifeguard finds its place in the story again.
        let due = story.tellings.get(place).filter(|telling| telling.at <= lifeguard.now);
        if let Some(telling) = due {
            if chance.u32(..100) < story.kills {
                figures.kills += 1;
                lifeguard = lifeguard.killed(&mut servers);
            }
            lifeguard.record(telling);
            place += 1;
            if chance.u32(..100) < story.kills {
                figures.kills += 1;
                lifeguard = lifeguard.killed(&mut servers);
            }
            assert_eq!(lifeguard.place(), place, "the state and its alert are stored together");
        }
        if chance.u32(..20) == 0 {
            servers[0].delete_newest();
        }
        let quiet = place == story.tellings.len();
        let faults = if quiet { 0 } else { story.faults };
        let kills = if quiet { 0 } else { story.kills };
        lifeguard = lifeguard.deliver(&mut servers, &mut chance, faults, kills, &mut figures);
        let next = story.tellings.get(place).map(|telling| telling.at);
        match [next, lifeguard.next()].into_iter().flatten().min() {
            Some(at) => lifeguard.now = at.max(lifeguard.now),
            None => break,
        }
        assert!(lifeguard.now < story::LIMIT, "seed {seed}: it never ends");
    }
    for server in &servers {
        judge(seed, &story, server, &mut figures);
    }
    figures
}

/// Every incident arrived, in full and once.
fn judge(seed: u64, story: &Story, server: &Server, figures: &mut Figures) {
    let at = |what: &str| format!("seed {seed}, {}: {what}\n{story:#?}\n{server:#?}", server.name);
    assert!(server.violations.is_empty(), "{}", at("Discord's rules were broken"));
    figures.messages += server.accepted.len();
    for (number, accepted) in server.accepted.iter().enumerate() {
        let earlier = server.accepted[..number].iter().find(|other| other.alert == accepted.alert);
        let Some(earlier) = earlier else { continue };
        assert!(accepted.marked, "{}", at(&format!("alert {} came again, unmarked", accepted.alert)));
        assert!(!earlier.confirmed, "{}", at(&format!("alert {} came again, though it was confirmed", accepted.alert)));
        if earlier.killed { figures.repeated_after_a_kill += 1 } else { figures.repeated_after_a_cut += 1 }
    }
    for incident in 1..=story.incidents() as u64 {
        let told = |kind: &str| server.accepted.iter().find(|one| one.incident == incident && one.kind == kind);
        // Worse news stands for a `down` that the cooldown still held.
        let down = told("down").or_else(|| told("safe_mode")).or_else(|| told("blocked"));
        let recovered = told("recovered");
        match (down, recovered) {
            (Some(_), Some(_)) => {}
            (None, Some(recovered)) => {
                assert!(recovered.folded, "{}", at(&format!("the outage {incident} was never told")));
                figures.folded += 1;
            }
            (None, None) => {
                assert!(story.held_to_the_end(incident), "{}", at(&format!("incident {incident} was lost")));
                figures.never_due += 1;
            }
            (Some(_), None) => panic!("{}", at(&format!("the end of {incident} was lost"))),
        }
        for kind in ["safe_mode", "blocked"] {
            let happened = story.tellings.iter().any(|telling| telling.is(incident, kind));
            let folded = recovered.is_some_and(|recovered| recovered.folded);
            assert!(!happened || told(kind).is_some() || folded, "{}", at(&format!("{kind} of {incident} was lost")));
        }
        if let Some(text) = server.standing(incident) {
            assert!(text.contains("was down for"), "{}", at(&format!("the message of {incident} never moved on")));
        }
    }
}

/// Tells the stories of these seeds; `ALERT_SEED=n` tells that one alone.
fn tell_all(seeds: Range<u64>) {
    if let Ok(seed) = std::env::var("ALERT_SEED") {
        println!("{}", tell(seed.parse().unwrap()));
        return;
    }
    let mut figures = Figures::default();
    seeds.for_each(|seed| figures += tell(seed));
    println!("{figures}");
    // A proof in which nothing goes wrong proves nothing.
    for (what, count) in [
        ("kills", figures.kills),
        ("cuts", figures.cuts),
        ("refusals", figures.refusals),
        ("folded", figures.folded),
        ("after a kill", figures.repeated_after_a_kill),
        ("after a cut", figures.repeated_after_a_cut),
    ] {
        assert!(count >= 100, "only {count} {what}: {figures:?}");
    }
}

#[test]
fn every_incident_is_told_once_whatever_fails() {
    tell_all(0..STORIES);
}

#[test]
fn every_incident_is_told_once_in_as_many_stories_more() {
    tell_all(STORIES..2 * STORIES);
}

#[test]
fn one_seed_is_one_story() {
    assert_eq!(tell(7), tell(7));
}

#[test]
fn a_lost_alert_would_be_found() {
    let story = Story::draw(&mut fastrand::Rng::with_seed(1));
    let telling: &Telling = &story.tellings[0];
    let mut servers = [Server::discord(), Server::plain()];
    let mut lifeguard = Lifeguard::begin(story.cooldown);
    lifeguard.record(telling);
    lifeguard.forget();
    lifeguard = lifeguard.killed(&mut servers);
    assert_eq!(lifeguard.next(), None, "nothing waits any more");
    let judged = std::panic::catch_unwind(|| judge(1, &story, &servers[0], &mut Figures::default()));
    assert!(judged.is_err());
}
