//! The status page in a real browser: Debian's Chromium, driven by playwright-core, judged by axe-core.
//!
//! `PAGE_PICTURES=FOLDER` keeps the pictures of the five main states (`make page-pictures`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "support/page.rs"]
mod page;
#[path = "support/samples.rs"]
mod samples;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use lifeguard::platform::clock;
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::dependency::{Dependency, DependencyState, Trouble};
use lifeguard::supervisor::verdict::{Health, Verdict};
use page::Page;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Longest life of one browser: starting it takes seconds on a busy machine.
const LIMIT: Duration = Duration::from_secs(150);

fn fresh(health: Health) -> Snapshot {
    let mut snapshot = samples::snapshot(health, clock::wall(), clock::elapsed());
    // Nobody renews this picture, and a browser takes its time on a busy machine.
    snapshot.stale_after = 3_600_000;
    let gateway = &mut snapshot.gateways[0];
    if health == Health::Blocked {
        gateway.verdict = Verdict::Gone;
    }
    let docker = (health == Health::Blocked).then_some(Trouble::NotRunning);
    gateway.needs = [
        (Dependency::Docker, docker),
        (Dependency::Disk, None),
        (Dependency::Configuration, None),
        (Dependency::Network { host: "api.anthropic.com:443".to_owned() }, None),
    ]
    .map(|(dependency, trouble)| DependencyState { dependency, trouble })
    .to_vec();
    snapshot
}

/// A browser at work.
struct Browser {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Browser {
    fn start(page: &Page, job: Value) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = root.join("target/cache/page-tools/node_modules");
        let browser = ["/usr/bin/chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
        let browser = browser.into_iter().find(|path| Path::new(path).exists());
        assert!(modules.exists() && browser.is_some(), "no browser to test with: run bundle/set-up.sh page");
        let mut job = job;
        job["url"] = Value::from(page.url.as_str());
        job["browser"] = Value::from(browser);
        let mut child = Command::new("node")
            .arg(root.join("tests/support/page.cjs"))
            .arg(modules)
            .arg(job.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until the browser has come to a `say` step; nothing else is to be told until then.
    async fn says(&mut self, word: &str) {
        let line = tokio::time::timeout(LIMIT, self.lines.next_line()).await.unwrap().unwrap().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), json!({ "said": word }));
    }

    /// Everything that it found out, once it has ended well.
    async fn ends(mut self) -> Vec<Value> {
        let mut found = Vec::new();
        while let Some(line) = tokio::time::timeout(LIMIT, self.lines.next_line()).await.unwrap().unwrap() {
            found.push(serde_json::from_str(&line).unwrap());
        }
        assert!(self.child.wait().await.unwrap().success(), "{found:?}");
        found
    }
}

fn picture(name: &str) -> Vec<Value> {
    let Some(folder) = std::env::var_os("PAGE_PICTURES").map(PathBuf::from) else { return Vec::new() };
    vec![json!(["picture", folder.join(format!("page-{name}.png"))])]
}

/// The page shows this headline, complains of nothing, fits, and has no serious finding; in light and dark, wide and narrow.
async fn shows(name: &str, health: Health, headline: &str, advice: &str) {
    let page = Page::serve(fresh(health), page::month).await;
    for (scheme, width) in [("light", 1_100), ("dark", 390)] {
        let mut steps = vec![
            json!(["wait", "#headline", headline]),
            json!(["wait", "#next", advice]),
            json!(["wait", "#uptime", "%"]),
            json!(["wait", "#incidents .what", ""]),
        ];
        steps.extend([json!(["axe"]), json!(["wide"])]);
        if scheme == "light" {
            steps.extend(picture(name));
        }
        let found = Browser::start(&page, json!({ "scheme": scheme, "width": width, "steps": steps })).ends().await;
        assert_eq!(found, [json!({ "wide": width })], "{name}, {scheme}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy() {
    shows("healthy", Health::Healthy, "Up and ready", "Nothing for you to do.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn down_and_healing() {
    shows("healing", Health::Healing, "Healing", "Nothing for you to do.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn safe_mode() {
    shows("safe-mode", Health::SafeMode, "Safe mode", "Lifeguard tries again in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_by_a_dependency() {
    shows("blocked", Health::Blocked, "Needs you", "Docker does not run: start it").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_live_and_turns_stale_when_nobody_answers_any_more() {
    let page = Page::serve(fresh(Health::Healthy), page::month).await;
    let mut steps = vec![
        json!(["wait", "#headline", "Up and ready"]),
        json!(["wait", "#uptime", "%"]),
        json!(["say", "seen"]),
        json!(["wait", "#headline", "Down"]),
        json!(["wait", "#notice", "disk space: 40 MB left"]),
        json!(["say", "down"]),
        json!(["wait", "#headline", "Not known"]),
        json!(["wait", "#offline", "Lifeguard has not answered for"]),
        json!(["wait", "#sentence", "Down"]),
        json!(["axe"]),
    ];
    steps.extend(picture("stale"));
    let mut browser = Browser::start(&page, json!({ "steps": steps }));
    browser.says("seen").await;
    let notices = vec!["Self-check: disk space: 40 MB left".to_owned()];
    page.pictures.send_replace(Snapshot { notices, ..fresh(Health::Down) });
    browser.says("down").await;
    drop(page);
    let found = browser.ends().await;
    // The browser itself complains of a connection that is refused.
    assert!(found.iter().all(|line| line["complaint"].as_str().is_some_and(|text| text.contains("ERR_"))), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_opens_by_the_keyboard_and_korean_is_spoken() {
    let page = Page::serve(fresh(Health::Healthy), page::month).await;
    let steps = json!([
        ["wait", "#incidents .what", ""],
        ["press", "details.incident summary", "Enter"],
        ["wait", ".story", "Over: health has held."],
        ["wait", ".story", "Attempt 1 begins: start"],
        ["axe"],
        ["press", "#spans input[value=month]", "Space"],
        ["wait", "#past-title", "Availability"],
    ]);
    assert_eq!(Browser::start(&page, json!({ "steps": steps })).ends().await, [Value::Null; 0]);
    let steps = json!([["wait", "#headline", "정상"], ["wait", "#uptime-words", "중단"], ["axe"]]);
    let found = Browser::start(&page, json!({ "path": "?language=ko", "steps": steps })).ends().await;
    assert_eq!(found, [Value::Null; 0]);
}
