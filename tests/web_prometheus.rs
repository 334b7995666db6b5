//! The real Prometheus scrapes the real program, and its alerts fire. Debian's `prometheus` and `promtool`
//! (`bundle/set-up.sh page`).
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/discord.rs"]
mod discord;
#[path = "support/gateway.rs"]
mod gateway;
#[path = "support/lifeguard.rs"]
mod lifeguard_process;
#[path = "support/practice.rs"]
mod practice;

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use gateway::wait_until;
use lifeguard_process::{QUICK, Watch, signal_gateway};
use rustix::process::Signal;
use serde_json::Value;

/// Longest wait for an alert: a scrape, an evaluation and a busy machine.
const ALERT: Duration = Duration::from_secs(90);

fn bundle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bundle").join(name)
}

fn promtool(words: &[&str], input: &str) -> Output {
    let mut child = Command::new("promtool")
        .args(words)
        .current_dir(bundle("prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool: {error}; run bundle/set-up.sh page"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Ended when it is dropped.
struct Prometheus {
    child: Child,
    url: String,
    _data: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes `target` each half second, by the shipped rules, whose patience is cut to a second.
    fn start(target: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let rules = fs::read_to_string(bundle("prometheus/rules.yml")).unwrap();
        let rules = rules.lines().map(|line| match line.trim_start().strip_prefix("for: ") {
            Some(_) => "        for: 1s",
            None => line,
        });
        fs::write(data.path().join("rules.yml"), rules.collect::<Vec<_>>().join("\n")).unwrap();
        let config = fs::read_to_string(bundle("prometheus/prometheus.yml")).unwrap();
        let config = config
            .replace(
                "scrape_interval: 30s",
                "scrape_interval: 500ms\n  evaluation_interval: 500ms\n  scrape_timeout: 500ms",
            )
            .replace("127.0.0.1:18799", target);
        assert!(config.contains(target) && config.contains("evaluation_interval"), "{config}");
        fs::write(data.path().join("prometheus.yml"), config).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(data.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", data.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus: {error}; run bundle/set-up.sh page"));
        Self { child, url: format!("http://127.0.0.1:{port}"), _data: data }
    }

    /// The value of a query's first series.
    fn ask(&self, query: &str) -> Option<f64> {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/query", self.url), [("query", query)]).unwrap();
        let answer: Value = serde_json::from_str(&get(url.as_str())?).ok()?;
        answer["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }

    fn fires(&self, alert: &str) -> bool {
        self.ask(&format!("ALERTS{{alertname=~\"{alert}\", alertstate=\"firing\"}}")) == Some(1.0)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn get(url: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = lifeguard::platform::http::local_client().timeout(Duration::from_secs(10)).build().unwrap();
        client.get(url).send().await.ok()?.text().await.ok()
    })
}

#[test]
fn the_shipped_rules_are_sound_and_do_what_their_tests_say() {
    for words in [
        &["check", "rules", "--lint-fatal", "rules.yml"][..],
        &["check", "config", "prometheus.yml"],
        &["test", "rules", "rules_test.yml"],
    ] {
        let output = promtool(words, "");
        assert!(output.status.success(), "{words:?}: {output:?}");
    }
}

#[test]
fn every_figure_of_the_dashboard_and_the_rules_is_documented() {
    let documented = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let mut found = 0;
    for file in ["grafana/lifeguard.json", "prometheus/rules.yml"] {
        let text = fs::read_to_string(bundle(file)).unwrap();
        if file.ends_with("json") {
            serde_json::from_str::<Value>(&text).unwrap();
        }
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        for name in words.filter(|word| word.starts_with("lifeguard_")) {
            found += 1;
            assert!(documented.contains(&format!("`{}`", name.trim_end_matches("_bucket"))), "{name} of {file}");
        }
    }
    assert!(found > 25, "{found}");
}

#[test]
fn prometheus_scrapes_it_and_the_alerts_fire_when_the_gateway_and_then_lifeguard_are_killed() {
    let home = practice::home(&["--unclean-window", "1ms"]);
    let by_hand = home.start_ready();
    let watch = Watch::new(&home, "attached", QUICK);
    let lifeguard = watch.start();
    lifeguard.wait_healthy(ALERT);
    let page = lifeguard.look().page.unwrap();

    let metrics = get(&format!("{page}metrics")).unwrap();
    let lint = promtool(&["check", "metrics"], &metrics);
    assert!(lint.status.success() && lint.stderr.is_empty() && lint.stdout.is_empty(), "{lint:?}");

    let prometheus = Prometheus::start(page.trim_start_matches("http://").trim_end_matches('/'));
    assert!(wait_until(ALERT, || prometheus.ask("lifeguard_gateway_up") == Some(1.0)), "nothing was scraped");
    assert_eq!(prometheus.ask("count(lifeguard_gateway_health_state == 1)"), Some(1.0));
    assert!(prometheus.ask("lifeguard_gateway_memory_bytes").unwrap() > 1_000_000.0);
    assert!(!prometheus.fires("GatewayDown|GatewayNeedsPerson"));

    signal_gateway(by_hand.pid(), Signal::KILL);
    assert!(wait_until(ALERT, || prometheus.fires("GatewayDown|GatewayNeedsPerson")), "the gateway's alert is silent");
    assert_eq!(prometheus.ask("lifeguard_gateway_up"), Some(0.0));
    assert!(wait_until(ALERT, || prometheus.ask("lifeguard_incidents_total") == Some(1.0)), "no incident was counted");

    lifeguard.crash();
    assert!(wait_until(ALERT, || prometheus.fires("LifeguardGone")), "Lifeguard's own alert is silent");
}
