//! The answers in `tests/fixtures/activity` were recorded from OpenClaw 2026.9.6 with a Telegram channel, and with models
//! whose provider answered 402 or had no key.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::supervisor::activity::ChannelCondition;

const CONNECTED: &str = include_str!("../../../tests/fixtures/activity/channels-connected.json");
const REFUSED: &str = include_str!("../../../tests/fixtures/activity/channels-refused.json");
const IDLE: &str = include_str!("../../../tests/fixtures/activity/preflight-idle.json");
const SCHEDULE: &str = include_str!("../../../tests/fixtures/activity/cron-status.json");
const NO_CREDIT: &str = include_str!("../../../tests/fixtures/activity/sessions-no-credit.json");
const NO_KEY: &str = include_str!("../../../tests/fixtures/activity/sessions-no-key.json");
const SILENCE: Duration = Duration::from_mins(30);

fn states(answer: &str) -> Vec<ChannelState> {
    channel_states(&read(answer).unwrap())
}

/// The recorded answer with some fields of its only account changed.
fn changed(fields: &Value) -> Vec<ChannelState> {
    let mut answer = read(CONNECTED).unwrap();
    let account = answer.pointer_mut("/channelAccounts/telegram/0").unwrap().as_object_mut().unwrap();
    for (name, value) in fields.as_object().unwrap() {
        account.insert(name.clone(), value.clone());
    }
    channel_states(&answer)
}

#[test]
fn a_connected_channel_works() {
    let states = states(CONNECTED);
    assert_eq!(states.len(), 1);
    assert_eq!(states[0].name(), "telegram");
    assert_eq!(states[0].condition(SILENCE), ChannelCondition::Works);
    assert_eq!(states[0].silent_for, Some(Duration::from_millis(1_795_479_764_813 - 1_795_479_763_047)));
}

#[test]
fn a_channel_whose_token_was_refused_is_logged_out() {
    assert_eq!(states(REFUSED)[0].condition(SILENCE), ChannelCondition::LoggedOut);
}

#[test]
fn a_channel_that_does_not_run_is_down_unless_it_is_on_its_way_or_not_meant_to_run() {
    let condition = |fields: Value| changed(&fields)[0].condition(SILENCE);
    let stopped = |lifecycle: &str| json!({"running": false, "connected": false, "lifecycle": lifecycle});
    assert_eq!(condition(stopped("stopped")), ChannelCondition::Down);
    assert_eq!(condition(stopped("starting")), ChannelCondition::Settling);
    assert_eq!(condition(json!({"running": false, "connected": false, "enabled": false})), ChannelCondition::Off);
    assert_eq!(condition(json!({"running": false, "connected": false, "linked": false})), ChannelCondition::Off);
    assert_eq!(condition(json!({"connected": false})), ChannelCondition::Down);
    assert_eq!(condition(json!({"connected": false, "restartPending": true})), ChannelCondition::Settling);
    let long_ago = 1_795_479_764_813_i64 - 3_600_000;
    let silent = json!({"lastStartAt": long_ago, "lastTransportActivityAt": long_ago});
    assert_eq!(condition(silent), ChannelCondition::Silent);
    let lost = json!({"connected": false, "lastDisconnect": {"at": 1_795_479_764_000_i64}});
    assert_eq!(condition(lost), ChannelCondition::Settling);
}

#[test]
fn several_accounts_of_a_channel_are_told_apart() {
    let mut answer = read(CONNECTED).unwrap();
    let accounts = answer.pointer_mut("/channelAccounts/telegram").unwrap().as_array_mut().unwrap();
    accounts.push(json!({"accountId": "work", "running": true}));
    let names: Vec<String> = channel_states(&answer).iter().map(ChannelState::name).collect();
    assert_eq!(names, ["telegram (default)", "telegram (work)"]);
}

#[test]
fn work_and_schedule_are_read() {
    assert_eq!(in_flight(&read(IDLE).unwrap()), Some(0));
    assert_eq!(in_flight(&json!({"counts": {"totalActive": 3}})), Some(3));
    let next = next_run(&read(SCHEDULE).unwrap());
    assert!(next.is_some());
    assert_eq!(next_run(&json!({"enabled": false, "nextWakeAtMs": 5})), None);
    let due = |in_flight| Answers { next_run: next, in_flight, ..Answers::default() }.due(i64::MAX);
    assert_eq!(due(Some(0)), next);
    assert_eq!((due(Some(1)), due(None)), (None, None), "what runs may be just that");
    assert_eq!(Answers { next_run: next, in_flight: Some(0), ..Answers::default() }.due(0), None);
}

#[test]
fn a_model_that_refuses_is_known_by_the_newest_run() {
    let of = |answer: &str, now| refusal(&read(answer).unwrap(), now).map(|found| (found.provider, found.cause));
    let ended = read(NO_KEY).unwrap().pointer("/sessions/0/endedAt").and_then(Value::as_i64).unwrap();
    assert_eq!(of(NO_KEY, ended + 1), Some(("anthropic".to_owned(), RefusalCause::Credentials)));
    assert_eq!(of(NO_CREDIT, ended + 1), Some(("stub".to_owned(), RefusalCause::Credit)));
    assert_eq!(of(NO_KEY, ended + 24 * 3_600_000), None, "nobody has asked it for a day");

    let mut several = read(NO_KEY).unwrap();
    let sessions = several.pointer_mut("/sessions").unwrap().as_array_mut().unwrap();
    sessions.push(json!({"status": "running", "startedAt": ended + 5}));
    assert!(refusal(&several, ended + 9).is_some(), "what runs has not ended yet");
    let sessions = several.pointer_mut("/sessions").unwrap().as_array_mut().unwrap();
    sessions.push(json!({"status": "done", "endedAt": ended + 6, "modelProvider": "openai"}));
    assert_eq!(refusal(&several, ended + 9), None, "another session was answered since");
}

#[test]
fn only_what_no_time_mends_is_a_refusal() {
    let cause = |error: &str| {
        let session = json!({"status": "failed", "endedAt": 5, "modelProvider": "x", "lastRunError": error});
        refusal(&json!({"sessions": [session]}), 6).map(|found| found.cause)
    };
    let refused = "Authentication failed (provider returned HTTP 401). ... If the failure persists, re-authenticate.";
    assert_eq!(cause(refused), Some(RefusalCause::Credentials));
    assert_eq!(cause("OAuth token refresh failed for x: invalid_grant"), Some(RefusalCause::Credentials));
    let spared = "Inline API key for provider \"x\" is temporarily disabled after a provider auth/billing failure.";
    assert_eq!(cause(spared), Some(RefusalCause::Credentials), "nothing has been mended meanwhile");
    for passing in ["⚠️ API rate limit reached. Please try again later.", "LLM request timed out.", ""] {
        assert_eq!(cause(passing), None, "{passing}");
    }
}

#[test]
fn a_warning_in_front_of_the_answer_does_no_harm() {
    assert_eq!(read("Config warning: x\n{\"counts\":{}}\nbye"), Some(json!({"counts": {}})));
    assert_eq!(read("{\"counts\":"), None);
    assert_eq!(read(""), None);
}

/// JSON of any shape under the names that are read.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof!["starting", "ready", "stopped", ".*"].prop_map(Value::from),
    ];
    let names = prop_oneof![
        "ts",
        "channelAccounts",
        "telegram",
        "running",
        "connected",
        "enabled",
        "lastStartAt",
        "lastDisconnect",
        "at",
        "lifecycle",
        "lastTransportActivityAt",
        "counts",
        "totalActive",
        "nextWakeAtMs",
        "accountId",
        "sessions",
        "status",
        "endedAt",
        "lastRunError",
        "modelProvider"
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_is_too_strange(answer in anything(), account in anything(), ts in any::<i64>()) {
        let _ = (refusal(&answer, ts), channel_states(&answer), in_flight(&answer), next_run(&answer), read(&answer.to_string()));
        let _ = refusal(&json!({"sessions": [account]}), ts);
        let _ = channel_states(&json!({"ts": ts, "channelAccounts": {"telegram": [account]}}));
    }
}

/// A stand-in for `openclaw` that gives the recorded answers, and notes each question.
fn imitation(folder: &Path, script: &str) -> GatewaySetup {
    let program = folder.join("openclaw");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/activity");
    let text = format!("#!/bin/sh\necho \"$3\" >> {}/asked\ncd {}\n{script}\n", folder.display(), fixtures.display());
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut setup = GatewaySetup::new("test", 1, folder.to_owned(), folder.join("gateway.log"));
    setup.openclaw = Some(vec![program.display().to_string()]);
    setup
}

const ANSWERS: &str = "case $3 in
channels.status) cat channels-connected.json;;
cron.status) cat cron-status.json;;
gateway.restart.preflight) cat preflight-idle.json;;
sessions.list) test \"$5 $6\" = '--params {\"limit\":20}' && cat sessions-no-key.json;;
esac";

fn process(pid: u32) -> Identity {
    Identity { pid, started: 1, command: "openclaw-gateway".to_owned() }
}

fn asked(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("asked")).unwrap_or_default().lines().count()
}

async fn wait_for(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn it_is_asked_beside_the_rounds_and_only_when_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let probe = ActivityProbe::new(imitation(folder.path(), ANSWERS), Duration::from_mins(5));
    let first = process(7);
    assert_eq!(probe.known(Inquiry::Never, Some(&first)), None);
    assert!(!probe.shared.known().asking);
    assert_eq!(probe.known(Inquiry::Seldom, Some(&first)), None, "the answer comes beside");
    wait_for(|| probe.known(Inquiry::Seldom, Some(&first)).is_some()).await;
    let activity = probe.known(Inquiry::Soon, Some(&first)).unwrap();
    assert_eq!((activity.in_flight, activity.channels.len()), (Some(0), 1));
    assert_eq!(activity.overdue.is_some(), next_run(&read(SCHEDULE).unwrap()).unwrap() <= clock::wall());
    assert_eq!(asked(folder.path()), 4, "one inquiry, and no other for a minute");
    assert_eq!(probe.known(Inquiry::Never, Some(&process(8))), None, "another process has said nothing yet");
}

#[tokio::test]
async fn what_this_version_cannot_say_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let script = "case $3 in cron.status) cat cron-status.json;; *) echo 'unknown method' >&2; exit 1;; esac";
    let probe = ActivityProbe::new(imitation(folder.path(), script), Duration::from_mins(5));
    wait_for(|| probe.known(Inquiry::Seldom, None).is_some()).await;
    assert_eq!(probe.known(Inquiry::Seldom, None), Some(Activity::default()));
}

#[tokio::test]
async fn without_a_command_or_with_a_distance_of_zero_nothing_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let setup = GatewaySetup::new("test", 1, folder.path().to_owned(), folder.path().join("gateway.log"));
    let probe = ActivityProbe::new(setup, Duration::from_mins(5));
    assert_eq!(probe.known(Inquiry::Soon, None), None);
    wait_for(|| !probe.shared.known().asking).await;
    assert!(probe.shared.known().failing);
    let off = ActivityProbe::new(imitation(folder.path(), ANSWERS), Duration::ZERO);
    assert_eq!(off.known(Inquiry::Soon, None), None);
    assert!(!off.shared.known().asking);
}
