//! `lifeguard alerts test|list|retry|mute`: a real alert through each channel with a receipt; what was told; what waits.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::Exit;
use super::context::{Context, Failure};
use super::pause::end;
use super::status::clock_time;
use crate::history::History;
use crate::history::alerts::Passed;
use crate::platform::boot_id;
use crate::request::{Mute, Receipt};
use crate::text::command::CommandPhrase;
use crate::text::words::alert_kind;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Test(OfChannel),
    List(List),
    Retry(OfChannel),
    Mute(MuteFor),
}

#[derive(Debug, clap::Args)]
pub(super) struct MuteFor {
    #[arg(num_args = 0..)]
    when: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct OfChannel {
    channel: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[arg(long, short = 'n', value_name = "NUMBER", default_value_t = 20, hide_default_value = true)]
    lines: u32,
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Test(OfChannel { channel }) => {
            let receipts = Context::runtime()?.block_on(context.client()?.test_alerts(channel))?;
            say(context, receipts, CommandPhrase::Delivered)
        }
        Command::Retry(OfChannel { channel }) => {
            let receipts = Context::runtime()?.block_on(context.client()?.retry_alerts(channel))?;
            say(context, receipts, CommandPhrase::NothingWaits)
        }
        Command::List(List { lines }) => list(context, lines),
        Command::Mute(MuteFor { when }) => mute(context, &when),
    }
}

/// Disturbs nobody for a while; `off` ends it.
fn mute(context: &Context, when: &[String]) -> Result<Exit, Failure> {
    let now = Zoned::now();
    let mute = if when == ["off"] {
        None
    } else {
        Some(Mute { until: end(when, &now).map_err(|phrase| Failure::Said(phrase, Exit::Usage))? })
    };
    Context::runtime()?.block_on(context.client()?.mute_alerts(mute))?;
    let clock = |until| clock_time(until, now.timestamp().as_millisecond(), now.time_zone());
    context.say(&mute.map_or(CommandPhrase::Unmuted, |mute| CommandPhrase::Muted(mute.until.map(clock))))?;
    Ok(Exit::Good)
}

/// One line per receipt; `good` is the sentence for one without a problem.
fn say(context: &Context, receipts: Vec<Receipt>, good: fn(String) -> CommandPhrase) -> Result<Exit, Failure> {
    if receipts.is_empty() {
        return Err(Failure::Said(CommandPhrase::NothingToTest, Exit::Bad));
    }
    let mut exit = Exit::Good;
    for receipt in receipts {
        let phrase = match receipt.problem {
            None => good(receipt.channel),
            Some(problem) => {
                exit = Exit::Bad;
                CommandPhrase::NotDelivered { channel: receipt.channel, problem }
            }
        };
        context.say(&phrase)?;
    }
    Ok(exit)
}

/// The newest alerts and what became of each on each channel, from the history itself: also while nothing runs.
fn list(context: &Context, lines: u32) -> Result<Exit, Failure> {
    let unreadable = |error: crate::history::HistoryError| {
        Failure::Said(CommandPhrase::HistoryUnreadable(error.to_string()), Exit::Bad)
    };
    let history = History::look(&context.paths.state_dir, boot_id()).map_err(unreadable)?;
    let passed = history.passed(lines).map_err(unreadable)?;
    if passed.is_empty() {
        context.say(&CommandPhrase::NoAlerts)?;
    }
    let mut shown = None;
    for line in &passed {
        if shown != Some(line.alert.id) {
            shown = Some(line.alert.id);
            let at = Timestamp::from_millisecond(line.alert.happened).unwrap_or(Timestamp::UNIX_EPOCH);
            let at = at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S");
            let kind = alert_kind(&line.alert.kind, context.language);
            context.line(&format!("{at}  {}  {kind}", line.alert.gateway))?;
        }
        if let Some(text) = way(line) {
            context.say(&text)?;
        }
    }
    Ok(Exit::Good)
}

/// What became of an alert on one channel.
fn way(line: &Passed) -> Option<CommandPhrase> {
    Some(CommandPhrase::AlertWay {
        channel: line.channel.clone()?,
        status: line.status.clone()?,
        edit: line.edit,
        attempts: line.attempts,
        problem: line.problem.clone(),
    })
}
