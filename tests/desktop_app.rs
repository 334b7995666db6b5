//! The whole app on a real desktop: panel, notification daemon, Discord, and a gateway that is killed.
#![cfg(all(feature = "tray", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "in helpers of tests")]

#[path = "support/desktop.rs"]
mod desktop;
#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/practice.rs"]
mod practice;
#[path = "support/stage.rs"]
mod stage;
#[path = "support/witness.rs"]
mod witness;

use std::fs;
use std::time::Duration;

use desktop::{Desktop, TrayItem, wait_for};
use discord::TOKEN;
use gateway::ask;
use lifeguard::snapshot::GatewaySnapshot;
use lifeguard::supervisor::verdict::Health;
use practice::LIFEGUARD;
use rustix::process::Signal;
use stage::{App, Stage, click_first_button, kill};
use witness::Witness;

/// Quick to look and to believe, and no second attempt before a person asks.
const TIMINGS: &str = r#"
[probe]
interval = "500ms"
retry_interval = "200ms"
connect_timeout = "500ms"

[heal]
healthy_hold = "2s"
backoff_seconds = [600]
"#;

/// Longest wait for a state of the practice gateway on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

async fn stage(more: &str) -> Stage {
    let gateway = practice::home(&["--startup", "1500ms"]);
    Stage::set(LIFEGUARD, Desktop::start().await, gateway, &format!("{TIMINGS}{more}")).await
}

async fn healthy(stage: &Stage) -> GatewaySnapshot {
    stage.wait_for_status("health", LIMIT, |gateway| gateway.health == Health::Healthy).await
}

async fn tooltip(item: &TrayItem, part: &str) {
    wait_for(&format!("a tooltip with {part:?}"), || async { item.tooltip().await.1.contains(part).then_some(()) })
        .await;
}

async fn label(item: &TrayItem, beginning: &str) -> String {
    wait_for(&format!("a row that begins with {beginning:?}"), || async { find(&item.menu().await, beginning) }).await
}

fn find(rows: &[desktop::MenuNode], beginning: &str) -> Option<String> {
    rows.iter().find_map(|row| {
        if row.label.starts_with(beginning) { Some(row.label.clone()) } else { find(&row.children, beginning) }
    })
}

fn answers(stage: &Stage) -> bool {
    ask(stage.gateway.port, "GET", "/readyz").is_ok_and(|answer| answer.status == 200)
}

/// Waits until another process than `before` is healthy.
async fn restarted(stage: &Stage, before: u32) -> u32 {
    let wished =
        |gateway: &GatewaySnapshot| gateway.health == Health::Healthy && gateway.pid.is_some_and(|pid| pid != before);
    stage.wait_for_status("another process", LIMIT, wished).await.pid.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_is_seen_announced_and_healed_and_a_click_skips_the_wait() {
    let mut stage = stage("[alerts]\ncooldown = \"0s\"\ncritical_cooldown = \"0s\"\n").await;
    stage.desktop.start_notifications().await;
    let witness = Witness::begin(stage.desktop.connect().await).await;
    let app = stage.start();
    let item = stage.desktop.tray_item(app.pid()).await;
    tooltip(&item, "Up and ready").await;
    assert_eq!(item.tooltip().await, ("Lifeguard".to_owned(), "gateway: Up and ready".to_owned()));
    let good = item.pixels().await;
    let first = healthy(&stage).await.pid.unwrap();
    assert_eq!(witness.count(), 0, "a start is no news: {:?}", witness.notices());

    // The first crash in a while: it is started again at once.
    kill(first);
    wait_for("another icon", || async { (item.pixels().await != good).then_some(()) }).await;
    let down = witness.wait_for(0, "OpenClaw gateway is down").await;
    assert_eq!(down.buttons, ["restart", "open-log", "pause"]);
    assert_eq!(down.labels, ["Restart", "Open log", "Pause 1 h"]);
    assert!(down.body.starts_with("Its process is gone. Lifeguard starts it again"), "{}", down.body);
    let seen = stage.discord.wait_until("the embed", |seen| !seen.messages.is_empty()).await;
    assert!(seen.messages[0]["embeds"][0]["title"].as_str().unwrap().contains("OpenClaw gateway is down"));
    let second = restarted(&stage, first).await;
    witness.wait_for(1, "Recovered in").await;
    wait_for("the icon of health", || async { (item.pixels().await == good).then_some(()) }).await;
    stage.discord.wait_until("the end", |seen| seen.messages.len() == 2).await;

    // The second one has to wait, unless somebody asks.
    let told = witness.count();
    kill(second);
    tooltip(&item, "Down").await;
    witness.wait_for(told, "OpenClaw gateway is down").await;
    label(&item, "Start gateway").await;
    assert_eq!(stage.status().health, Health::Down);
    let bad = item.pixels().await;
    assert_ne!(bad, good);
    click_first_button(&stage.desktop, || witness.notices()[told..].iter().any(|notice| notice.body == "Restarting …"))
        .await;
    witness.wait_for(told, "A new generation answers ready.").await;
    restarted(&stage, second).await;
    wait_for("the icon of health", || async { (item.pixels().await == good).then_some(()) }).await;
    witness.wait_for(told, "Recovered in").await;
    let seen = stage.discord.wait_until("the second end", |seen| seen.messages.len() == 4).await;
    assert_eq!((seen.violations, seen.hammered), (Vec::new(), 0));
    no_secret(&stage, &app, &format!("{:?}", witness.notices()));
}

fn no_secret(stage: &Stage, app: &App, shown: &str) {
    let config: serde_json::Value = serde_json::from_slice(&fs::read(stage.gateway.config_path()).unwrap()).unwrap();
    let token = config["gateway"]["auth"]["token"].as_str().unwrap();
    for text in [shown, &stage.log(), &app.said()] {
        assert!(!text.contains(TOKEN) && !text.contains(token), "a secret in {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_menu_does_what_it_says() {
    let mut stage = stage("").await;
    stage.desktop.start_notifications().await;
    let witness = Witness::begin(stage.desktop.connect().await).await;
    let mut app = stage.start();
    let item = stage.desktop.tray_item(app.pid()).await;
    tooltip(&item, "Up and ready").await;
    let pid = healthy(&stage).await.pid.unwrap();

    item.click("Restart").await;
    let pid = restarted(&stage, pid).await;
    item.click("Force restart (drops running work)").await;
    let pid = restarted(&stage, pid).await;

    kill(pid);
    let pid = restarted(&stage, pid).await;
    let counter = label(&item, "Reset crash counter (1 of 6, clears in ").await;
    item.click(&counter).await;
    item.wait_for_row("Crash counter: 0 of 6").await;

    item.click("For 15 min").await;
    let resume = label(&item, "Resume (paused until ").await;
    tooltip(&item, "Paused").await;
    item.click(&resume).await;
    tooltip(&item, "Up and ready").await;
    item.wait_for_row("For 15 min").await;

    item.click("Open log").await;
    let opened = wait_for("the opener", || async { fs::read_to_string(stage.opened()).ok() }).await;
    assert!(opened.ends_with("/state/logs/gateway-gateway.log\n"), "{opened}");
    assert!(fs::metadata(opened.trim()).unwrap().is_file());

    item.click("Copy diagnostics").await;
    let copied = wait_for("the clipboard", || async {
        let paste = stage.desktop.command("xclip").args(["-selection", "clipboard", "-out"]).output().unwrap();
        Some(String::from_utf8(paste.stdout).unwrap()).filter(|text| !text.is_empty())
    })
    .await;
    assert!(copied.starts_with(&format!("Lifeguard {} on linux", env!("CARGO_PKG_VERSION"))), "{copied}");
    assert!(copied.contains(&format!("\"pid\": {pid}")), "{copied}");
    no_secret(&stage, &app, &copied);

    let messages = stage.discord.seen().messages.len();
    item.click("Send a test").await;
    stage.discord.wait_until("the test", |seen| seen.messages.len() > messages).await;
    witness.wait_for(0, "Test alert from Lifeguard").await;
    label(&item, "discord: test, ").await;
    label(&item, "native: test, ").await;

    let entry = stage.home().join(".config/autostart/io.lifeguard.Lifeguard.desktop");
    assert!(!item.wait_for_row("Start at login").await.checked);
    item.click("Start at login").await;
    let text = wait_for("the entry", || async { fs::read_to_string(&entry).ok() }).await;
    assert!(text.contains(LIFEGUARD), "{text}");
    wait_for("the tick", || async { item.row("Start at login").await.filter(|row| row.checked) }).await;
    item.click("Start at login").await;
    wait_for("the end of the entry", || async { (!entry.exists()).then_some(()) }).await;

    item.click("Quit (the gateway keeps running)").await;
    assert!(app.ended().await.success(), "{}", app.said());
    assert!(answers(&stage), "the gateway ended with Lifeguard");
    assert!(stage.log().contains("Lifeguard ends; the gateway keeps running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_leaves_the_work_to_the_first_and_a_signal_ends_it_in_good_order() {
    let stage = stage("").await;
    let mut app = stage.start();
    stage.desktop.tray_item(app.pid()).await;
    let pid = healthy(&stage).await.pid.unwrap();

    let second = stage.lifeguard(&[]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stdout).into_owned();
    assert!(second.status.success(), "{second:?}");
    assert!(said.starts_with(&format!("Lifeguard is already running (pid {}).", app.pid())), "{said}");
    assert!(app.is_running());

    app.signal(Signal::TERM);
    assert!(app.ended().await.success(), "{}", app.said());
    assert!(answers(&stage), "the gateway ended with Lifeguard");
    assert!(!app.said().contains("panicked") && !stage.log().contains("panicked"), "{}", app.said());

    // The next one takes over the same process, and stays silent about it.
    let app = stage.start();
    let item = stage.desktop.tray_item(app.pid()).await;
    tooltip(&item, "Up and ready").await;
    assert_eq!(healthy(&stage).await.pid, Some(pid));
    assert!(stage.discord.seen().messages.is_empty(), "{:?}", stage.discord.seen().messages);
}

/// Without an icon it watches, heals and tells all the same.
async fn heals_in_the_terminal(stage: &Stage, app: &App) {
    stage.wait_for_words(app, "Lifeguard is watching. Ctrl-C ends it").await;
    let pid = healthy(stage).await.pid.unwrap();
    kill(pid);
    restarted(stage, pid).await;
    stage.discord.wait_until("both alerts", |seen| seen.messages.len() == 2).await;
    stage.wait_for_words(app, "gateway: Up and ready").await;
    assert!(!app.said().contains("panicked"), "{}", app.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_display_it_runs_in_the_terminal_and_says_so() {
    let stage = stage("").await;
    let mut app = stage.start_with(|command| {
        command.env_remove("DISPLAY");
    });
    stage.wait_for_words(&app, "no display can be reached").await;
    heals_in_the_terminal(&stage, &app).await;
    app.signal(Signal::INT);
    assert!(app.ended().await.success(), "{}", app.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_bus_it_runs_in_the_terminal_and_says_so() {
    let stage = stage("").await;
    let app = stage.start_with(|command| {
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus");
    });
    stage.wait_for_words(&app, "there is no D-Bus session bus").await;
    heals_in_the_terminal(&stage, &app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_notification_daemon_the_menu_names_the_problem_and_discord_is_told() {
    let stage = stage("").await;
    let app = stage.start();
    let item = stage.desktop.tray_item(app.pid()).await;
    let pid = healthy(&stage).await.pid.unwrap();
    kill(pid);
    restarted(&stage, pid).await;
    stage.discord.wait_until("both alerts", |seen| seen.messages.len() == 2).await;
    let problem = label(&item, "native: Nothing on this desktop shows notifications").await;
    assert!(problem.contains("notification daemon"), "{problem}");
}
