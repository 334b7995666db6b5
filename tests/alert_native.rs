//! Desktop notifications: what a daemon is told, what its buttons do, and the real xfce4-notifyd.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests fails the test")]

use std::time::Duration;

use lifeguard::alert::native::NativeSettings;
use lifeguard::alert::{AlertHandle, AlertSettings, GatewayAlert};
use lifeguard::request::{Receipt, Reply, UserAction};
use lifeguard::supervisor::event::{Alert, AlertKind, Command};
use lifeguard::supervisor::ladder::Outcome;
use lifeguard::supervisor::verdict::Verdict;
use support::alerts::{announce, down, now, recovered, settings};
use support::notifyd::{Bus, Desktop, Recorder, Shown, until};
use tokio::sync::{mpsc, oneshot};

mod support {
    pub(crate) mod alerts;
    pub(crate) mod notifyd;
}

const ALL: &[&str] = &["actions", "body", "body-markup"];

fn start(bus: &Bus) -> (AlertHandle, mpsc::Receiver<UserAction>) {
    let (actions, wishes) = mpsc::channel(8);
    let native = Some(NativeSettings { bus: Some(bus.address.clone()) });
    (support::alerts::start(AlertSettings { native, ..settings() }, actions), wishes)
}

async fn wish(wishes: &mut mpsc::Receiver<UserAction>) -> UserAction {
    tokio::time::timeout(Duration::from_secs(30), wishes.recv()).await.expect("a wish").expect("the hub lives")
}

async fn command(wishes: &mut mpsc::Receiver<UserAction>) -> (String, Command, oneshot::Sender<Reply>) {
    match wish(wishes).await {
        UserAction::Gateway { gateway: Some(gateway), command, reply: Some(reply) } => (gateway, command, reply),
        other => panic!("not a command: {other:?}"),
    }
}

#[tokio::test]
async fn an_incident_is_one_notification_that_ends_quietly() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, _wishes) = start(&bus);
    announce(&handle, &down(1));
    daemon.shown(1).await;
    announce(&handle, &recovered(1));
    let shown = daemon.shown(2).await;
    assert_eq!(shown[0].summary, "OpenClaw gateway is down");
    assert_eq!(shown[0].actions, ["restart", "Restart", "open-log", "Open log", "pause", "Pause 1 h"]);
    assert_eq!((shown[0].urgency, shown[0].timeout), (Some(1), 0));
    assert_eq!((shown[0].app.as_str(), shown[0].icon.as_str()), ("Lifeguard", "dialog-error"));
    assert_eq!(shown[1].summary, "Recovered in 42 s");
    assert_eq!(shown[1].replaces, shown[0].id);
    assert_eq!((shown[1].urgency, shown[1].timeout), (Some(0), -1));
    assert!(shown[1].actions.is_empty());
}

#[tokio::test]
async fn restart_restarts_and_shows_the_result_in_the_same_place() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, mut wishes) = start(&bus);
    announce(&handle, &down(1));
    let id = daemon.shown(1).await[0].id;
    daemon.press(id, "restart").await;
    let (gateway, asked, reply) = command(&mut wishes).await;
    assert_eq!((gateway.as_str(), asked), ("gateway", Command::Restart { force: false }));
    assert_eq!(daemon.shown(2).await[1].body, "Restarting …");
    reply.send(Reply::Concluded(Outcome::Restarted)).unwrap();
    let result = daemon.shown(3).await[2].clone();
    assert_eq!(result.body, "A new generation answers ready.");
    assert_eq!(result.summary, "Restart finished");
    assert_eq!((result.replaces, result.actions.len()), (id, 0));

    // The same news as an alert would only repeat it; that of a later restart would not.
    let finished = GatewayAlert {
        alert: Alert { incident: None, kind: AlertKind::RestartFinished { outcome: Outcome::Restarted }, at: now() },
        ..down(1)
    };
    announce(&handle, &finished);
    announce(&handle, &finished);
    assert_eq!(handle.flush(Duration::from_secs(20)).await, 0);
    let shown = daemon.shown(4).await;
    assert_eq!(shown.len(), 4);
    assert_eq!(shown[3].summary, "Restart finished");
}

#[tokio::test]
async fn a_refusal_and_a_failure_are_shown_too() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, mut wishes) = start(&bus);
    for (incident, answer, text) in [
        (1, Reply::Refused("the service is switched off".to_owned()), "Not done: the service is switched off"),
        (2, Reply::Concluded(Outcome::DiedAgain), "The new process ended before it was ready."),
    ] {
        let before = usize::try_from(3 * (incident - 1)).unwrap();
        announce(&handle, &down(incident));
        let id = daemon.shown(before + 1).await[before].id;
        daemon.press(id, "restart").await;
        command(&mut wishes).await.2.send(answer).unwrap();
        let result = daemon.shown(before + 3).await[before + 2].clone();
        assert_eq!((result.body.as_str(), result.actions.len()), (text, 6), "it can be pressed again");
    }
}

#[tokio::test]
async fn pause_pauses_for_an_hour_and_open_log_keeps_the_buttons() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, mut wishes) = start(&bus);
    announce(&handle, &down(1));
    let id = daemon.shown(1).await[0].id;
    daemon.press(id, "open-log").await;
    let opened = wish(&mut wishes).await;
    assert!(matches!(&opened, UserAction::OpenLog { gateway: Some(name) } if name == "gateway"), "{opened:?}");
    let again = daemon.shown(2).await[1].clone();
    assert_eq!((again.id, again.actions.len()), (id, 6));
    daemon.press(id, "pause").await;
    let before = now();
    let (_, asked, reply) = command(&mut wishes).await;
    let Command::Pause { until: Some(end) } = asked else { panic!("{asked:?}") };
    assert!((end - before - 3_600_000).abs() < 60_000);
    reply.send(Reply::Done).unwrap();
    assert_eq!(daemon.shown(4).await[3].body, "Paused: Lifeguard keeps its hands off for 1 h.");
}

#[tokio::test]
async fn a_gateway_that_nobody_starts_has_a_start_button() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, mut wishes) = start(&bus);
    let mut alert = down(1);
    alert.alert.kind = AlertKind::Down { verdict: Verdict::Gone, next: None, next_at: None, waits_for: Vec::new() };
    announce(&handle, &alert);
    let shown = daemon.shown(1).await[0].clone();
    assert_eq!(shown.actions[..2], ["start", "Start"]);
    daemon.press(shown.id, "start").await;
    assert_eq!(command(&mut wishes).await.1, Command::Restart { force: false });
}

#[tokio::test]
async fn a_press_in_the_very_moment_of_showing_is_not_lost() {
    let bus = Bus::start();
    let _daemon = Recorder::start(&bus, ALL, Some("restart")).await;
    let (handle, mut wishes) = start(&bus);
    announce(&handle, &down(1));
    assert_eq!(command(&mut wishes).await.1, Command::Restart { force: false });
}

#[tokio::test]
async fn newer_news_is_not_overwritten_by_a_late_result() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, mut wishes) = start(&bus);
    announce(&handle, &down(1));
    daemon.press(daemon.shown(1).await[0].id, "restart").await;
    let (_, _, reply) = command(&mut wishes).await;
    daemon.shown(2).await;
    announce(&handle, &recovered(1));
    daemon.shown(3).await;
    reply.send(Reply::Concluded(Outcome::CameBack)).unwrap();
    announce(&handle, &down(2));
    let shown = daemon.shown(4).await;
    let summaries: Vec<&str> = shown.iter().map(|shown| shown.summary.as_str()).collect();
    assert_eq!(summaries[2..], ["Recovered in 42 s", "OpenClaw gateway is down"]);
}

#[tokio::test]
async fn a_desktop_without_buttons_is_told_in_words() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, &["body"], None).await;
    let (handle, _wishes) = start(&bus);
    announce(&handle, &down(1));
    let shown = daemon.shown(1).await[0].clone();
    assert!(shown.actions.is_empty());
    assert!(shown.body.ends_with("Lifeguard's menu and `lifeguard restart` can restart it."), "{}", shown.body);
}

#[tokio::test]
async fn quitting_leaves_no_button_behind() {
    let bus = Bus::start();
    let daemon = Recorder::start(&bus, ALL, None).await;
    let (handle, _wishes) = start(&bus);
    announce(&handle, &down(1));
    assert_eq!(handle.flush(Duration::from_secs(20)).await, 0);
    let shown: Vec<Shown> = daemon.shown(2).await;
    assert_eq!(shown[1].replaces, shown[0].id);
    assert_eq!((shown[1].summary.as_str(), shown[1].actions.len()), ("OpenClaw gateway is down", 0));
}

#[tokio::test]
async fn without_a_bus_or_a_daemon_the_problem_is_shown_and_the_alert_waits() {
    let missing = NativeSettings { bus: Some("unix:path=/nonexistent/bus".to_owned()) };
    let handle = support::alerts::start(AlertSettings { native: Some(missing), ..settings() }, mpsc::channel(8).0);
    let receipts = handle.test(None).await;
    let problem = "No desktop session bus here: notifications need a desktop session.";
    assert_eq!(receipts, [Receipt { channel: "native".to_owned(), problem: Some(problem.to_owned()) }]);

    let bus = Bus::start();
    let (handle, _wishes) = start(&bus);
    announce(&handle, &down(1));
    let mut channels = handle.channels();
    let found = channels.wait_for(|all| all[0].problem.is_some());
    let found = tokio::time::timeout(Duration::from_secs(30), found).await.unwrap().unwrap()[0].problem.clone();
    assert!(found.unwrap().starts_with("Nothing on this desktop shows notifications"));
    let daemon = Recorder::start(&bus, ALL, None).await;
    assert_eq!(daemon.shown(1).await[0].summary, "OpenClaw gateway is down", "it comes when somebody can show it");
}

#[tokio::test]
async fn the_real_daemon_shows_it_and_a_click_on_restart_restarts() {
    let desktop = Desktop::start().await;
    let (handle, mut wishes) = start(&desktop.bus);
    announce(&handle, &down(1));
    let question = window(&desktop, "").await;
    desktop.screenshot("notification-down.png").await;
    let number = |name: &str| {
        let line = question.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches('=').parse::<i32>().unwrap()
    };
    // The buttons form the last row, Restart the leftmost: walk along it until somebody answers.
    let (left, top, width, height) = (number("X"), number("Y"), number("WIDTH"), number("HEIGHT"));
    let mut clicked = None;
    'search: for up in [22, 28, 34, 16] {
        for part in [4, 3, 2] {
            let (x, y) = ((left + width / part).to_string(), (top + height - up).to_string());
            desktop.xdotool(&["mousemove", "--sync", &x, &y, "click", "1"]).await;
            if let Ok(Some(action)) = tokio::time::timeout(Duration::from_secs(2), wishes.recv()).await {
                clicked = Some(action);
                break 'search;
            }
        }
    }
    let Some(UserAction::Gateway { gateway, command, reply: Some(reply) }) = clicked else {
        panic!("no button answered: {clicked:?}")
    };
    assert_eq!((gateway.as_deref(), command), (Some("gateway"), Command::Restart { force: false }));
    let working = window(&desktop, &question).await;
    reply.send(Reply::Concluded(Outcome::Restarted)).unwrap();
    window(&desktop, &working).await;
    desktop.screenshot("notification-result.png").await;
}

/// Waits until exactly one notification is on the screen and it does not look like `before`; gives its size and place.
async fn window(desktop: &Desktop, before: &str) -> String {
    let mut size = String::new();
    until("one notification with new contents", async || {
        let found = desktop.xdotool(&["search", "--onlyvisible", "--class", "xfce4-notifyd"]).await.unwrap_or_default();
        if found.is_empty() || found.lines().count() > 1 {
            return false;
        }
        size = desktop.xdotool(&["getwindowgeometry", "--shell", &found]).await.unwrap_or_default();
        !size.is_empty() && size != before
    })
    .await;
    size
}
