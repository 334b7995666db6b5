//! The tray on a real panel: what the panel is told, and what clicks on it ask for.
#![cfg(all(feature = "tray", target_os = "linux"))]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in helpers of tests")]

#[path = "support/desktop.rs"]
mod desktop;
#[path = "support/samples.rs"]
mod samples;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use desktop::{Desktop, PATIENCE, TrayItem, wait_for};
use lifeguard::platform::clock;
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::verdict::Health;

/// The example `tray_preview` on a desktop.
struct Preview {
    process: Child,
    input: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Preview {
    fn start(desktop: &Desktop, arguments: &[&str]) -> Self {
        let mut command = preview(desktop);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (send, said) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { input: process.stdin.take(), process, said }
    }

    fn publish(&mut self, snapshot: &Snapshot) {
        let line = serde_json::to_string(snapshot).unwrap();
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn show(&mut self, health: Health) {
        self.publish(&sample(health));
    }

    fn hear(&self) -> String {
        self.said.recv_timeout(PATIENCE).expect("the preview says nothing")
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Cargo builds examples beside the tests.
fn preview(desktop: &Desktop) -> Command {
    let tests = std::env::current_exe().unwrap();
    let example = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples/tray_preview");
    assert!(example.exists(), "{} is needed: cargo build --example tray_preview", example.display());
    desktop.command(example)
}

fn sample(health: Health) -> Snapshot {
    samples::snapshot(health, clock::wall(), clock::elapsed())
}

async fn tooltip_with(item: &TrayItem, part: &str) -> String {
    wait_for(&format!("a tooltip with {part:?}"), || async {
        Some(item.tooltip().await.1).filter(|tooltip| tooltip.contains(part))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_icon_says_what_the_snapshot_says_and_clicks_arrive() {
    let desktop = Desktop::start().await;
    let mut preview = Preview::start(&desktop, &[]);
    let item = desktop.tray_item(preview.process.id()).await;

    preview.show(Health::Healthy);
    assert_eq!(tooltip_with(&item, "Up and ready").await, "gateway: Up and ready");
    assert_eq!(item.tooltip().await.0, "Lifeguard");
    assert_eq!(item.property::<String>("Id").await, "io.lifeguard.Lifeguard");
    let (width, height, healthy) = item.pixels().await;
    assert_eq!((width, height), (44, 44));

    preview.show(Health::Down);
    tooltip_with(&item, "its process is gone").await;
    let down = item.pixels().await.2;
    assert_ne!(healthy, down);
    assert!(!item.wait_for_row("Force restart (drops running work)").await.enabled);

    item.click("Start gateway").await;
    assert!(preview.hear().contains("Restart { force: false }"));
    item.click("For 15 min").await;
    assert!(preview.hear().contains("Pause { until: Some("));
    let counter = wait_for("the crash counter", || async {
        item.menu().await.into_iter().find(|row| row.label.starts_with("Reset crash counter (2 of 6, clears in "))
    })
    .await;
    item.click(&counter.label).await;
    assert!(preview.hear().contains("command: Reset"));
    item.click("Send a test").await;
    assert!(preview.hear().starts_with("TestAlerts"));
    item.activate().await;
    assert_eq!(preview.hear(), "Show");

    preview.show(Health::Healthy);
    tooltip_with(&item, "Up and ready").await;
    assert_eq!(item.pixels().await.2, healthy, "the same state has the same icon");

    // The app drops its sender when it quits.
    drop(preview.input.take());
    assert_eq!(preview.hear(), "exit");
    assert!(preview.process.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_reaches_the_panel() {
    let desktop = Desktop::start().await;
    let mut preview = Preview::start(&desktop, &["monochrome"]);
    let item = desktop.tray_item(preview.process.id()).await;
    let mut seen = Vec::new();
    for health in Health::ALL {
        preview.show(health);
        let name = lifeguard::text::Phrase::say(&health, lifeguard::text::Language::English);
        tooltip_with(&item, &name).await;
        let pixels = item.pixels().await.2;
        if !seen.contains(&pixels) {
            seen.push(pixels);
        }
    }
    assert_eq!(seen.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_snapshot_turns_stale_by_itself() {
    let desktop = Desktop::start().await;
    let mut preview = Preview::start(&desktop, &[]);
    let item = desktop.tray_item(preview.process.id()).await;
    let mut snapshot = sample(Health::Healthy);
    snapshot.stale_after = 2_500;
    preview.publish(&snapshot);
    tooltip_with(&item, "Up and ready").await;
    let healthy = item.pixels().await.2;
    // Nothing more is published.
    tooltip_with(&item, "nobody has looked").await;
    assert_ne!(item.pixels().await.2, healthy);
    assert!(item.menu().await[0].label.starts_with("Not known: nobody has looked for"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_age_in_place_and_a_pause_swaps_its_row() {
    let desktop = Desktop::start().await;
    let mut preview = Preview::start(&desktop, &[]);
    let item = desktop.tray_item(preview.process.id()).await;
    preview.show(Health::Healthy);
    tooltip_with(&item, "Up and ready").await;
    let before = item.menu().await;
    let after = wait_for("an older age", || async {
        let menu = item.menu().await;
        (menu[1].label != before[1].label).then_some(menu)
    })
    .await;
    let ids = |menu: &[desktop::MenuNode]| menu.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "the menu was rebuilt instead of patched");

    preview.show(Health::Paused);
    let resume = wait_for("the row to resume", || async {
        item.menu().await.into_iter().find(|row| row.label.starts_with("Resume (paused until "))
    })
    .await;
    assert!(item.row("Pause").await.is_none());
    item.click(&resume.label).await;
    assert!(preview.hear().contains("command: Resume"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_switch_writes_the_autostart_entry_and_shows_it() {
    let desktop = Desktop::start().await;
    let preview = Preview::start(&desktop, &[]);
    let item = desktop.tray_item(preview.process.id()).await;
    let entry = desktop.home().join(".config/autostart/io.lifeguard.Lifeguard.desktop");

    assert!(!item.wait_for_row("Start at login").await.checked);
    item.click("Start at login").await;
    assert_eq!(preview.hear(), "SetLoginItem(true)");
    let checked = |wanted| {
        wait_for("the switch", {
            let item = &item;
            move || async move { item.row("Start at login").await.filter(|row| row.checked == wanted) }
        })
    };
    checked(true).await;
    let text = std::fs::read_to_string(&entry).unwrap();
    assert!(text.contains("examples/tray_preview\""), "{text}");

    item.click("Start at login").await;
    assert_eq!(preview.hear(), "SetLoginItem(false)");
    checked(false).await;
    assert!(!entry.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_opens_the_menu_it_stays_open_while_news_comes_and_a_row_is_clicked() {
    let desktop = Desktop::start().await;
    let mut preview = Preview::start(&desktop, &[]);
    let item = desktop.tray_item(preview.process.id()).await;
    preview.show(Health::Healthy);
    tooltip_with(&item, "Up and ready").await;
    desktop.screenshot(&Desktop::pictures().join("tray_panel.png"));
    desktop.open_menu().await;
    desktop.screenshot(&Desktop::pictures().join("tray_menu.png"));

    preview.show(Health::Down);
    tooltip_with(&item, "its process is gone").await;
    preview.show(Health::Paused);
    tooltip_with(&item, "Paused").await;
    let menu = desktop.menu_window().expect("news closed the menu under the pointer");

    // Fifteen rows of one height and three separators of less than half of it; the fourth row, below the first
    // separator, is the first that can be chosen.
    // A click in the very moment in which the panel changes its rows finds none, and closes the menu: a person opens it
    // and clicks again.
    let heard = wait_for("the click to arrive", || async {
        if desktop.menu_window().is_none() {
            desktop.open_menu().await;
        }
        desktop.click_at(menu.left + 60, menu.top + menu.height * 6 / 25);
        preview.said.recv_timeout(Duration::from_secs(2)).ok()
    });
    let heard = heard.await;
    assert!(heard.contains("Restart { force: false }"), "{heard}");
}

#[tokio::test]
async fn without_a_display_or_a_bus_it_says_what_to_do_instead() {
    let desktop = Desktop::start().await;
    let outcome = |change: &dyn Fn(&mut Command)| {
        let mut command = preview(&desktop);
        change(command.stdin(Stdio::null()));
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let none = outcome(&|command| {
        command.env_remove("DISPLAY");
    });
    assert!(none.contains("NoDisplay"), "{none}");
    let wrong = outcome(&|command| {
        command.env("DISPLAY", ":64999");
    });
    assert!(wrong.contains("NoDisplay") && !wrong.contains("panicked"), "{wrong}");
    let no_bus = outcome(&|command| {
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    });
    assert!(no_bus.contains("NoBus") && !no_bus.contains("panicked"), "{no_bus}");
}
