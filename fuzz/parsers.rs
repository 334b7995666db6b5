//! Every parser of what comes from outside, each as a function of bytes that must not panic, must end, and must keep
//! what is checked here. The fuzzer calls them, and `tests/fuzz_corpus.rs` with what the fuzzer has kept.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use lifeguard::alert::GatewayAlert;
use lifeguard::alert::channel::{Dispatch, Failure, Form};
use lifeguard::alert::discord::{Discord, DiscordSettings};
use lifeguard::alert::ntfy::{Ntfy, NtfySettings};
use lifeguard::alert::remote::{Answer, Recipient};
use lifeguard::alert::secret::SecretUrl;
use lifeguard::alert::slack::{Slack, SlackSettings};
use lifeguard::alert::telegram::{Telegram, TelegramSettings};
use lifeguard::alert::webhook::{Webhook, WebhookSettings};
use lifeguard::config::environment::Environment;
use lifeguard::config::{GatewayConfig, discovery, load};
use lifeguard::control::protocol::{CommandRequest, MuteRequest, TestRequest};
use lifeguard::guard::document;
use lifeguard::logs::read;
use lifeguard::probe::{activity, http, intent};
use lifeguard::redact::secret::Secret;
use lifeguard::redact::{cut, one_line, redact};
use lifeguard::service::agent::Agent;
use lifeguard::service::identity;
use lifeguard::service::launchctl::answers;
use lifeguard::service::systemd::Unit;
use lifeguard::supervisor::Supervisor;
use lifeguard::supervisor::event::{Alert, AlertKind, Event};
use lifeguard::supervisor::moment::Moment;
use lifeguard::supervisor::policy::Policy;
use lifeguard::supervisor::state::{State, shift_between_boots};
use lifeguard::text::{Language, Phrase};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

/// A target: its name, which is also that of its file and of its corpus, and what it does with an input.
type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: [Target; 14] = [
    ("health_bodies", health_bodies),
    ("launchctl_print", launchctl_print),
    ("launchctl_list", launchctl_list),
    ("launchctl_disabled", launchctl_disabled),
    ("systemctl_show", systemctl_show),
    ("gateway_plist", gateway_plist),
    ("gateway_config", gateway_config),
    ("gateway_files", gateway_files),
    ("activity", gateway_activity),
    ("own_config", own_config),
    ("own_state", own_state),
    ("control_requests", control_requests),
    ("channel_answers", channel_answers),
    ("logs", logs),
];

/// Calls the target of this name.
pub(crate) fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of this name");
    target(bytes);
}

/// The three probe endpoints of the gateway.
fn health_bodies(bytes: &[u8]) {
    let (health, startup, ready) = (http::read_health(bytes), http::read_startup(bytes), http::read_ready(bytes));
    let _ = (health.map(|body| body.live), startup.map(|body| body.started), ready.map(|body| body.ready));
}

/// `launchctl print`.
fn launchctl_print(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // What is not about the job that was asked for is not taken, whatever it says.
    assert_eq!(answers::parse_print(&text, "gui/501/another"), None);
    let _ = answers::parse_print(&text, "gui/501/ai.openclaw.gateway");
}

/// `launchctl list`.
fn launchctl_list(bytes: &[u8]) {
    let _ = answers::parse_list(&String::from_utf8_lossy(bytes), "ai.openclaw.gateway");
}

/// `launchctl print-disabled`.
fn launchctl_disabled(bytes: &[u8]) {
    let _ = answers::parse_disabled(&String::from_utf8_lossy(bytes), "ai.openclaw.gateway");
}

/// `systemctl show`.
fn systemctl_show(bytes: &[u8]) {
    let _ = Unit::parse(&String::from_utf8_lossy(bytes)).state();
}

/// The plist of the gateway's launchd agent.
fn gateway_plist(bytes: &[u8]) {
    if let Some(agent) = Agent::parse(bytes) {
        assert!(!agent.program_arguments.is_empty());
        let _ = (agent.throttle(), agent.variable("OPENCLAW_STATE_DIR"), agent.option("--port"));
    }
}

/// OpenClaw's own configuration, as a document and as discovery reads it.
fn gateway_config(bytes: &[u8]) {
    let parsed = document::parse::<serde_json::Value>(bytes);
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    FOLDER.with(|folder| {
        let file = folder.path().join("openclaw.json");
        std::fs::write(&file, bytes).expect("a file in it");
        let gateway = GatewayConfig {
            config_path: Some(file),
            state_dir: Some(folder.path().to_owned()),
            command: Some(vec!["openclaw".to_owned()]),
            ..GatewayConfig::default()
        };
        let found = discovery::discover(&gateway, &Environment::default());
        assert!(found.port != 0);
        assert!(parsed.is_ok() || !found.notes.is_empty(), "what cannot be read is told");
    });
}

/// What else the gateway leaves on disk: its lock, and its log of what was done to it on purpose.
fn gateway_files(bytes: &[u8]) {
    let _ = identity::parse_lock(bytes).and_then(|lock| lock.stamp());
    let _ = intent::newest(&String::from_utf8_lossy(bytes));
}

/// The answers of OpenClaw's own command about channels, schedule and running work.
fn gateway_activity(bytes: &[u8]) {
    if let Some(answer) = activity::read(&String::from_utf8_lossy(bytes)) {
        let _ = (activity::in_flight(&answer), activity::next_run(&answer), activity::channel_states(&answer));
    }
}

/// Lifeguard's own configuration.
fn own_config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // A home that is not there: nothing of this machine is read by a configuration that names a file.
    let environment = Environment::default().with([("HOME", "/nonexistent")]);
    match load::parse(&text, Path::new("config.toml"), &environment) {
        Ok(config) => {
            let policy = config.policy(lifeguard::supervisor::policy::Manager::Ourselves);
            assert!(policy.budget > 0 && !policy.backoff.is_empty());
        }
        Err(error) => assert!(Language::ALL.iter().all(|language| !error.say(*language).is_empty())),
    }
}

/// The core's state as it was stored: loaded on another boot, and gone on with.
fn own_state(bytes: &[u8]) {
    let Ok(record) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let Ok(mut state) = serde_json::from_value::<State>(record["state"].clone()) else { return };
    let mut now = Moment { awake: 50_000, elapsed: 60_000, wall: 1_795_000_000_000 };
    if let Ok(saved) = serde_json::from_value::<Moment>(record["saved"].clone()) {
        state.shift(shift_between_boots(saved, now));
    }
    let mut core = Supervisor::new(Policy::default(), state, now);
    for _ in 0..4 {
        let _ = core.step(now, Event::Tick);
        let wake = core.next_wake(now).min(Duration::from_hours(1));
        let millis = i64::try_from(wake.as_millis()).unwrap_or(0).max(1);
        now = Moment { awake: now.awake + millis, elapsed: now.elapsed + millis, wall: now.wall + millis };
    }
    let stored = serde_json::to_string(core.state()).expect("a state can be stored");
    let again: State = serde_json::from_str(&stored).expect("what was stored can be loaded");
    assert_eq!(&again, core.state());
}

/// Requests over the control socket.
fn control_requests(bytes: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<CommandRequest>(bytes) {
        let text = serde_json::to_string(&request).expect("a request can be written");
        assert_eq!(serde_json::from_str::<CommandRequest>(&text).expect("and read"), request);
    }
    let _ = (serde_json::from_slice::<MuteRequest>(bytes), serde_json::from_slice::<TestRequest>(bytes));
}

/// Every channel that reaches a server.
static CHANNELS: LazyLock<(Discord, Slack, Telegram, Ntfy, Webhook)> = LazyLock::new(|| {
    let url = || SecretUrl::parse("https://example.org/hook/topic").expect("an address");
    let token = Secret::new("token");
    let english = Language::English;
    (
        Discord::new(DiscordSettings { url: url(), username: None }, english),
        Slack::new(SlackSettings { url: url() }, english),
        Telegram::new(TelegramSettings { server: url(), token, chat: "1".to_owned() }, english),
        Ntfy::new(NtfySettings { topic: url(), token: None, click: None }, english),
        Webhook::new(WebhookSettings { url: url(), key: None }, english),
    )
});

/// The answers of Discord, Slack, Telegram, ntfy and a webhook: a line with the status, a line with `Retry-After`, and
/// the body.
fn channel_answers(bytes: &[u8]) {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let (Some(status), Some(retry), Some(body)) = (parts.next(), parts.next(), parts.next()) else { return };
    let Some(status) = StatusCode::from_bytes(status).ok() else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(retry) {
        headers.insert(RETRY_AFTER, value);
    }
    let answer = Answer { status, headers, body: body.to_vec() };
    let alert = GatewayAlert {
        id: 1,
        gateway: "gateway".to_owned(),
        address: "127.0.0.1:18789".to_owned(),
        practice: false,
        alert: Alert { incident: None, kind: AlertKind::Test, at: 0 },
    };
    let (discord, slack, telegram, ntfy, webhook) = &*CHANNELS;
    for form in [Form::New, Form::Edit("7")] {
        let dispatch = Dispatch { alert: &alert, id: "1", form, repeat: false, folded: false, now: 0 };
        let judged = [
            discord.judge(&dispatch, &answer),
            slack.judge(&dispatch, &answer),
            telegram.judge(&dispatch, &answer),
            ntfy.judge(&dispatch, &answer),
            webhook.judge(&dispatch, &answer),
        ];
        for failure in judged.iter().filter_map(|judged| judged.as_ref().err()) {
            check(failure);
        }
        let refused = answer.status.as_u16() >= 300;
        assert!(!refused || judged.iter().skip(3).all(Result::is_err), "no refusal is taken for a delivery");
    }
}

/// What a person is told of a refusal is one line of bounded length.
fn check(failure: &Failure) {
    for language in Language::ALL {
        let Some(problem) = failure.problem() else { continue };
        let said = problem.say(language);
        assert!(!said.is_empty() && said.chars().count() < 1_000 && !said.chars().any(char::is_control), "{said:?}");
    }
}

/// Logs, and everything else that is shown of a program's output.
fn logs(bytes: &[u8]) {
    let rest = read::from(bytes, 1_795_000_000_000);
    assert!(bytes.ends_with(rest));
    let text = String::from_utf8_lossy(bytes);
    let _ = text.lines().next().and_then(read::time_of);
    let _ = redact(&text);
    let line = one_line(&text);
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert!(cut(&line, 40).chars().count() <= 40);
}
