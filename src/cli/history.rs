//! `lifeguard history export`: what was measured and what happened, for other programs.

use jiff::{Span, SpanRelativeTo, Timestamp};
use serde::Serialize;

use super::Exit;
use super::context::{Context, Failure};
use crate::history::samples::{Level, Point, Spread};
use crate::history::timeline::{Entry, HealRecord};
use crate::history::{History, HistoryError};
use crate::platform::{boot_id, clock};
use crate::supervisor::incident::IncidentSummary;
use crate::text::command::CommandPhrase;

/// The format's version; fields are only ever added within one.
const VERSION: u32 = 1;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Export(Export),
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("format").required(true).args(["csv", "json"]))]
pub(super) struct Export {
    #[arg(long)]
    csv: bool,
    #[arg(long)]
    json: bool,
    #[arg(long, short, value_name = "GATEWAY")]
    gateway: Option<String>,
    #[arg(long, value_name = "SPAN")]
    since: Option<String>,
}

#[derive(Serialize)]
struct Exported {
    version: u32,
    from: i64,
    to: i64,
    gateways: Vec<Gateway>,
}

#[derive(Serialize)]
struct Gateway {
    name: String,
    /// 0 to 1.
    uptime: Option<f64>,
    /// Length of a stretch in milliseconds; 0: look by look.
    resolution: i64,
    points: Vec<Point>,
    incidents: Vec<Incident>,
    heals: Vec<HealRecord>,
}

#[derive(Serialize)]
struct Incident {
    #[serde(flatten)]
    summary: IncidentSummary,
    timeline: Vec<Entry>,
}

pub(super) fn run(context: &Context, command: &Command) -> Result<Exit, Failure> {
    let Command::Export(export) = command;
    let to = clock::wall();
    let from = match &export.since {
        None => to - Level::Looks.kept(),
        Some(span) => {
            before(span, to).ok_or_else(|| Failure::Said(CommandPhrase::NotASpan(span.clone()), Exit::Usage))?
        }
    };
    let history = History::look(&context.paths.state_dir, boot_id()).map_err(|error| unreadable(&error))?;
    let exported = collect(&history, export.gateway.as_deref(), from, to).map_err(|error| unreadable(&error))?;
    if exported.gateways.is_empty() {
        let phrase = export.gateway.clone().map_or(CommandPhrase::NoHistory, CommandPhrase::NoSuchGateway);
        return Err(Failure::Said(phrase, Exit::Bad));
    }
    if export.json {
        context.line(&serde_json::to_string(&exported).map_err(|error| unreadable(&error.into()))?)?;
    } else {
        context.line(&csv(&exported))?;
    }
    Ok(Exit::Good)
}

fn unreadable(error: &HistoryError) -> Failure {
    Failure::Said(CommandPhrase::HistoryUnreadable(error.to_string()), Exit::Bad)
}

/// The moment that lies so far before `to` (Unix milliseconds): `7d`, `12h`, `2w`. A day has 24 h.
fn before(span: &str, to: i64) -> Option<i64> {
    let span: Span = span.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let length = i64::try_from(length.as_millis()).ok().filter(|length| *length > 0)?;
    Some(to.saturating_sub(length))
}

fn collect(history: &History, gateway: Option<&str>, from: i64, to: i64) -> Result<Exported, HistoryError> {
    let level = Level::reaching(from, to);
    let names = history.gateways()?.into_iter().filter(|name| gateway.is_none_or(|wanted| wanted == name));
    let gateways = names.map(|name| {
        let incidents = history.incidents(&name, from, to)?.into_iter().map(|summary| {
            let timeline = history.timeline(&name, summary.id)?;
            Ok(Incident { summary, timeline })
        });
        Ok(Gateway {
            uptime: history.uptime(&name, from, to, level)?.share(),
            resolution: level.length(),
            points: history.points(&name, from, to, level)?,
            incidents: incidents.collect::<Result<_, HistoryError>>()?,
            heals: history.heals(&name, from, to)?,
            name,
        })
    });
    Ok(Exported { version: VERSION, from, to, gateways: gateways.collect::<Result<_, HistoryError>>()? })
}

/// A line for each look or stretch. Names of gateways need no quotes.
fn csv(exported: &Exported) -> String {
    let mut lines = vec![
        "gateway,time,up_ms,down_ms,latency_us_least,latency_us_mean,latency_us_most,memory_bytes_least,\
         memory_bytes_mean,memory_bytes_most,processor_cores_least,processor_cores_mean,processor_cores_most,\
         files_least,files_mean,files_most"
            .to_owned(),
    ];
    for gateway in &exported.gateways {
        for point in &gateway.points {
            let time = Timestamp::from_millisecond(point.at).unwrap_or(Timestamp::UNIX_EPOCH);
            let mut cells = vec![gateway.name.clone(), time.to_string(), point.up.to_string(), point.down.to_string()];
            cells.extend(spread(point.latency));
            cells.extend(spread(point.memory));
            cells.extend(spread(point.processor));
            cells.extend(spread(point.files));
            lines.push(cells.join(","));
        }
    }
    lines.join("\n")
}

/// Three cells; empty where nothing was measured.
fn spread<T: ToString>(spread: Option<Spread<T>>) -> [String; 3] {
    spread
        .map_or_else(Default::default, |spread| [spread.least, spread.mean, spread.most].map(|value| value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_reaches_back_from_now() {
        let hour = 3_600_000;
        assert_eq!(before("7d", 1_000 * hour), Some((1_000 - 7 * 24) * hour));
        assert_eq!(before("12h", 1_000 * hour), Some(988 * hour));
        assert_eq!(before("yesterday", 0), None);
        assert_eq!(before("-1h", 0), None);
    }
}
