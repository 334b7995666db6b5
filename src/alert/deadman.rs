//! The dead-man's switch: a ping to a monitor elsewhere in each interval, so that its silence tells of what Lifeguard
//! cannot tell of: a machine that is off, or its own end. The addresses are those of healthchecks.io, which others follow.

use std::time::Duration;

use reqwest::Client;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::http;
use super::secret::SecretUrl;
use super::source::Source;
use crate::platform::clock;
use crate::snapshot::Snapshot;
use crate::supervisor::verdict::Health;

/// Where and how often to ping.
#[derive(Debug, Clone)]
pub struct DeadmanSettings {
    /// The check's address.
    pub url: SecretUrl,
    /// Distance of two pings.
    pub interval: Duration,
}

/// What a ping says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    /// Every gateway is watched.
    Success,
    /// A gateway is in safe mode.
    Fail,
    /// A heal begins.
    Start,
}

impl Ping {
    fn path(self) -> Option<&'static str> {
        match self {
            Self::Success => None,
            Self::Fail => Some("fail"),
            Self::Start => Some("start"),
        }
    }
}

/// What one picture calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scene {
    /// What is said in each interval; `None` if nobody has looked for too long, and silence is the truth.
    steady: Option<Ping>,
    /// When the newest heal began, if one runs (Unix milliseconds).
    heal: Option<i64>,
}

impl Scene {
    fn of(snapshot: &Snapshot, elapsed: i64) -> Self {
        let any = |wanted| snapshot.gateways.iter().any(|gateway| gateway.health == wanted);
        let steady = if snapshot.is_stale(elapsed) || any(Health::Stale) {
            None
        } else {
            Some(if any(Health::SafeMode) { Ping::Fail } else { Ping::Success })
        };
        let heal = snapshot.gateways.iter().filter_map(|gateway| gateway.heal.map(|heal| heal.began)).max();
        Self { steady, heal }
    }

    /// What is to be said at once of a change from `before`.
    fn change(self, before: Self) -> Option<Ping> {
        if self.steady == Some(Ping::Fail) && before.steady != Some(Ping::Fail) {
            return Some(Ping::Fail);
        }
        self.heal.filter(|began| before.heal.is_none_or(|earlier| *began > earlier)).map(|_| Ping::Start)
    }
}

/// Pings until the engine has ended. A ping that fails is not repeated: the next one is due soon, and one that is
/// missed is what the monitor is there for.
///
/// # Errors
///
/// If the HTTP client cannot be made.
pub async fn run(source: Source<DeadmanSettings>, mut snapshots: watch::Receiver<Snapshot>) -> reqwest::Result<()> {
    let settings = source.wait("the dead-man's switch").await;
    let client = http::channel_client(settings.url.is_loopback())?;
    let mut before = Scene { steady: None, heal: None };
    let mut due = Instant::now();
    let mut failing = false;
    loop {
        let scene = Scene::of(&snapshots.borrow_and_update(), clock::elapsed());
        let steady = scene.steady.filter(|_| Instant::now() >= due);
        if Instant::now() >= due {
            due = Instant::now() + settings.interval;
        }
        for ping in scene.change(before).into_iter().chain(steady) {
            let sent = send(&client, &settings.url, ping).await;
            if let Err(cause) = &sent
                && !failing
            {
                tracing::warn!(cause, "the dead-man's switch could not be reached; its monitor will notice");
            }
            if sent.is_ok() && failing {
                tracing::info!("the dead-man's switch is reached again");
            }
            failing = sent.is_err();
        }
        before = scene;
        tokio::select! {
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
            () = sleep_until(due) => {}
        }
    }
}

/// Sends one ping; the cause of a failure has no address in it.
async fn send(client: &Client, url: &SecretUrl, ping: Ping) -> Result<(), String> {
    let mut url = url.expose().clone();
    if let (Some(path), Ok(mut segments)) = (ping.path(), url.path_segments_mut()) {
        segments.pop_if_empty().push(path);
    }
    let answer = client.get(url).send().await.map_err(|error| error.without_url().to_string())?;
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(format!("HTTP {}", status.as_u16())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Scene = Scene { steady: Some(Ping::Success), heal: None };

    #[test]
    fn a_heal_and_safe_mode_are_told_when_they_begin_and_once() {
        let heals = Scene { heal: Some(5), ..QUIET };
        let fails = Scene { steady: Some(Ping::Fail), heal: None };
        assert_eq!(QUIET.change(QUIET), None);
        assert_eq!(heals.change(QUIET), Some(Ping::Start));
        assert_eq!(heals.change(heals), None);
        assert_eq!(Scene { heal: Some(6), ..QUIET }.change(heals), Some(Ping::Start));
        assert_eq!(fails.change(heals), Some(Ping::Fail));
        assert_eq!(fails.change(fails), None);
    }

    #[test]
    fn nothing_is_said_while_nobody_looks() {
        let picture = Snapshot {
            taken: 0,
            taken_elapsed: 1_000,
            stale_after: 20_000,
            lifeguard_version: String::new(),
            gateways: Vec::new(),
            channels: Vec::new(),
            day: None,
            page: None,
            notices: Vec::new(),
        };
        assert_eq!(Scene::of(&picture, 20_000).steady, Some(Ping::Success));
        assert_eq!(Scene::of(&picture, 30_000).steady, None);
    }
}
