//! Alerts on their way to Slack, Telegram, ntfy and a server of one's own: the same promises, each service's own rules.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lifeguard::alert::{AlertHandle, AlertHub, AlertSettings, GatewayAlert};
use lifeguard::history::History;
use lifeguard::request::Mute;
use lifeguard::snapshot::ChannelSnapshot;
use lifeguard::supervisor::event::AlertKind;
use lifeguard::supervisor::verdict::Verdict;
use support::alerts::{announce, down, progress, recovered, safe_mode, settings};
use support::services::{FakeService, Fault, PLANTED, Service, at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

mod support {
    pub(crate) mod alerts;
    pub(crate) mod services;
}

/// Longest wait for what happens at once.
const SOON: Duration = Duration::from_secs(20);

async fn start(service: Service) -> (FakeService, AlertHandle) {
    let server = FakeService::start(service).await;
    let handle = support::alerts::start(server.settings(settings()), mpsc::channel(8).0);
    (server, handle)
}

async fn channel(handle: &AlertHandle, condition: impl Fn(&ChannelSnapshot) -> bool) -> ChannelSnapshot {
    let mut channels = handle.channels();
    let found = tokio::time::timeout(Duration::from_secs(30), channels.wait_for(|all| condition(&all[0]))).await;
    found.unwrap_or_else(|_| panic!("still {:?}", handle.channels().borrow())).unwrap()[0].clone()
}

async fn problem(handle: &AlertHandle) -> String {
    channel(handle, |channel| channel.problem.is_some()).await.problem.unwrap()
}

/// An alert whose texts from outside try everything.
fn hostile(incident: u64) -> GatewayAlert {
    let text = "`x` *b* _i_ @everyone <!channel> <@U1> </b>&amp;\r\n\u{202E}\u{200F}😀 /start \"\\ ";
    let mut alert = down(incident);
    alert.gateway = format!("home {text}");
    alert.address = "<!here>".repeat(200);
    let verdict = Verdict::Failing(text.repeat(100_000 / text.len()));
    alert.alert.kind = AlertKind::Degraded { verdict };
    alert
}

#[tokio::test]
async fn an_incident_arrives_and_each_alert_has_a_name_of_its_own() {
    for service in Service::ALL {
        let (server, handle) = start(service).await;
        announce(&handle, &down(1));
        server.wait_until("the outage", |seen| seen.messages.len() == 1).await;
        announce(&handle, &progress(1, 2));
        announce(&handle, &recovered(1));
        assert_eq!(handle.flush(SOON).await, 0);
        let seen = server.seen();
        assert_eq!((seen.messages.len(), &seen.violations), (2, &Vec::new()), "{service:?}");
        assert_ne!(seen.messages[0].id, seen.messages[1].id);
        let moved = seen.messages[0].body["text"].as_str().is_some_and(|text| text.contains("was down for 42 s"));
        assert_eq!(moved, service == Service::Telegram, "only Telegram's messages can move");
        let shown = channel(&handle, |channel| channel.last_delivery.is_some()).await;
        assert_eq!((shown.name.as_str(), shown.problem), (service.name(), None));
    }
}

#[tokio::test]
async fn hostile_texts_arrive_within_each_service_s_rules() {
    for service in Service::ALL {
        let (server, handle) = start(service).await;
        announce(&handle, &hostile(1));
        let seen = server.wait_until("the message", |seen| !seen.messages.is_empty()).await;
        assert_eq!(seen.violations, Vec::<String>::new(), "{service:?}");
        let text = seen.messages[0].body.to_string();
        assert!(text.contains("everyone") && text.contains('😀') && !text.contains('\u{202E}'), "{text}");
    }
}

#[tokio::test]
async fn a_limit_is_obeyed_and_nothing_is_lost() {
    for service in Service::ALL {
        let (server, handle) = start(service).await;
        server.then(Fault::Limit(Duration::from_secs(1)));
        announce(&handle, &down(1));
        let seen = server.wait_until("the message", |seen| seen.messages.len() == 1).await;
        assert_eq!((seen.requests, seen.hammered), (2, 0), "{service:?}");
    }
}

#[tokio::test]
async fn a_place_that_is_gone_is_shown_and_not_hammered() {
    let telegram =
        |code: u16, text: &str| serde_json::json!({ "ok": false, "error_code": code, "description": text }).to_string();
    let refusals = [
        (Service::Slack, 403, "invalid_token".to_owned(), "invalid_token"),
        (Service::Slack, 404, "no_service".to_owned(), "no_service"),
        (Service::Slack, 410, "channel_is_archived".to_owned(), "channel_is_archived"),
        (Service::Telegram, 400, telegram(400, "Bad Request: chat not found"), "chat not found"),
        (Service::Telegram, 401, telegram(401, "Unauthorized"), "(401)"),
        (Service::Telegram, 403, telegram(403, "Forbidden: bot was blocked by the user"), "(403)"),
        (Service::Ntfy, 403, r#"{"code":40301,"http":403,"error":"forbidden"}"#.to_owned(), "(403)"),
        (Service::Webhook, 401, String::new(), "(401)"),
        (Service::Webhook, 410, String::new(), "(410)"),
    ];
    for (service, status, body, words) in refusals {
        let (server, handle) = start(service).await;
        server.always(Some(Fault::Refuse(status, body)));
        for incident in 0..3 {
            announce(&handle, &down(incident));
        }
        let problem = problem(&handle).await;
        assert!(problem.contains(words), "{service:?}: {problem}");
        assert_eq!(handle.flush(SOON).await, 3, "kept, not lost");
        assert_eq!(server.seen().requests, 2, "{service:?}: one attempt, and one more at quitting");
    }
}

#[tokio::test]
async fn a_refused_message_does_not_stand_in_the_way_of_the_next() {
    for service in Service::ALL {
        let (server, handle) = start(service).await;
        server.then(Fault::Refuse(400, "invalid_payload".to_owned()));
        announce(&handle, &down(1));
        server.wait_until("the refusal", |seen| seen.requests == 1).await;
        announce(&handle, &recovered(1));
        server.wait_until("the next message", |seen| seen.messages.len() == 1).await;
    }
}

#[tokio::test]
async fn what_is_not_the_service_s_own_answer_confirms_nothing() {
    for service in [Service::Slack, Service::Telegram, Service::Ntfy] {
        let (server, handle) = start(service).await;
        server.then(Fault::Garbage).then(Fault::NoContent).then(Fault::Refuse(503, String::new()));
        announce(&handle, &down(1));
        let seen = server.wait_until("the message", |seen| seen.messages.len() == 1).await;
        assert_eq!(seen.requests, 4, "{service:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for service in Service::ALL {
        let (server, handle) = start(service).await;
        server.always(Some(Fault::Redirect));
        let receipts = handle.test(None).await;
        assert!(receipts[0].problem.as_ref().unwrap().contains("leads elsewhere (307)"), "{receipts:?}");
        assert_eq!(server.seen().requests, 1);
    }
}

#[tokio::test]
async fn a_retry_tries_at_once_what_waits_and_a_refusal_is_remembered() {
    let (server, handle) = start(Service::Slack).await;
    server.then(Fault::Refuse(404, "no_service".to_owned()));
    announce(&handle, &down(1));
    let parked = channel(&handle, |channel| channel.problem.is_some()).await;
    assert_eq!((parked.waiting, parked.refused), (1, None));
    server.always(Some(Fault::Refuse(404, "no_service".to_owned())));
    assert!(handle.retry(None).await[0].problem.as_ref().unwrap().contains("no_service"));
    server.always(None);
    assert_eq!(handle.retry(Some("slack")).await[0].problem, None);
    assert_eq!(server.seen().messages.len(), 1);
    channel(&handle, |channel| channel.waiting == 0 && channel.problem.is_none()).await;
    server.then(Fault::Refuse(400, "invalid_payload".to_owned()));
    announce(&handle, &down(2));
    server.wait_until("the refusal", |seen| seen.requests == 4).await;
    let refused = channel(&handle, |channel| channel.refused.is_some()).await;
    assert_eq!((refused.waiting, refused.refused.unwrap().kind.as_str()), (0, "down"));
}

/// The request was taken and the answer never came: the repeat says what it is, and carries the same name, so that
/// ntfy and a server of one's own can drop it.
#[tokio::test]
async fn a_repeat_carries_the_name_of_what_it_repeats() {
    let mut running = Vec::new();
    for service in Service::ALL {
        let (server, handle) = start(service).await;
        server.then(Fault::Swallow);
        announce(&handle, &down(1));
        running.push((service, server, handle));
    }
    for (service, server, _handle) in &running {
        let seen = server.wait_until("the repeat", |seen| seen.messages.len() == 2).await;
        assert_eq!(seen.messages[0].id, seen.messages[1].id, "{service:?}");
        let said = seen.messages[1].body.to_string();
        assert!(said.contains("Possibly a repeat"), "{said}");
        assert_eq!(*service == Service::Webhook, seen.messages[1].body["repeat"] == true);
    }
}

/// A server that accepts connections and treats each with `serve`.
async fn raw<F: Future<Output = ()> + Send + 'static>(serve: fn(tokio::net::TcpStream) -> F) -> String {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    format!("http://{address}")
}

async fn read_request(stream: &mut tokio::net::TcpStream) {
    let mut request = [0; 1024];
    let _read = stream.read(&mut request).await;
}

async fn cut(mut stream: tokio::net::TcpStream) {
    read_request(&mut stream).await;
    let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of").await;
}

async fn drip(mut stream: tokio::net::TcpStream) {
    read_request(&mut stream).await;
    let _sent = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_or_drips_is_given_up_and_the_alert_kept() {
    let began = Instant::now();
    let mut handles = Vec::new();
    for (server, words) in [(raw(cut).await, "connection broke"), (raw(drip).await, "did not answer in time")] {
        for service in Service::ALL {
            let handle = support::alerts::start(at(service, &server, settings()), mpsc::channel(8).0);
            announce(&handle, &down(1));
            handles.push((handle, words));
        }
    }
    for (handle, words) in &handles {
        let problem = problem(handle).await;
        assert!(problem.contains(words), "{problem}");
        assert_eq!(handle.flush(Duration::from_millis(200)).await, 1, "kept");
    }
    assert!(began.elapsed() < Duration::from_secs(40));
}

#[tokio::test]
async fn a_host_that_is_nowhere_and_a_server_without_a_certificate_are_told_apart() {
    let plain = raw(cut).await.replace("http://", "https://");
    // So long a label is no name: nobody on the network is asked.
    let nowhere = format!("https://{}.invalid", "x".repeat(64));
    for (server, words) in [(&nowhere, "cannot be reached"), (&plain, "secure connection")] {
        for service in Service::ALL {
            let handle = support::alerts::start(at(service, server, settings()), mpsc::channel(8).0);
            announce(&handle, &down(1));
            let problem = problem(&handle).await;
            assert!(problem.contains(words), "{service:?}: {problem}");
            assert!(!problem.contains(PLANTED) && !format!("{handle:?}").contains(PLANTED));
            assert_eq!(handle.flush(Duration::from_secs(10)).await, 1, "kept");
        }
    }
}

/// A server with a certificate that it made itself, and what it was told after the handshake.
async fn self_made() -> (String, Arc<Mutex<Vec<u8>>>) {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = Vec::new();
            let _closed = stream.read_to_end(&mut bytes).await;
            heard.lock().unwrap().extend(bytes);
        }
    });
    (format!("https://{address}"), told)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_a_word_is_said() {
    let (server, told) = self_made().await;
    for service in Service::ALL {
        let handle = support::alerts::start(at(service, &server, settings()), mpsc::channel(8).0);
        announce(&handle, &down(1));
        let problem = problem(&handle).await;
        assert!(problem.contains("secure connection"), "{service:?}: {problem}");
        assert_eq!(handle.flush(Duration::from_secs(10)).await, 1, "kept");
    }
    assert_eq!(*told.lock().unwrap(), Vec::<u8>::new());
}

#[tokio::test]
async fn what_a_mute_holds_is_told_as_one_and_what_cannot_wait_at_once() {
    let server = FakeService::start(Service::Ntfy).await;
    let history = Arc::new(History::in_memory().unwrap());
    let begin = || AlertHub::start(server.settings(settings()), Arc::clone(&history), mpsc::channel(8).0);
    let handle = begin();
    handle.mute(Some(Mute { until: None })).unwrap();
    announce(&handle, &down(1));
    announce(&handle, &recovered(1));
    announce(&handle, &down(2));
    announce(&handle, &safe_mode(2));
    let seen = server.wait_until("what cannot wait", |seen| seen.messages.len() == 1).await;
    assert_eq!(seen.messages[0].body["title"], "OpenClaw gateway keeps failing: safe mode");
    assert!(channel(&handle, |channel| channel.quiet.is_some()).await.quiet.unwrap().muted);
    assert_eq!(handle.flush(SOON).await, 0, "quitting tells nobody of what is gathered");
    assert_eq!(server.seen().messages.len(), 1);
    drop(handle);

    let handle = begin();
    announce(&handle, &down(3));
    channel(&handle, |channel| channel.quiet.is_some()).await;
    assert_eq!(server.seen().messages.len(), 1, "it outlives a restart");
    handle.mute(None).unwrap();
    let seen = server.wait_until("the digest", |seen| seen.messages.len() == 2).await;
    let digest = &seen.messages[1].body;
    assert_eq!(digest["title"], "While it was quiet: 3 alerts");
    let text = digest["message"].as_str().unwrap();
    assert!(text.contains("OpenClaw gateway was down for 42 s") && text.contains("OpenClaw gateway is down"), "{text}");
    announce(&handle, &recovered(3));
    server.wait_until("the recovery", |seen| seen.messages.len() == 3).await;
    assert_eq!(server.seen().violations, Vec::<String>::new());
}

#[tokio::test]
async fn a_storm_becomes_five_messages_and_a_digest() {
    let server = FakeService::start(Service::Slack).await;
    let settings = AlertSettings { calm: 5, ..server.settings(settings()) };
    let handle = support::alerts::start(settings, mpsc::channel(8).0);
    for incident in 0..200 {
        announce(&handle, &down(incident));
    }
    announce(&handle, &safe_mode(7));
    let seen = server.wait_until("what goes before the storm", |seen| seen.messages.len() == 6).await;
    assert!(seen.messages[5].body["text"].as_str().unwrap().ends_with("safe mode"));
    assert_eq!(handle.flush(SOON).await, 0);
    assert_eq!(server.seen().messages.len(), 6, "the rest comes as one, 10 min after it began");
}

#[tokio::test]
async fn a_fallback_is_told_only_what_no_other_channel_has_delivered() {
    let first = FakeService::start(Service::Slack).await;
    let second = FakeService::start(Service::Telegram).await;
    let settings = AlertSettings {
        fallback: Some("telegram".to_owned()),
        fallback_after: Duration::from_millis(500),
        ..second.settings(first.settings(settings()))
    };
    let handle = support::alerts::start(settings, mpsc::channel(8).0);
    announce(&handle, &down(1));
    first.wait_until("the outage", |seen| seen.messages.len() == 1).await;
    announce(&handle, &recovered(1));
    first.wait_until("its end", |seen| seen.messages.len() == 2).await;

    first.always(Some(Fault::Refuse(503, String::new())));
    announce(&handle, &down(2));
    let seen = second.wait_until("the outage that the first cannot deliver", |seen| seen.messages.len() == 1).await;
    assert!(seen.messages[0].body["text"].as_str().unwrap().starts_with("OpenClaw gateway is down"));
    announce(&handle, &recovered(2));
    second.wait_until("its end", |seen| seen.messages.len() == 2).await;
    assert_eq!(second.seen().violations, Vec::<String>::new());
    assert_eq!(handle.test(Some("telegram")).await[0].problem, None);
}

#[tokio::test]
async fn several_channels_are_told_and_none_waits_for_another() {
    let slow = FakeService::start(Service::Slack).await;
    let quick = FakeService::start(Service::Ntfy).await;
    slow.always(Some(Fault::Swallow));
    let settings = quick.settings(slow.settings(settings()));
    let handle = AlertHub::start(settings, Arc::new(History::in_memory().unwrap()), mpsc::channel(8).0);
    announce(&handle, &down(1));
    quick.wait_until("the message", |seen| seen.messages.len() == 1).await;
    slow.wait_until("the request", |seen| seen.requests == 1).await;
    let names: Vec<String> = handle.channels().borrow().iter().map(|channel| channel.name.clone()).collect();
    assert_eq!(names, ["slack", "ntfy"]);
}
