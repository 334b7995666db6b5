//! `lifeguard logs [gateway|watchdog] [-n 50] [-f] [--since 1h]`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

use super::Exit;
use super::context::{Context, Failure};
use super::painter::Painter;
use super::tail::{News, Tail};
use crate::config::discovery::discover;
use crate::logs::read;
use crate::text::Phrase;
use crate::text::command::CommandPhrase;

/// How often to look for more.
const LOOK: Duration = Duration::from_millis(250);
/// After so many looks, to ask again where the log is: a new day's log has another name.
const LOOKS_PER_PLACE: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(default_value = "gateway", hide_possible_values = true, hide_default_value = true)]
    source: Source,
    #[arg(long, short = 'n', default_value_t = 50, hide_default_value = true, value_name = "LINES")]
    lines: usize,
    #[arg(long, short)]
    follow: bool,
    #[arg(long, value_name = "WHEN", conflicts_with = "lines")]
    since: Option<String>,
    #[arg(long, short, value_name = "GATEWAY")]
    gateway: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    Gateway,
    Watchdog,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let since = arguments.since.as_deref().map(|text| {
        moment(text, Timestamp::now())
            .ok_or_else(|| Failure::Said(CommandPhrase::NotAMoment(text.to_owned()), Exit::Usage))
    });
    let since = since.transpose()?;
    let path = locate(context, arguments)?;
    let mut stdout = Painter::new(io::stdout().lock(), context.output);
    let mut tail = if let Some(since) = since {
        let mut tail = Tail::open_whole(&path).map_err(|cause| unreadable(&path, &cause))?;
        read::parts_since(&path, since, &mut stdout).map_err(Failure::Output)?;
        tail.copy_since(since, &mut stdout).map_err(Failure::Output)?;
        tail
    } else {
        let (mut tail, missing) = Tail::open(&path, arguments.lines).map_err(|cause| unreadable(&path, &cause))?;
        let older = read::last_of_parts(&path, missing).map_err(|cause| unreadable(&path, &cause))?;
        stdout.write_all(&older).map_err(Failure::Output)?;
        tail.copy(&mut stdout).map_err(Failure::Output)?;
        tail
    };
    let mut current = path;
    for look in 1_usize.. {
        if !arguments.follow {
            break;
        }
        std::thread::sleep(LOOK);
        if look.is_multiple_of(LOOKS_PER_PLACE) {
            // While nobody can tell, the log that is open goes on.
            current = locate(context, arguments).unwrap_or(current);
        }
        match tail.follow(&current, &mut stdout).map_err(Failure::Output)? {
            News::Same => {}
            News::Rotated(file) => {
                let note = CommandPhrase::LogRotated(file.display().to_string());
                context.output.complaint(&note.say(context.language));
            }
        }
    }
    Ok(Exit::Good)
}

/// `1h`, `30m`, or a time such as `2026-11-26T22:00:00Z`, in Unix milliseconds.
fn moment(text: &str, now: Timestamp) -> Option<i64> {
    if let Ok(length) = text.parse::<SignedDuration>() {
        return Some(now.checked_sub(length).ok()?.as_millisecond()).filter(|_| length.is_positive());
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Where the log is now: as the Lifeguard that runs says, or as discovery finds.
fn locate(context: &Context, arguments: &Arguments) -> Result<PathBuf, Failure> {
    if arguments.source == Source::Watchdog {
        return Ok(context.paths.log_file());
    }
    let wanted = |name: &str| arguments.gateway.as_deref().is_none_or(|gateway| gateway == name);
    let running = Context::runtime()?.block_on(context.client()?.snapshot()).ok();
    let log = if let Some(snapshot) = running {
        snapshot.gateways.into_iter().find(|gateway| wanted(&gateway.name)).map(|gateway| gateway.log)
    } else {
        let watched = context.config()?.watched();
        watched.iter().find(|gateway| wanted(&gateway.name)).map(|gateway| discover(gateway, &context.environment).log)
    };
    let log = log.ok_or_else(|| {
        Failure::Said(CommandPhrase::NoSuchGateway(arguments.gateway.clone().unwrap_or_default()), Exit::Bad)
    })?;
    log.ok_or(Failure::Said(CommandPhrase::LogUnknown, Exit::Bad))
}

fn unreadable(path: &Path, cause: &io::Error) -> Failure {
    let file = path.display().to_string();
    let phrase = if cause.kind() == io::ErrorKind::NotFound {
        CommandPhrase::NoLog(file)
    } else {
        CommandPhrase::LogUnreadable { file, cause: cause.to_string() }
    };
    Failure::Said(phrase, Exit::Bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_length_ago_or_a_time() {
        let now = Timestamp::from_second(10_000).unwrap();
        assert_eq!(moment("1h", now), Some(6_400_000));
        assert_eq!(moment("1h 30m", now), Some(4_600_000));
        assert_eq!(moment("1970-01-01T00:00:05Z", now), Some(5_000));
        for text in ["", "soon", "-1h", "0s", "15"] {
            assert_eq!(moment(text, now), None, "{text}");
        }
    }
}
