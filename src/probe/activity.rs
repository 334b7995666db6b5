//! What the gateway reports of its channels and its work: OpenClaw's own command is asked, beside the rounds.
//!
//! The gateway lets nobody ask over a plain WebSocket ("device identity required"), and its HTTP face does not tell. Each
//! question costs a start of Node, about a second of one core, so it is asked seldom and never while it starts. Whatever
//! an answer does not say is unknown, and what is unknown causes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::platform::clock;
use crate::redact::harmless;
use crate::service::{GatewaySetup, ServiceError, openclaw};
use crate::supervisor::activity::{Activity, ChannelState, Inquiry, ModelRefusal, RefusalCause};
use crate::supervisor::observation::Identity;

/// Distance of two inquiries while something depends on the answer.
const SOON: Duration = Duration::from_mins(1);

/// Limit for all questions of one inquiry: four of 1.1 to 1.7 s each (2026.9.6), up to 9 s on a busy machine.
const INQUIRY_LIMIT: Duration = Duration::from_secs(45);

/// Older than this, "no work is in flight" proves nothing. Longer than [`SOON`] and an inquiry together take.
const IN_FLIGHT_HOLDS: Duration = Duration::from_secs(115);

/// How long the gateway gives a channel to connect or to reconnect (its `channel-health-policy`).
const CONNECT_GRACE: i64 = 120_000;

/// A failed run says nothing more about the model after so long: nobody has asked it anything since.
const REFUSAL_HOLDS: i64 = 24 * 3_600_000;

/// So many sessions are asked for, the ones that changed last.
const SESSIONS: &str = r#"{"limit":20}"#;

/// Inquiries that may run at once over all gateways: each takes about 240 MB (gateway.md, section 4).
static INQUIRIES: Semaphore = Semaphore::const_new(2);

/// Asks one gateway about its work.
#[derive(Debug, Clone)]
pub(super) struct ActivityProbe {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    setup: GatewaySetup,
    interval: Duration,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The process that all of this is about.
    process: Option<Identity>,
    activity: Option<(Activity, Instant)>,
    /// When the next scheduled run is due (Unix milliseconds), and since when it has been seen due and not begun.
    due: Option<(i64, Instant)>,
    asked: Option<Instant>,
    asking: bool,
    failing: bool,
}

impl ActivityProbe {
    /// `interval` is the distance of two inquiries in quiet times; zero: never ask.
    pub(super) fn new(setup: GatewaySetup, interval: Duration) -> Self {
        Self { shared: Arc::new(Shared { setup, interval, known: Mutex::default() }) }
    }

    /// What the last inquiry about this process found; begins another one beside, when that is due.
    pub(super) fn known(&self, inquiry: Inquiry, process: Option<&Identity>) -> Option<Activity> {
        let interval = self.shared.interval;
        if interval.is_zero() {
            return None;
        }
        let mut known = self.shared.known();
        let same = match (&known.process, process) {
            (Some(before), Some(now)) => before.is_same(now),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            *known = Known { process: process.cloned(), asking: known.asking, ..Known::default() };
        }
        let distance = match inquiry {
            Inquiry::Never => None,
            Inquiry::Seldom => Some(interval.max(SOON)),
            Inquiry::Soon => Some(SOON),
        };
        let due = distance.is_some_and(|distance| known.asked.is_none_or(|asked| asked.elapsed() >= distance));
        if due && !known.asking {
            known.asking = true;
            known.asked = Some(Instant::now());
            let (shared, process) = (Arc::clone(&self.shared), known.process.clone());
            tokio::spawn(async move { shared.inquire(process).await });
        }
        let (activity, answered) = known.activity.as_ref()?;
        let holds = answered.elapsed() < IN_FLIGHT_HOLDS;
        Some(Activity { in_flight: activity.in_flight.filter(|_| holds), ..activity.clone() })
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn inquire(&self, process: Option<Identity>) {
        let answers = self.ask().await;
        let mut known = self.known();
        known.asking = false;
        if known.process != process {
            // It was another process's answer, or nobody's.
            known.asked = None;
            return;
        }
        match answers {
            Ok(answers) => {
                known.failing = false;
                known.due = answers.due(clock::wall()).map(|run| {
                    let since = known.due.filter(|(before, _)| *before == run).map(|(_, since)| since);
                    (run, since.unwrap_or_else(Instant::now))
                });
                let overdue = known.due.map(|(_, since)| since.elapsed());
                let activity = Activity {
                    channels: answers.channels,
                    in_flight: answers.in_flight,
                    overdue,
                    refusal: answers.refusal,
                };
                tracing::debug!(gateway = self.setup.name, ?activity, "the gateway reports");
                known.activity = Some((activity, Instant::now()));
            }
            Err(error) => {
                known.activity = None;
                known.due = None;
                if !std::mem::replace(&mut known.failing, true) {
                    tracing::info!(gateway = self.setup.name, %error, "the gateway could not be asked about its work");
                }
            }
        }
    }

    /// The work in flight is asked for last: it is what grows old first.
    async fn ask(&self) -> Result<Answers, ServiceError> {
        let deadline = Instant::now() + INQUIRY_LIMIT;
        // The semaphore is never closed, and a permit that does not come in time is asked for again in a while.
        let Ok(Ok(_permit)) = timeout_at(deadline, INQUIRIES.acquire()).await else { return Ok(Answers::default()) };
        let channels = self.call("channels.status", None, deadline).await?;
        let schedule = self.call("cron.status", None, deadline).await?;
        let sessions = self.call("sessions.list", Some(SESSIONS), deadline).await?;
        let work = self.call("gateway.restart.preflight", None, deadline).await?;
        Ok(Answers {
            channels: channels.as_ref().map(channel_states).unwrap_or_default(),
            next_run: schedule.as_ref().and_then(next_run),
            in_flight: work.as_ref().and_then(in_flight),
            refusal: sessions.as_ref().and_then(|answer| refusal(answer, clock::wall())),
        })
    }

    /// One question; `None` for one that this version does not know, or that it answers in a way never seen before.
    async fn call(
        &self,
        method: &str,
        parameters: Option<&str>,
        deadline: Instant,
    ) -> Result<Option<Value>, ServiceError> {
        let limit = deadline.saturating_duration_since(Instant::now());
        let mut words = vec!["gateway", "call", method, "--json"];
        words.extend(parameters.into_iter().flat_map(|parameters| ["--params", parameters]));
        let output = openclaw::run(&self.setup, &words, limit).await?;
        Ok(if output.succeeded() { read(&output.stdout) } else { None })
    }
}

/// What one inquiry found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Answers {
    channels: Vec<ChannelState>,
    /// Unix milliseconds.
    next_run: Option<i64>,
    in_flight: Option<u32>,
    refusal: Option<ModelRefusal>,
}

impl Answers {
    /// The scheduled run that is due and has not begun, although nothing is in flight.
    fn due(&self, now: i64) -> Option<i64> {
        self.next_run.filter(|at| *at <= now && self.in_flight == Some(0))
    }
}

/// The JSON in an output that may begin with a warning.
#[must_use]
pub fn read(output: &str) -> Option<Value> {
    let json = output.get(output.find('{')?..)?;
    serde_json::Deserializer::from_str(json).into_iter().next()?.ok()
}

/// `gateway.restart.preflight`: OpenClaw's own count of all that a restart would cut off.
#[must_use]
pub fn in_flight(answer: &Value) -> Option<u32> {
    let total = answer.get("counts")?.get("totalActive")?.as_u64()?;
    Some(u32::try_from(total).unwrap_or(u32::MAX))
}

/// `cron.status`: when the earliest of all scheduled runs is due, if the scheduler is on.
#[must_use]
pub fn next_run(answer: &Value) -> Option<i64> {
    answer.get("nextWakeAtMs").filter(|_| is_true(answer, "enabled"))?.as_i64()
}

/// `sessions.list`: whether the newest run of all got no answer because its model's provider refused it. What else may
/// have failed, such as a rate limit, passes by itself.
#[must_use]
pub fn refusal(answer: &Value, now: i64) -> Option<ModelRefusal> {
    let ended = |session: &&Value| matches!(text(session, "status"), Some("done" | "failed"));
    let sessions = answer.get("sessions")?.as_array()?.iter().filter(ended);
    let at = |session: &Value| session.get("endedAt").and_then(Value::as_i64);
    let (at, newest) = sessions.filter_map(|session| Some((at(session)?, session))).max_by_key(|(at, _)| *at)?;
    if text(newest, "status") != Some("failed") || now.saturating_sub(at) >= REFUSAL_HOLDS {
        return None;
    }
    let cause = cause_of(text(newest, "lastRunError")?)?;
    Some(ModelRefusal { provider: harmless(text(newest, "modelProvider")?), cause })
}

/// OpenClaw's own sentences for these failures (2026.9.6: `user-copy`, `provider-auth-recovery-hint`, `oauth`); it
/// shortens a long one in its middle.
fn cause_of(error: &str) -> Option<RefusalCause> {
    let error = error.to_lowercase();
    let says = |sentences: &[&str]| sentences.iter().any(|sentence| error.contains(sentence));
    if says(&["returned a billing error", "credit balance", "insufficient credits"]) {
        return Some(RefusalCause::Credit);
    }
    let credentials = [
        "authentication failed",
        "oauth token refresh failed",
        "re-authenticate this provider",
        "no api key found for provider",
        "missing-provider-auth",
        "auth profile is unavailable",
        "no available auth profile",
        // What it says for as long as it spares the provider after one of these.
        "auth/billing failure",
    ];
    says(&credentials).then_some(RefusalCause::Credentials)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// `channels.status`: one state for each account of each channel.
#[must_use]
pub fn channel_states(answer: &Value) -> Vec<ChannelState> {
    let Some(now) = answer.get("ts").and_then(Value::as_i64) else { return Vec::new() };
    let Some(channels) = answer.get("channelAccounts").and_then(Value::as_object) else { return Vec::new() };
    let states = channels.iter().flat_map(|(channel, accounts)| {
        let accounts = accounts.as_array().map_or(&[][..], Vec::as_slice);
        let several = accounts.len() > 1;
        accounts.iter().filter_map(move |account| channel_state(channel, account, several, now))
    });
    states.collect()
}

/// One account, judged as the gateway itself judges it (`evaluateChannelHealth` of 2026.9.6). `None` if it does not even
/// say whether it runs.
fn channel_state(channel: &str, account: &Value, several: bool, now: i64) -> Option<ChannelState> {
    let age = |at: Option<&Value>| at.and_then(Value::as_i64).map(|at| now.saturating_sub(at)).filter(|age| *age >= 0);
    let running = account.get("running")?.as_bool()?;
    let connected = account.get("connected").and_then(Value::as_bool).unwrap_or(running);
    let meant = |name: &str| account.get(name).and_then(Value::as_bool) != Some(false);
    let started = age(account.get("lastStartAt"));
    let young = |age: Option<i64>| age.is_some_and(|age| age < CONNECT_GRACE);
    let connecting = matches!(text(account, "lifecycle"), Some("starting" | "recovering") | None) && young(started);
    let reconnecting = running && young(age(account.get("lastDisconnect").and_then(|last| last.get("at"))));
    let carried = age(account.get("lastTransportActivityAt"));
    // What was carried before this start says nothing about it.
    let silence = carried.map(|carried| started.map_or(carried, |started| started.min(carried)));
    Some(ChannelState {
        channel: harmless(channel),
        account: text(account, "accountId").filter(|_| several).map(harmless),
        enabled: meant("enabled") && meant("configured") && meant("linked"),
        connected: running && connected,
        settling: !connected && (connecting || reconnecting || is_true(account, "restartPending")),
        logged_out: !running && is_true(account, "terminalDisconnect"),
        silent_for: silence.and_then(|length| u64::try_from(length).ok()).map(Duration::from_millis),
    })
}

fn is_true(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests;
