//! The tray alone, fed by hand: for its tests, for pictures, and for looking at it while working on it.
//!
//! `cargo run --example tray_preview`, then type states (`healthy`, `down`, …) or snapshots as JSON, one on a line.
//! Each click is printed as a line. The end of the input ends it. Arguments: `korean`, `monochrome`.

#[path = "../tests/support/samples.rs"]
mod samples;

use std::error::Error;
use std::io::BufRead;

use lifeguard::platform::clock;
use lifeguard::platform::desktop::login_item;
use lifeguard::request::UserAction;
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::verdict::Health;
use lifeguard::text::Language;
use lifeguard::tray::app::{TraySetup, run};
use tokio::sync::{mpsc, watch};

fn main() -> Result<(), Box<dyn Error>> {
    let given = |word: &str| std::env::args().any(|argument| argument == word);
    let setup = TraySetup {
        language: if given("korean") { Language::Korean } else { Language::English },
        monochrome: given("monochrome"),
        login_item: Box::new(login_item::state),
        #[cfg(target_os = "macos")]
        on_sleep: Box::new(|notice| say(&format!("{notice:?}"))),
        #[cfg(target_os = "macos")]
        on_hidden: Box::new(|| say("the icon is hidden")),
    };
    let first = parse("starting").ok_or("no sample of the state `starting`")?;
    let (publish, snapshots) = watch::channel(first);
    let (send, mut actions) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            match parse(&line) {
                Some(snapshot) => drop(publish.send(snapshot)),
                None => say(&format!("neither a state nor a snapshot: {line}")),
            }
        }
    });
    std::thread::spawn(move || {
        while let Some(action) = actions.blocking_recv() {
            if let UserAction::SetLoginItem(on) = action
                && let Err(error) = login_item::set(on)
            {
                say(&format!("login item: {error}"));
            }
            say(&format!("{action:?}"));
        }
    });
    run(setup, snapshots, send, Box::new(|| say("exit")))?;
    Ok(())
}

fn parse(line: &str) -> Option<Snapshot> {
    let state = Health::ALL.into_iter().find(|health| health.name() == line.trim());
    state.map_or_else(
        || serde_json::from_str(line).ok(),
        |health| Some(samples::snapshot(health, clock::wall(), clock::elapsed())),
    )
}

#[expect(clippy::print_stdout, reason = "its output is its purpose")]
fn say(text: &str) {
    println!("{text}");
}
