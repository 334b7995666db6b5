//! `lifeguard status`: how the gateway is, for people and for programs.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::runtime::Runtime;

use super::Exit;
use super::context::{Context, Failure};
use super::output::Output;
use crate::app;
use crate::control::client::ClientError;
use crate::platform::clock;
use crate::snapshot::{BreakerSnapshot, ChannelSnapshot, GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::{Health, Verdict};
use crate::text::command::CommandPhrase;
use crate::text::status::{Row, StatusPhrase};
use crate::text::words::{duration, size};
use crate::text::{Language, Phrase};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(long)]
    json: bool,
    #[arg(long, short)]
    watch: bool,
}

/// Distance of two looks while watching.
const LOOK: Duration = Duration::from_secs(1);

/// Clears a terminal and goes to its upper left corner (ECMA-48: ED 2, CUP).
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let runtime = Context::runtime()?;
    if !arguments.watch {
        return show(context, &runtime, arguments);
    }
    loop {
        // Where nobody can be asked for a moment, as during a restart, the next look may find somebody.
        if let Err(failure) = show(context, &runtime, arguments) {
            if matches!(failure, Failure::Output(_) | Failure::Config(_)) {
                return Err(failure);
            }
            context.output.complaint(&failure.say(context.language));
        }
        std::thread::sleep(LOOK);
    }
}

fn show(context: &Context, runtime: &Runtime, arguments: &Arguments) -> Result<Exit, Failure> {
    let (running, snapshot) = match runtime.block_on(context.client()?.snapshot()) {
        Ok(snapshot) => (true, snapshot),
        Err(ClientError::NotRunning) => (false, runtime.block_on(app::look(&context.setting(&context.paths)?))?),
        Err(error) => return Err(error.into()),
    };
    let report = Report { running, snapshot: &snapshot, now: clock::wall(), now_elapsed: clock::elapsed() };
    if arguments.json {
        // One line for each look, where there are several.
        let text = if arguments.watch { report.json_line() } else { report.json() };
        context.line(&text.map_err(|error| Failure::Said(CommandPhrase::CannotAsk(error.to_string()), Exit::Bad))?)?;
    } else {
        let text = report.text(context.language, context.output, &TimeZone::system());
        let clear = if arguments.watch && context.output.is_coloured() { CLEAR } else { "" };
        let gap = if arguments.watch { "\n" } else { "" };
        context.line(&format!("{clear}{}{gap}", text.trim_end()))?;
    }
    Ok(report.exit())
}

/// A snapshot and the moment it is shown.
#[derive(Debug)]
pub struct Report<'a> {
    /// A Lifeguard runs; otherwise this is one look just now.
    pub running: bool,
    /// What is shown.
    pub snapshot: &'a Snapshot,
    /// Unix milliseconds.
    pub now: i64,
    /// Milliseconds on the clock that counts sleep.
    pub now_elapsed: i64,
}

/// Version of the form of `status --json`. Fields are only ever added to a version.
const SCHEMA: u32 = 1;

/// `status --json`: the snapshot, and what a program cannot tell from it.
#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    lifeguard_running: bool,
    stale: bool,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

impl Report<'_> {
    /// The exit code: every gateway is healthy, or not.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let healthy = |gateway| self.snapshot.health(gateway, self.now_elapsed) == Health::Healthy;
        let gateways = &self.snapshot.gateways;
        if !gateways.is_empty() && gateways.iter().all(healthy) { Exit::Good } else { Exit::Bad }
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&self.form())
    }

    /// The same in one line.
    pub fn json_line(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.form())
    }

    fn form(&self) -> Json<'_> {
        let stale = self.snapshot.is_stale(self.now_elapsed);
        Json { schema: SCHEMA, lifeguard_running: self.running, stale, snapshot: self.snapshot }
    }

    /// For people.
    #[must_use]
    pub fn text(&self, language: Language, output: Output, zone: &TimeZone) -> String {
        let view = View { report: self, language, output, zone };
        let mut text = String::new();
        if !self.running {
            let _ = writeln!(text, "{}\n", StatusPhrase::NotRunning.say(language));
        }
        if self.snapshot.is_stale(self.now_elapsed) {
            let age = span(self.now_elapsed, self.snapshot.taken_elapsed);
            let _ = writeln!(text, "{}\n", StatusPhrase::Stale(age).say(language));
        }
        if self.snapshot.gateways.is_empty() {
            let _ = writeln!(text, "{}", StatusPhrase::NoGateway.say(language));
        }
        let last = self.snapshot.gateways.len().saturating_sub(1);
        for (index, gateway) in self.snapshot.gateways.iter().enumerate() {
            let mut rows = view.rows(gateway);
            if index == last {
                rows.extend(self.snapshot.notices.iter().map(|notice| (Row::Notice, notice.clone())));
            }
            if index == last && self.running {
                rows.push((Row::Channels, view.channels(&self.snapshot.channels)));
            }
            let _ = writeln!(text, "{}\n", view.sentence(gateway));
            view.table(&mut text, &rows);
            if index != last {
                text.push('\n');
            }
        }
        text
    }
}

struct View<'a> {
    report: &'a Report<'a>,
    language: Language,
    output: Output,
    zone: &'a TimeZone,
}

impl View<'_> {
    /// `gateway: Down for 12 s (its process is gone)`.
    fn sentence(&self, gateway: &GatewaySnapshot) -> String {
        let health = self.report.snapshot.health(gateway, self.report.now_elapsed);
        let mut text = format!("{}: {}", gateway.name, self.output.paint(health, &health.say(self.language)));
        if health != Health::Stale && self.report.running {
            let _ = write!(text, ", {}", StatusPhrase::For(self.since(gateway.since)).say(self.language));
        }
        let silent = matches!(&gateway.verdict, Verdict::Healthy | Verdict::Stopped | Verdict::NotInstalled);
        if !silent && health != Health::Stale {
            let _ = write!(text, " ({})", gateway.verdict.say(self.language));
        }
        if gateway.practice {
            let _ = write!(text, " [{}]", StatusPhrase::Practice.say(self.language));
        }
        text
    }

    fn rows(&self, gateway: &GatewaySnapshot) -> Vec<(Row, String)> {
        let say = |phrase: StatusPhrase| phrase.say(self.language);
        let mut rows = vec![
            (Row::Address, gateway.address.clone()),
            (Row::Service, say(StatusPhrase::Service(gateway.service.clone()))),
        ];
        rows.extend(gateway.pid.map(|pid| (Row::Pid, pid.to_string())));
        rows.extend(gateway.version.clone().map(|version| (Row::Version, version)));
        rows.extend(gateway.uptime().map(|uptime| (Row::Uptime, duration(uptime, self.language))));
        rows.extend(gateway.memory.map(|memory| (Row::Memory, size(memory))));
        rows.push((Row::Checked, self.checked(gateway)));
        if self.report.running {
            let clears = gateway.crashes_clear.map(|at| span(at, self.report.now));
            rows.push((
                Row::Crashes,
                say(StatusPhrase::Crashes { count: gateway.crashes, limit: gateway.crash_limit, clears }),
            ));
            rows.push((
                Row::Breaker,
                say(match gateway.breaker {
                    BreakerSnapshot::Closed => StatusPhrase::BreakerClosed,
                    BreakerSnapshot::Open => StatusPhrase::BreakerOpen,
                    BreakerSnapshot::HalfOpen => StatusPhrase::BreakerHalfOpen,
                }),
            ));
        }
        rows.extend(gateway.incident.as_ref().map(|incident| {
            let lasts = self.since(incident.began);
            let verdict = incident.verdict.say(self.language);
            (Row::Incident, say(StatusPhrase::IncidentLasts { verdict, lasts, attempts: incident.attempts }))
        }));
        rows.extend(gateway.last_incident.as_ref().map(|incident| {
            let phrase = StatusPhrase::IncidentOver {
                verdict: incident.verdict.say(self.language),
                began: self.since(incident.began),
                lasted: Duration::from_millis(incident.duration),
                attempts: incident.attempts,
            };
            (Row::LastIncident, say(phrase))
        }));
        rows.extend(gateway.heal.map(|heal| {
            let phrase = StatusPhrase::Underway { rung: heal.rung.say(self.language), length: self.since(heal.began) };
            (Row::Attempt, say(phrase))
        }));
        rows.extend(gateway.next_attempt.filter(|_| gateway.heal.is_none()).map(|at| {
            let phrase =
                if at <= self.report.now { StatusPhrase::Now } else { StatusPhrase::In(span(at, self.report.now)) };
            (Row::NextAttempt, say(phrase))
        }));
        rows.extend(gateway.pause.map(|pause| {
            let phrase = pause.until.map_or(StatusPhrase::PausedUntilResumed, |until| {
                StatusPhrase::PausedUntil(clock_time(until, self.report.now, self.zone))
            });
            (Row::Pause, say(phrase))
        }));
        rows.extend(gateway.notice.clone().map(|notice| (Row::Notice, notice)));
        rows
    }

    fn checked(&self, gateway: &GatewaySnapshot) -> String {
        let Some(checked) = gateway.checked else { return StatusPhrase::NotChecked.say(self.language) };
        let ago = StatusPhrase::Ago(self.since(checked)).say(self.language);
        gateway.latency.map_or_else(
            || ago.clone(),
            |latency| format!("{ago}, {}", StatusPhrase::Latency(latency.div_ceil(100)).say(self.language)),
        )
    }

    fn channels(&self, channels: &[ChannelSnapshot]) -> String {
        if channels.is_empty() {
            return StatusPhrase::NoChannels.say(self.language);
        }
        let named = channels.iter().map(|channel| {
            let detail = channel.problem.clone().or_else(|| {
                let delivery = channel.last_delivery.as_ref()?;
                let phrase = StatusPhrase::LastDelivery { kind: delivery.kind.clone(), ago: self.since(delivery.at) };
                Some(phrase.say(self.language))
            });
            detail.map_or_else(|| channel.name.clone(), |detail| format!("{} ({detail})", channel.name))
        });
        named.collect::<Vec<_>>().join(", ")
    }

    fn table(&self, text: &mut String, rows: &[(Row, String)]) {
        let labels: Vec<String> = rows.iter().map(|(row, _)| row.say(self.language)).collect();
        let widest = labels.iter().map(|label| width(label)).max().unwrap_or(0);
        for (label, (_, value)) in labels.iter().zip(rows) {
            let gap = " ".repeat(widest - width(label) + 2);
            let _ = writeln!(text, "  {}{gap}{value}", self.output.faint(label));
        }
    }

    fn since(&self, earlier: i64) -> Duration {
        span(self.report.now, earlier)
    }
}

fn span(later: i64, earlier: i64) -> Duration {
    Duration::from_millis(u64::try_from(later.saturating_sub(earlier)).unwrap_or(0))
}

/// Columns that a label takes in a terminal: Hangul takes two.
pub(super) fn width(label: &str) -> usize {
    label.chars().map(|letter| if ('\u{1100}'..='\u{ffdc}').contains(&letter) { 2 } else { 1 }).sum()
}

/// A time of day, with the date if it is not today's.
pub(super) fn clock_time(at: i64, now: i64, zone: &TimeZone) -> String {
    let zoned = |at| Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(zone.clone());
    let (at, now) = (zoned(at), zoned(now));
    let format = if at.date() == now.date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    at.strftime(format).to_string()
}
