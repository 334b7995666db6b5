//! The loopback server, asked as a program would.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/page.rs"]
mod page;
#[path = "support/samples.rs"]
mod samples;

use std::time::Duration;

use lifeguard::platform::{clock, http};
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::verdict::Health;
use lifeguard::web::{BindError, WebServer};
use page::Page;
use serde_json::Value;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(20);

fn fresh(health: Health) -> Snapshot {
    samples::snapshot(health, clock::wall(), clock::elapsed())
}

fn client() -> reqwest::Client {
    http::local_client().timeout(LIMIT).build().unwrap()
}

async fn get(page: &Page, path: &str) -> reqwest::Response {
    client().get(page.at(path)).send().await.unwrap()
}

async fn json(page: &Page, path: &str) -> Value {
    let answer = get(page, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn the_page_speaks_the_language_that_is_asked_for_and_loads_nothing_from_elsewhere() {
    let page = Page::serve(fresh(Health::Healthy), |_| Ok(())).await;
    let answer = get(&page, "").await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers().get("access-control-allow-origin").is_none());
    assert!(answer.text().await.unwrap().contains("<html lang=\"en\">"));
    assert!(get(&page, "?language=ko").await.text().await.unwrap().contains("가용성"));
    for (path, kind) in [("page.css", "text/css"), ("page.js", "text/javascript")] {
        let answer = get(&page, path).await;
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
    assert_eq!(get(&page, "nothing").await.status(), 404);
}

#[tokio::test]
async fn another_name_is_refused_and_nothing_can_be_changed() {
    let page = Page::serve(fresh(Health::Healthy), |_| Ok(())).await;
    for path in ["", "events", "metrics", "api/incidents?gateway=gateway"] {
        let answer = client().get(page.at(path)).header("host", "rebound.example").send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    for path in ["", "events", "metrics", "api/past"] {
        let answer = client().post(page.at(path)).body("restart").send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
    }
}

#[tokio::test]
async fn its_own_health_is_good_while_somebody_looks() {
    let page = Page::serve(fresh(Health::Down), |_| Ok(())).await;
    assert_eq!(json(&page, "healthz").await["status"], "watching");
    page.pictures.send_replace(fresh(Health::Stale));
    let answer = get(&page, "healthz").await;
    assert_eq!(answer.status(), 503);
    let metrics = get(&page, "metrics").await.text().await.unwrap();
    assert!(metrics.contains("lifeguard_snapshot_stale 1\n"), "{metrics}");
    assert!(metrics.contains("lifeguard_gateway_up{gateway=\"gateway\"} 0\n"), "{metrics}");
    assert!(metrics.contains("lifeguard_gateway_health_state{gateway=\"gateway\",state=\"stale\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_change_is_told_at_once_and_silence_is_broken_by_a_sign_of_life() {
    let page = Page::serve(fresh(Health::Healthy), |_| Ok(())).await;
    let mut answer = get(&page, "events?language=en").await;
    let mut next = async || {
        let mut text = String::new();
        while !text.ends_with("\n\n") {
            let chunk = tokio::time::timeout(LIMIT, answer.chunk()).await.unwrap().unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        let data = text.strip_prefix("data: ").unwrap_or_else(|| panic!("{text}"));
        serde_json::from_str::<Value>(data.trim_end()).unwrap()
    };
    assert_eq!(next().await["gateways"][0]["health"], "healthy");
    page.pictures.send_replace(fresh(Health::Blocked));
    let told = next().await;
    assert_eq!(told["gateways"][0]["health"], "blocked");
    assert!(told["now"].as_i64().unwrap() <= clock::wall());
    assert_eq!(next().await["gateways"][0]["health"], "blocked", "nothing new is told, too");
}

#[tokio::test]
async fn the_past_comes_in_bars_and_points_and_incidents_tell_their_story() {
    let page = Page::serve(fresh(Health::Healthy), page::month).await;
    for (span, bars) in [("day", 96), ("week", 84), ("month", 90)] {
        let past = json(&page, &format!("api/past?gateway=gateway&span={span}")).await;
        let found = past["buckets"].as_array().unwrap().len();
        assert!((bars - 1..=bars).contains(&found), "{span}: {found}");
        assert!(past["points"].as_array().unwrap().len() > 100, "{span}");
        let uptime = past["uptime"].as_f64().unwrap();
        assert!(uptime > 0.98 && uptime < 1.0, "{span}: {uptime}");
    }
    let listed = json(&page, "api/incidents?gateway=gateway&language=en").await;
    let incidents = listed["incidents"].as_array().unwrap();
    assert_eq!((incidents.len(), &listed["more"]), (5, &Value::Bool(false)));
    assert!(incidents[0]["began"].as_i64() > incidents[1]["began"].as_i64(), "{listed}");
    let story = json(&page, &format!("api/incident?gateway=gateway&id={}&language=en", incidents[0]["id"])).await;
    let told: Vec<_> =
        story["entries"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap()).collect();
    assert_eq!(told[1..3], ["Process 4711 ended by signal 9", "Attempt 1 begins: start"], "{told:?}");
    assert!(told.last().unwrap().starts_with("Over: health has held"), "{told:?}");
    assert!(json(&page, "api/incidents?gateway=other").await["incidents"].as_array().unwrap().is_empty());
    assert_eq!(get(&page, "api/past?gateway=gateway&span=century").await.status(), 400);
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let first = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let refused = WebServer::bind(port).await.unwrap_err();
    assert!(matches!(refused, BindError::Taken(taken) if taken == port), "{refused}");
    assert!(refused.to_string().contains("web.port"), "{refused}");
}

/// `docs/performance.md` has the figures and the command.
#[tokio::test]
#[ignore = "a measurement: cargo test --test web_server -- --ignored --nocapture two_years"]
async fn two_years_with_a_hundred_thousand_incidents_are_answered_in_a_tenth_of_a_second() {
    const INCIDENTS: i64 = 100_000;
    let now = clock::wall();
    let begin = now - 729 * 24 * page::HOUR;
    let page = Page::serve(fresh(Health::Healthy), |change| {
        let mut at = begin;
        while at < now {
            // Twelve looks an hour make the same rows as ten times as many.
            at += 5 * 60_000;
            change.add_sample(&page::look(at))?;
        }
        change.take_together("gateway", begin)?;
        let distance = (now - begin) / INCIDENTS;
        (0..INCIDENTS).try_for_each(|place| {
            page::incident(change, u64::try_from(place + 1).unwrap(), begin + place * distance, 60_000)
        })
    })
    .await;
    let long_ago = begin + 24 * page::HOUR;
    for path in [
        "api/past?gateway=gateway&span=day".to_owned(),
        "api/past?gateway=gateway&span=week".to_owned(),
        "api/past?gateway=gateway&span=month".to_owned(),
        "api/incidents?gateway=gateway".to_owned(),
        format!("api/incidents?gateway=gateway&before={long_ago}"),
        "api/incident?gateway=gateway&id=50000".to_owned(),
    ] {
        let mut times = Vec::new();
        for _ in 0..11 {
            let asked = std::time::Instant::now();
            json(&page, &path).await;
            times.push(asked.elapsed());
        }
        times.sort_unstable();
        println!("{path}: median {:?}, longest {:?}", times[5], times[10]);
        assert!(times[5] < Duration::from_millis(100), "{path}: {times:?}");
    }
}
