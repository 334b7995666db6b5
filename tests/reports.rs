//! Reports: the real program sends the one that was missed, once, with its picture, and prints them on demand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use gateway::wait_until;
use lifeguard::history::History;
use lifeguard::platform::clock;
use lifeguard::supervisor::moment::Moment;
use lifeguard_process::{QUICK, RECOVERED, SOON, Watch, signal_gateway};
use rustix::process::Signal;

/// The history of a Lifeguard that does not run.
fn history(watch: &Watch<'_>) -> History {
    let now = Moment { awake: clock::awake(), elapsed: clock::elapsed(), wall: clock::wall() };
    let opened = History::open(&watch.state_dir(), lifeguard::platform::boot_id(), now).unwrap();
    assert_eq!(opened.problem, None);
    opened.history
}

#[test]
fn a_report_that_was_missed_is_sent_once_with_its_picture() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    signal_gateway(lifeguard.wait_healthy(SOON).pid.unwrap(), Signal::KILL);
    watch.wait_told(SOON, &[lifeguard_process::DOWN, RECOVERED]);
    lifeguard.wait(SOON, "the outage behind it", |gateway| {
        gateway.last_incident.as_ref().is_some_and(|incident| incident.ended.is_some())
    });
    assert!(wait_until(SOON, || history(&watch).fact("daily report").unwrap().is_some()));
    lifeguard.wait_receipts();
    lifeguard.crash();

    // It did not run for three days, and has not sent a report since.
    let long_ago = clock::wall() - 3 * 86_400_000;
    history(&watch).change(|change| change.save_fact("daily report", &long_ago.to_string())).unwrap();
    for _ in 0..2 {
        let lifeguard = watch.start();
        let sent = || watch.headlines().iter().filter(|title| title.starts_with("Daily report: ")).count();
        assert!(wait_until(SOON, || sent() == 1), "{:?}\n{}", watch.headlines(), watch.log());
        lifeguard.wait_healthy(SOON);
        lifeguard.wait_receipts();
        lifeguard.crash();
    }
    let seen = watch.seen();
    assert_eq!(seen.violations, Vec::<String>::new());
    assert_eq!(seen.messages.len(), 3, "{:?}", watch.headlines());
    let [(name, picture)] = seen.files.as_slice() else { panic!("{} files", seen.files.len()) };
    assert_eq!(name, "chart.png");
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.len() > 2_000);
}

#[test]
fn a_report_is_printed_and_drawn_on_demand() {
    let home = practice::home(&[]);
    let watch = Watch::new(&home, "child", QUICK);
    let lifeguard = watch.start();
    signal_gateway(lifeguard.wait_healthy(SOON).pid.unwrap(), Signal::KILL);
    let incident = lifeguard.wait(SOON, "the outage behind it", |gateway| {
        gateway.last_incident.as_ref().is_some_and(|incident| incident.ended.is_some())
    });
    assert_eq!(incident.crashes, 1);
    let file = home.path().join("day.png");
    let output = watch.run(&["report", "--chart", file.to_str().unwrap()]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with("Daily report: 1 outage, "), "{printed}{:?}", output.stderr);
    assert!(printed.contains("The longest: ") && printed.contains("its process is gone"), "{printed}");
    assert!(std::fs::read(&file).unwrap().starts_with(b"\x89PNG"));
    let json = watch.run(&["report", "weekly", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((json["period"].as_str(), json["gateways"][0]["outages"].as_u64()), (Some("week"), Some(1)));
    lifeguard.wait_healthy(SOON);
}
