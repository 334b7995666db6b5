//! Alerts on their way to Discord: what arrives, what is waited for, what is never said.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests fails the test")]

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use lifeguard::alert::discord::DiscordSettings;
use lifeguard::alert::secret::SecretUrl;
use lifeguard::alert::{AlertHandle, AlertSettings};
use lifeguard::request::Receipt;
use lifeguard::snapshot::ChannelSnapshot;
use support::alerts::{announce, down, progress, recovered, settings};
use support::discord::{FakeDiscord, Fault, Seen, TOKEN};
use tokio::sync::mpsc;
use tracing_subscriber::fmt::MakeWriter;

mod support {
    pub(crate) mod alerts;
    pub(crate) mod discord;
}

/// Everything that any test of this file logs, at the finest level of every crate.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
        subscriber.with_ansi(false).init();
        log
    })
}

fn with(url: SecretUrl) -> AlertSettings {
    log();
    AlertSettings {
        discord: Some(DiscordSettings { url, username: Some("Lifeguard".to_owned()) }.into()),
        ..settings()
    }
}

fn start(settings: AlertSettings) -> AlertHandle {
    support::alerts::start(settings, mpsc::channel(8).0)
}

async fn channel(handle: &AlertHandle, condition: impl Fn(&ChannelSnapshot) -> bool) -> ChannelSnapshot {
    let mut channels = handle.channels();
    let found = tokio::time::timeout(Duration::from_secs(30), channels.wait_for(|all| condition(&all[0]))).await;
    found.unwrap_or_else(|_| panic!("still {:?}", handle.channels().borrow())).unwrap()[0].clone()
}

fn titles(messages: &[serde_json::Value]) -> Vec<&str> {
    messages.iter().map(|message| message["embeds"][0]["title"].as_str().unwrap()).collect()
}

fn standing(seen: &Seen) -> Vec<serde_json::Value> {
    seen.standing.iter().flatten().cloned().collect()
}

#[tokio::test]
async fn an_incident_is_one_message_that_moves_and_one_of_its_recovery() {
    let discord = FakeDiscord::start().await;
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    announce(&handle, &down(1));
    discord.wait_until("the message", |seen| seen.messages.len() == 1).await;
    announce(&handle, &progress(1, 2));
    let attempt = |message: &serde_json::Value| message["embeds"][0]["description"].to_string().contains("Attempt 2");
    discord.wait_until("its change", |seen| standing(seen).iter().any(attempt)).await;
    announce(&handle, &recovered(1));
    announce(&handle, &recovered(1));
    assert_eq!(handle.flush(Duration::from_secs(20)).await, 0);
    let seen = discord.seen();
    assert_eq!(titles(&seen.messages), ["OpenClaw gateway is down", "Recovered in 42 s"]);
    assert_eq!(titles(&standing(&seen)), ["OpenClaw gateway was down for 42 s", "Recovered in 42 s"]);
    assert_eq!((seen.requests, seen.violations), (4, Vec::new()));
    let shown = channel(&handle, |channel| channel.last_delivery.is_some()).await;
    assert_eq!(shown.name, "discord");
    assert_eq!(shown.last_delivery.unwrap().kind, "recovered");
    assert_eq!(shown.problem, None);
}

#[tokio::test]
async fn a_message_that_a_person_deleted_is_not_made_again() {
    let discord = FakeDiscord::start().await;
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    discord.wait_until("the message", |seen| seen.messages.len() == 1).await;
    discord.delete(0);
    announce(&handle, &progress(1, 1));
    discord.wait_until("the refused change", |seen| seen.requests == 2).await;
    announce(&handle, &recovered(1));
    assert_eq!(handle.flush(Duration::from_secs(20)).await, 0);
    assert_eq!(titles(&standing(&discord.seen())), ["Recovered in 42 s"]);
    channel(&handle, |channel| channel.problem.is_none()).await;
}

#[tokio::test]
async fn an_outage_that_is_over_before_it_could_be_told_is_one_message() {
    let discord = FakeDiscord::start().await;
    discord.always(Some(Fault::Status(500)));
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    channel(&handle, |channel| channel.problem.is_some()).await;
    announce(&handle, &progress(1, 1));
    announce(&handle, &recovered(1));
    discord.always(None);
    assert_eq!(handle.flush(Duration::from_secs(20)).await, 0);
    let seen = discord.seen();
    assert_eq!(titles(&seen.messages), ["Recovered in 42 s"]);
    let text = seen.messages[0]["embeds"][0]["description"].as_str().unwrap();
    assert!(text.contains("could not be sent"), "{text}");
}

#[tokio::test]
async fn a_second_incident_within_the_cooldown_waits() {
    let discord = FakeDiscord::start().await;
    let handle = start(AlertSettings { critical_cooldown: Duration::from_millis(700), ..with(discord.webhook()) });
    let began = Instant::now();
    announce(&handle, &down(1));
    discord.wait_until("the first down", |seen| seen.messages.len() == 1).await;
    announce(&handle, &recovered(1));
    announce(&handle, &down(2));
    let seen = discord.wait_until("the second down", |seen| seen.messages.len() == 3).await;
    assert!(began.elapsed() >= Duration::from_millis(700));
    assert_eq!(titles(&seen.messages)[2], "OpenClaw gateway is down");
}

#[tokio::test]
async fn a_rate_limit_is_obeyed_to_the_end_and_nothing_is_lost() {
    let discord = FakeDiscord::start().await;
    let wait = Duration::from_millis(600);
    discord.then(Fault::Limit { wait, global: true, header_only: false });
    discord.then(Fault::Limit { wait: Duration::from_secs(1), global: false, header_only: true });
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    announce(&handle, &down(2));
    let seen = discord.wait_until("both messages", |seen| seen.messages.len() == 2).await;
    assert_eq!((seen.requests, seen.hammered), (4, 0));
    assert!(log().text().contains("everything that comes from this address"));
}

#[tokio::test]
async fn trouble_on_the_way_delays_and_loses_nothing() {
    let discord = FakeDiscord::start().await;
    discord.then(Fault::Status(500)).then(Fault::Garbage).then(Fault::Flood).then(Fault::Status(503));
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    let seen = discord.wait_until("the message", |seen| seen.messages.len() == 1).await;
    assert_eq!(seen.requests, 5);
    channel(&handle, |channel| channel.problem.is_none() && channel.last_delivery.is_some()).await;
}

#[tokio::test]
async fn a_deleted_webhook_is_shown_and_not_hammered() {
    let discord = FakeDiscord::start().await;
    let handle = start(with(discord.deleted_webhook()));
    for incident in 0..5 {
        announce(&handle, &down(incident));
    }
    let shown = channel(&handle, |channel| channel.problem.is_some()).await;
    assert!(shown.problem.unwrap().contains("does not know the configured address (404)"));
    assert_eq!(shown.last_delivery, None);
    assert_eq!(handle.flush(Duration::from_secs(20)).await, 5, "kept, not lost");
    assert_eq!(discord.seen().requests, 2, "one attempt, and one more at quitting");
}

#[tokio::test]
async fn a_test_that_works_sets_a_parked_channel_going_again() {
    let discord = FakeDiscord::start().await;
    discord.then(Fault::Status(403));
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    channel(&handle, |channel| channel.problem.is_some()).await;
    assert_eq!(handle.test(None).await, [Receipt { channel: "discord".to_owned(), problem: None }]);
    let seen = discord.wait_until("what waited", |seen| seen.messages.len() == 2).await;
    assert_eq!(titles(&seen.messages), ["Test alert from Lifeguard", "OpenClaw gateway is down"]);
    channel(&handle, |channel| channel.problem.is_none()).await;
}

#[tokio::test]
async fn a_refused_message_does_not_stand_in_the_way_of_the_next() {
    let discord = FakeDiscord::start().await;
    discord.then(Fault::Status(400));
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    discord.wait_until("the refusal", |seen| seen.requests == 1).await;
    announce(&handle, &recovered(1));
    let seen = discord.wait_until("the second message", |seen| seen.messages.len() == 1).await;
    assert_eq!(titles(&seen.messages), ["Recovered in 42 s"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let discord = FakeDiscord::start().await;
    discord.always(Some(Fault::Redirect));
    let receipts = start(with(discord.webhook())).test(Some("discord")).await;
    assert!(receipts[0].problem.as_ref().unwrap().contains("leads elsewhere (307)"));
    assert_eq!(discord.seen().requests, 1);
}

#[tokio::test]
async fn a_server_that_hangs_delays_nobody_and_is_given_up_in_time() {
    let discord = FakeDiscord::start().await;
    discord.then(Fault::Hang);
    let handle = start(with(discord.webhook()));
    let began = Instant::now();
    announce(&handle, &down(1));
    assert!(began.elapsed() < Duration::from_secs(1), "announcing never waits");
    discord.wait_until("the request", |seen| seen.requests == 1).await;
    let shown = channel(&handle, |channel| channel.problem.is_some()).await;
    assert!(shown.problem.unwrap().contains("did not answer in time"));
    discord.wait_until("the message", |seen| seen.messages.len() == 1).await;
}

#[tokio::test]
async fn quitting_waits_no_longer_than_it_was_told() {
    let discord = FakeDiscord::start().await;
    discord.always(Some(Fault::Hang));
    let handle = start(with(discord.webhook()));
    announce(&handle, &down(1));
    discord.wait_until("the request", |seen| seen.requests == 1).await;
    let began = Instant::now();
    assert_eq!(handle.flush(Duration::from_millis(300)).await, 1);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_storm_is_bounded_and_what_matters_survives_it() {
    let discord = FakeDiscord::start().await;
    discord.always(Some(Fault::Status(500)));
    let mut settings = with(discord.webhook());
    settings.pace.first = Duration::from_hours(1);
    settings.pace.longest = Duration::from_hours(1);
    let handle = start(settings);
    let began = Instant::now();
    for incident in 0..500 {
        announce(&handle, &down(incident));
        announce(&handle, &recovered(incident));
    }
    assert!(began.elapsed() < Duration::from_secs(20), "announcing never waits");
    discord.wait_until("the first request", |seen| seen.requests > 0).await;
    discord.always(None);
    channel(&handle, |channel| channel.problem.is_some()).await;
    assert_eq!(handle.flush(Duration::from_mins(1)).await, 0);
    let seen = discord.seen();
    assert!(seen.messages.len() <= 101, "{}", seen.messages.len());
    assert!(titles(&seen.messages).iter().skip(1).all(|title| *title == "Recovered in 42 s"));
    assert!(log().text().contains("one was folded away"));
}

#[tokio::test]
async fn a_channel_that_is_not_configured_says_so() {
    log();
    let handle = start(settings());
    assert_eq!(handle.test(None).await, []);
    let receipts = handle.test(Some("discord")).await;
    assert_eq!(receipts[0].problem.as_deref(), Some("This channel is not configured."));
}

#[tokio::test]
async fn the_webhook_is_never_seen_in_logs_or_problems() {
    let discord = FakeDiscord::start().await;
    let nowhere = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let nowhere = SecretUrl::parse(&format!("http://{nowhere}/api/webhooks/1/{TOKEN}")).unwrap();
    // The same server asked for in TLS, which it does not speak.
    let no_tls = SecretUrl::parse(&format!("https://{}/api/webhooks/1/{TOKEN}", discord.address())).unwrap();
    let mut said = String::new();
    for url in [discord.webhook(), discord.deleted_webhook(), nowhere, no_tls] {
        said.extend([format!("{url:?}"), format!("{:?}", with(url.clone()))]);
        for fault in [None, Some(Fault::Status(400)), Some(Fault::Garbage), Some(Fault::Redirect)] {
            discord.always(fault);
            let handle = start(with(url.clone()));
            let receipts = handle.test(None).await;
            said.extend([format!("{receipts:?} {handle:?}"), format!("{:?}", handle.channels().borrow())]);
        }
    }
    assert!(said.contains("cannot be reached"), "{said}");
    assert!(said.contains("secure connection"), "{said}");
    assert!(!said.contains(TOKEN), "{said}");
    let log = log().text();
    assert!(log.contains("alert not delivered"), "something was logged at all");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(TOKEN)).collect();
    assert!(lines.is_empty(), "{lines:#?}");
}
