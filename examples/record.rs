//! `make pictures`: the app on a real desktop beside the real gateway, which is killed twice. Writes the pictures in
//! `docs/img` and the record in `docs/recorded-run.md`.
#![expect(clippy::unwrap_used, reason = "where a step fails, so does the recording")]

#[path = "../tests/support/desktop.rs"]
mod desktop;
#[path = "../tests/support/discord.rs"]
mod discord;
#[path = "../tests/support/gateway.rs"]
mod gateway;
#[path = "../tests/support/real_gateway.rs"]
mod real_gateway;
#[path = "../tests/support/stage.rs"]
mod stage;
#[path = "../tests/support/witness.rs"]
mod witness;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use desktop::{Desktop, Screen, TrayItem};
use discord::{FakeDiscord, TOKEN};
use jiff::Timestamp;
use lifeguard::supervisor::verdict::Health;
use stage::{Stage, click_first_button, kill};
use witness::Witness;

/// Two of the screen's pixels for one: sharp on the screens of today.
const SCREEN: Screen = Screen { width: 1360, height: 1000, scale: 2 };
/// Behind everything, from top to bottom.
const WALLPAPER: (&str, &str) = ("#5b7fa6", "#c9d8e6");
/// Health is believed sooner than at default, and the second attempt comes late enough to be overtaken by a click.
const TIMINGS: &str = "[heal]\nhealthy_hold = \"10s\"\nbackoff_seconds = [60]\n\n[alerts]\ncooldown = \"0s\"\ncritical_cooldown = \"0s\"\n";
/// Longest start of the real gateway on a busy machine.
const LIMIT: Duration = Duration::from_mins(4);
/// What the toolkit takes to draw, and to show a tooltip.
const DRAWING: Duration = Duration::from_millis(1_500);
/// Distance of two looks at the icon.
const LOOK: Duration = Duration::from_millis(40);

/// What happened, with the moment.
type Record = Arc<Mutex<Vec<(Timestamp, String)>>>;

fn note(record: &Record, what: impl Into<String>) {
    record.lock().unwrap().push((Timestamp::now(), what.into()));
}

#[tokio::main]
async fn main() {
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("lifeguard");
    let mut desktop = Desktop::start_on(SCREEN).await;
    desktop.paint(WALLPAPER.0, WALLPAPER.1);
    desktop.start_notifications().await;
    let witness = Witness::begin(desktop.connect().await).await;
    let stage = Stage::set(program, desktop, real_gateway::home(), TIMINGS).await;
    let record = Record::default();
    let mut app = stage.start();
    let item = stage.desktop.tray_item(app.pid()).await;
    let watching = tokio::spawn(watch(item, stage.discord.clone(), Arc::clone(&record)));
    let first = healthy(&stage, None).await;

    hover(&stage).await;
    picture(&stage, "desktop-healthy.png", 260);
    menu(&stage, "menu.png").await;

    record.lock().unwrap().clear();
    note(&record, format!("**The gateway (pid {first}) is killed with `kill -9`**"));
    kill(first);
    witness.wait_for(0, "is down").await;
    tokio::time::sleep(DRAWING).await;
    picture(&stage, "desktop-healing.png", 360);
    let second = healthy(&stage, Some(first)).await;
    note(&record, format!("The gateway is ready again (pid {second}), and has stayed so for 10 s"));
    witness.wait_for(0, "Recovered").await;
    without_notification(&stage).await;

    let told = witness.count();
    note(&record, format!("**The gateway (pid {second}) is killed again: the next attempt has to wait for a minute**"));
    kill(second);
    witness.wait_for(told, "is down").await;
    tokio::time::sleep(DRAWING).await;
    picture(&stage, "desktop-down.png", 360);
    note(&record, "**A click on the notification's button “Restart”**");
    click_first_button(&stage.desktop, || witness.count() > told + 1).await;
    witness.wait_for(told, "A new generation").await;
    note(&record, "The restart is over: a new generation answers ready");
    let third = healthy(&stage, Some(second)).await;
    note(&record, format!("The gateway is ready again (pid {third}), and has stayed so for 10 s"));
    witness.wait_for(told, "Recovered").await;
    tokio::time::sleep(DRAWING).await;
    picture(&stage, "desktop-recovered.png", 360);
    watching.abort();
    write_record(&stage, &witness, &record);

    without_notification(&stage).await;
    app.signal(rustix::process::Signal::TERM);
    app.ended().await;
    let app = stage.start_with(|command| {
        command.args(["--language", "ko"]);
    });
    stage.desktop.tray_item(app.pid()).await;
    healthy(&stage, None).await;
    menu(&stage, "menu-ko.png").await;
}

/// Waits until the gateway is healthy, with another process than `before`.
async fn healthy(stage: &Stage, before: Option<u32>) -> u32 {
    let wished = |gateway: &lifeguard::snapshot::GatewaySnapshot| {
        gateway.health == Health::Healthy && gateway.pid.is_some() && gateway.pid != before
    };
    stage.wait_for_status("health", LIMIT, wished).await.pid.unwrap()
}

/// Writes down each change of the icon and each message that Discord accepts.
async fn watch(item: TrayItem, discord: FakeDiscord, record: Record) {
    let (mut icon, mut messages) = (None, 0);
    loop {
        let now = (item.tooltip().await.1, item.pixels().await);
        if let Some((tooltip, pixels)) = icon.replace(now.clone()) {
            if pixels != now.1 {
                note(&record, "the icon changes");
            }
            if tooltip != now.0 {
                note(&record, format!("the icon's tooltip: “{}”", now.0));
            }
        }
        let seen = discord.seen().messages;
        for message in &seen[messages..] {
            let title = message["embeds"][0]["title"].as_str().unwrap_or_default();
            note(&record, format!("Discord has accepted the message “{title}”"));
        }
        messages = seen.len();
        tokio::time::sleep(LOOK).await;
    }
}

/// Rests the pointer on the icon until its tooltip shows.
async fn hover(stage: &Stage) {
    let (across, down) = stage.desktop.icon_place();
    stage.desktop.xdotool(&["mousemove", &(across - 40).to_string(), "400"]);
    stage.desktop.xdotool(&["mousemove", &across.to_string(), &down.to_string()]);
    tokio::time::sleep(DRAWING).await;
}

/// A picture of the open menu.
async fn menu(stage: &Stage, name: &str) {
    let menu = stage.desktop.open_menu().await;
    tokio::time::sleep(DRAWING).await;
    picture(stage, name, menu.top + menu.height + 40);
    stage.desktop.xdotool(&["key", "Escape"]);
    stage.desktop.xdotool(&["mousemove", "200", "700"]);
}

async fn without_notification(stage: &Stage) {
    desktop::wait_for("the end of the notification", || async {
        stage.desktop.notification_window().is_none().then_some(())
    })
    .await;
}

/// A picture of the upper part of the screen.
fn picture(stage: &Stage, name: &str, height: i32) {
    let path = docs().join("img").join(name);
    stage.desktop.place_notification();
    std::thread::sleep(DRAWING / 3);
    stage.desktop.screenshot(&path);
    let area = format!("{}x{height}+0+0", SCREEN.width);
    let trimmed = Command::new("mogrify").args(["-crop", &area, "+repage", "-strip"]).arg(&path).status().unwrap();
    assert!(trimmed.success(), "mogrify: {trimmed}");
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// One table, from what was seen from outside and from Lifeguard's own log.
fn write_record(stage: &Stage, witness: &Witness, record: &Record) {
    let mut all = record.lock().unwrap().clone();
    let (began, _) = all[0].clone();
    for notice in witness.notices() {
        let buttons: String = notice.labels.iter().fold(String::new(), |all, label| all + " [" + label + "]");
        all.push((notice.at, format!("notification: “{}” {}{buttons}", notice.title, notice.body)));
    }
    for line in stage.log().lines() {
        let wanted = ["process ended", "heal begins", "heal concluded"].iter().any(|words| line.contains(words));
        let Some((at, words)) = line.split_once(' ').filter(|_| wanted) else { continue };
        let words = words.split_once("gateway: ").map_or(words, |(_, words)| words);
        all.push((at.parse().unwrap(), format!("Lifeguard's log: `{}`", words.trim())));
    }
    all.retain(|(at, _)| *at >= began);
    all.sort_by_key(|(at, _)| *at);

    let version = real_gateway::VERSION;
    let mut text = format!(
        "# A recorded run\n\nLifeguard {} on a desktop (Xvfb, xfce4-panel, xfce4-notifyd) with the real OpenClaw gateway {version} as its\n\
         child, killed twice. Made by `make pictures`, which also made the pictures in [img](img). Discord is a stand-in on\n\
         loopback that keeps Discord's rules. `healthy_hold` is 10 s here, and the second attempt waits for a minute.\n\n\
         | seconds | what happened |\n| ---: | --- |\n",
        env!("CARGO_PKG_VERSION")
    );
    for (at, what) in all {
        let seconds = at.duration_since(began).as_secs_f64();
        writeln!(text, "| {seconds:.3} | {what} |").unwrap();
    }
    text.push_str("\nThe first message, as Discord received it:\n\n```json\n");
    text.push_str(&serde_json::to_string_pretty(&stage.discord.seen().messages[0]).unwrap());
    text.push_str("\n```\n");
    assert!(!text.contains(TOKEN), "a secret in the record");
    std::fs::write(docs().join("recorded-run.md"), text).unwrap();
}
