//! The menu of every state in both languages, as a person would read it, and the rules behind its rows.
#![cfg(feature = "tray")]
#![expect(clippy::panic, reason = "in helpers of tests")]

#[path = "support/samples.rs"]
mod samples;

use std::time::Duration;

use jiff::tz::TimeZone;
use lifeguard::platform::desktop::login_item::LoginItem;
use lifeguard::request::{Mute, UserAction};
use lifeguard::snapshot::{DeliverySnapshot, PauseSnapshot, QuietSnapshot, Snapshot};
use lifeguard::supervisor::event::Command;
use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard::text::Language;
use lifeguard::tray::menu::{MenuModel, View};
use lifeguard::tray::row::{Choice, Row};

/// 2026-11-22 13:30 UTC.
const WALL: i64 = 1_795_354_200_000;
const ELAPSED: i64 = 500_000_000;

fn look(snapshot: &Snapshot, later: i64, language: Language, login_item: &LoginItem) -> MenuModel {
    MenuModel::of(snapshot, &View { elapsed: ELAPSED + later, language, zone: &TimeZone::UTC, login_item })
}

fn english(snapshot: &Snapshot) -> MenuModel {
    look(snapshot, 0, Language::English, &LoginItem::Off)
}

fn sample(health: Health) -> Snapshot {
    samples::snapshot(health, WALL, ELAPSED)
}

/// The menu as lines: `-` what can be clicked, `x` what is greyed out, `[ ]` a switch.
fn draw(rows: &[Row], indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mark = |enabled: &bool| if *enabled { '-' } else { 'x' };
    rows.iter()
        .map(|row| match row {
            Row::Text { text, .. } => format!("{pad}  {text}\n"),
            Row::Item { text, enabled, .. } => format!("{pad}{} {text}\n", mark(enabled)),
            Row::Check { text, enabled, checked, .. } => {
                format!("{pad}{} [{}] {text}\n", mark(enabled), if *checked { '✓' } else { ' ' })
            }
            Row::Submenu { text, rows, .. } => format!("{pad}- {text} ▸\n{}", draw(rows, indent + 4)),
            Row::Separator { .. } => format!("{pad}  ────\n"),
        })
        .collect()
}

fn every_state(language: Language) -> String {
    let menus = Health::ALL.map(|health| {
        let model = look(&sample(health), 0, language, &LoginItem::Off);
        format!("=== {} | {}\n{}", health.name(), model.tooltip, draw(&model.rows, 0))
    });
    menus.join("\n")
}

fn row<'rows>(rows: &'rows [Row], key: &str) -> &'rows Row {
    rows.iter().find(|row| row.key() == key).unwrap_or_else(|| panic!("no row {key} in {rows:#?}"))
}

fn label(row: &Row) -> (&str, bool) {
    match row {
        Row::Item { text, enabled, .. } | Row::Check { text, enabled, .. } => (text, *enabled),
        Row::Text { text, .. } => (text, false),
        Row::Submenu { text, .. } => (text, true),
        Row::Separator { .. } => ("", false),
    }
}

#[test]
fn the_menu_of_every_state_in_english() {
    insta::assert_snapshot!(every_state(Language::English));
}

#[test]
fn the_menu_of_every_state_in_korean() {
    insta::assert_snapshot!(every_state(Language::Korean));
}

#[test]
fn the_icon_shows_the_state_of_the_snapshot() {
    for health in Health::ALL {
        assert_eq!(english(&sample(health)).health, health);
    }
}

#[test]
fn a_snapshot_that_grows_old_turns_stale_everywhere() {
    let snapshot = sample(Health::Healthy);
    let young = look(&snapshot, 20_000, Language::English, &LoginItem::Off);
    assert_eq!(young.health, Health::Healthy);
    let old = look(&snapshot, 20_001, Language::English, &LoginItem::Off);
    assert_eq!(old.health, Health::Stale);
    assert!(old.tooltip.contains("nobody has looked"), "{}", old.tooltip);
    assert_eq!(label(row(&old.rows, "sentence/gateway")).0, "Not known: nobody has looked for 20 s");
    assert_eq!(label(row(&old.rows, "detail/gateway")).0, "checked 24 s ago · 127.0.0.1:18789");
}

#[test]
fn ages_move_on_with_the_clock_that_counts_sleep() {
    let snapshot = sample(Health::Healthy);
    let detail = |later| {
        let model = look(&snapshot, later, Language::English, &LoginItem::Off);
        label(row(&model.rows, "detail/gateway")).0.to_owned()
    };
    assert_eq!(detail(0), "checked 4 s ago · 127.0.0.1:18789 · 612 MB");
    assert_eq!(detail(3_000), "checked 7 s ago · 127.0.0.1:18789 · 612 MB");
    // A moment before the snapshot (a clock read in another order) is not an age.
    assert_eq!(detail(-60_000), "checked 0 s ago · 127.0.0.1:18789 · 612 MB");
}

#[test]
fn the_tooltip_changes_no_more_often_than_the_state() {
    let snapshot = sample(Health::Down);
    let tooltip = |later| look(&snapshot, later, Language::English, &LoginItem::Off).tooltip;
    assert_eq!(tooltip(0), tooltip(15_000));
}

#[test]
fn a_gateway_that_does_not_run_is_started_and_not_restarted() {
    let verdicts = [(Verdict::Gone, "Start gateway"), (Verdict::Hung, "Restart"), (Verdict::Zombie, "Restart")];
    for (verdict, wanted) in verdicts {
        let mut snapshot = sample(Health::Down);
        snapshot.gateways[0].verdict = verdict;
        assert_eq!(label(row(&english(&snapshot).rows, "restart/gateway")), (wanted, true));
    }
}

#[test]
fn a_running_heal_is_counted_and_cannot_be_asked_for_twice() {
    let model = look(&sample(Health::Healing), 5_000, Language::English, &LoginItem::Off);
    assert_eq!(label(row(&model.rows, "restart/gateway")), ("Restarting … (17 s)", false));
    assert!(label(row(&model.rows, "force-restart/gateway")).1);
}

#[test]
fn a_click_asks_for_what_its_row_says() {
    let command = |choice: Choice| match choice.action(WALL) {
        UserAction::Gateway { gateway, command, reply: None } => (gateway, command),
        other => panic!("{other:?}"),
    };
    let gateway = || "gateway".to_owned();
    assert_eq!(
        command(Choice::Restart { gateway: gateway(), force: true }),
        (Some(gateway()), Command::Restart { force: true })
    );
    let pause = Choice::Pause { gateway: gateway(), length: Some(Duration::from_mins(15)) };
    assert_eq!(command(pause).1, Command::Pause { until: Some(WALL + 900_000) });
    assert_eq!(command(Choice::Pause { gateway: gateway(), length: None }).1, Command::Pause { until: None });
    assert!(matches!(Choice::TestAlerts.action(WALL), UserAction::TestAlerts { channel: None, reply: None }));
}

#[test]
fn a_row_is_found_by_its_key_in_submenus_too() {
    let rows = english(&sample(Health::Healthy)).rows;
    let pause = Choice::Pause { gateway: "gateway".to_owned(), length: Some(Duration::from_hours(1)) };
    assert_eq!(Row::find(&rows, &pause.key()), Some(&pause));
    assert_eq!(Row::find(&rows, "sentence/gateway"), None);
}

#[test]
fn a_pause_gives_way_to_resume_with_its_end() {
    let mut snapshot = sample(Health::Paused);
    assert_eq!(label(row(&english(&snapshot).rows, "resume/gateway")).0, "Resume (paused until 14:30)");
    snapshot.gateways[0].pause = Some(PauseSnapshot { until: None });
    assert_eq!(label(row(&english(&snapshot).rows, "resume/gateway")).0, "Resume");
}

#[test]
fn the_practice_gateway_and_a_notice_are_rows_of_their_own() {
    let mut snapshot = sample(Health::Healthy);
    snapshot.gateways[0].practice = true;
    snapshot.gateways[0].notice = Some("The state folder\nis read-only".to_owned());
    let model = english(&snapshot);
    assert_eq!(label(&model.rows[0]).0, "Practice gateway, not the real one");
    assert_eq!(label(row(&model.rows, "notice/gateway")).0, "⚠ The state folder is read-only");
    assert!(model.tooltip.contains("Practice"), "{}", model.tooltip);
}

#[test]
fn a_long_text_is_cut_where_a_menu_would_grow_too_wide() {
    let mut snapshot = sample(Health::Healthy);
    snapshot.gateways[0].notice = Some("word ".repeat(100));
    let model = english(&snapshot);
    let (text, _) = label(row(&model.rows, "notice/gateway"));
    assert_eq!(text.chars().count(), 110);
    assert!(text.ends_with('…'));
}

#[test]
fn a_channel_shows_its_receipt_what_waits_its_problem_and_what_it_refused() {
    let mut snapshot = sample(Health::Healthy);
    assert!(draw(&english(&snapshot).rows, 0).contains("x Try what waits now"));
    snapshot.channels[0].problem = Some("the webhook answers 401".to_owned());
    snapshot.channels[0].waiting = 3;
    snapshot.channels[1].refused = Some(DeliverySnapshot { at: WALL - 60_000, kind: "down".to_owned() });
    let menu = draw(&english(&snapshot).rows, 0);
    for line in [
        "- Try what waits now",
        "native: recovered, 2 h ago · 3 waiting",
        "native: the webhook answers 401",
        "discord: down was refused 1 min ago; `lifeguard alerts list` says why",
    ] {
        assert!(menu.contains(line), "{line} is not in\n{menu}");
    }
    snapshot.channels[1].refused = Some(DeliverySnapshot { at: WALL - 25 * 3_600_000, kind: "down".to_owned() });
    assert!(!draw(&english(&snapshot).rows, 0).contains("refused"), "after a day nobody asks any more");
    snapshot.channels.clear();
    let menu = draw(&english(&snapshot).rows, 0);
    assert!(menu.contains("x Send a test") && menu.contains("No channel is set up"), "{menu}");
}

#[test]
fn a_mute_is_offered_and_can_be_ended_and_quiet_hours_are_told() {
    let mut snapshot = sample(Health::Healthy);
    let click =
        |snapshot: &Snapshot, key: &str| Row::find(&english(snapshot).rows, key).map(|choice| choice.action(WALL));
    let hour = Some(Mute { until: Some(WALL + 3_600_000) });
    assert!(matches!(click(&snapshot, "mute-alerts/3600"), Some(UserAction::MuteAlerts(mute)) if mute == hour));
    snapshot.channels[0].quiet = Some(QuietSnapshot { until: Some(WALL), muted: false });
    let menu = draw(&english(&snapshot).rows, 0);
    assert!(menu.contains("Mute for 1 h") && menu.contains("what cannot wait is told"), "{menu}");
    snapshot.channels[0].quiet = Some(QuietSnapshot { until: None, muted: true });
    assert!(draw(&english(&snapshot).rows, 0).contains("Muted: unmute"));
    assert!(matches!(click(&snapshot, "unmute-alerts"), Some(UserAction::MuteAlerts(None))));
}

#[test]
fn the_login_switch_shows_what_the_system_will_do() {
    let shown = |state: LoginItem| {
        let model = look(&sample(Health::Healthy), 0, Language::English, &state);
        match row(&model.rows, "login-item") {
            Row::Check { checked, enabled, choice, .. } => (*checked, *enabled, choice.clone()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(shown(LoginItem::On), (true, true, Choice::SetLoginItem(false)));
    assert_eq!(shown(LoginItem::Off), (false, true, Choice::SetLoginItem(true)));
    assert_eq!(shown(LoginItem::NeedsApproval), (false, true, Choice::SetLoginItem(true)));
    assert_eq!(shown(LoginItem::SwitchedOff), (false, true, Choice::SetLoginItem(true)));
    assert_eq!(shown(LoginItem::AnotherCopy("/old".into())), (false, true, Choice::SetLoginItem(true)));
    assert_eq!(shown(LoginItem::Unavailable), (false, false, Choice::SetLoginItem(true)));
}

#[test]
fn several_gateways_get_a_submenu_each_and_the_icon_shows_the_worst() {
    let mut snapshot = sample(Health::Healthy);
    let mut second = sample(Health::Down).gateways.remove(0);
    second.name = "work".to_owned();
    snapshot.gateways.push(second);
    let model = english(&snapshot);
    assert_eq!(model.health, Health::Down);
    assert_eq!(model.tooltip.lines().count(), 2);
    let Row::Submenu { text, rows, .. } = row(&model.rows, "gateway/work") else { panic!("no submenu") };
    assert!(text.starts_with("work: Down for 3 min"), "{text}");
    assert_eq!(label(row(rows, "restart/work")), ("Start gateway", true));
}

#[test]
fn no_gateway_at_all_is_said_and_quit_is_still_there() {
    let mut snapshot = sample(Health::Healthy);
    snapshot.gateways.clear();
    let model = english(&snapshot);
    assert_eq!((model.health, model.tooltip.as_str()), (Health::NotInstalled, "No gateway found"));
    assert!(label(row(&model.rows, "quit")).1);
}
