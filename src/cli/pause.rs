//! `lifeguard pause [15m | 1h | until 08:00]`: hands off for a while.

use jiff::civil::Time;
use jiff::{SignedDuration, ToSpan, Zoned};

use super::Exit;
use super::context::{Context, Failure};
use super::status::clock_time;
use crate::supervisor::event::Command;
use crate::text::command::CommandPhrase;

/// The longest pause: a year. Longer ones are typing mistakes.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(num_args = 0..)]
    when: Vec<String>,
    #[arg(long, short, value_name = "GATEWAY")]
    gateway: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    let now = Zoned::now();
    let until = end(&arguments.when, &now).map_err(|phrase| Failure::Said(phrase, Exit::Usage))?;
    let clock = until.map(|until| clock_time(until, now.timestamp().as_millisecond(), now.time_zone()));
    context.order(arguments.gateway, Command::Pause { until }, &CommandPhrase::Paused(clock))
}

/// When a pause that begins now ends (Unix milliseconds); `None`: when resumed.
pub(super) fn end(words: &[String], now: &Zoned) -> Result<Option<i64>, CommandPhrase> {
    let said = words.join(" ");
    let unclear = || CommandPhrase::NotAPause(said.clone());
    let words: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let end = match words.as_slice() {
        [] => return Ok(None),
        ["until", clock] => next(clock, now).ok_or_else(unclear)?,
        _ => {
            let length: SignedDuration = words.join(" ").parse().map_err(|_| unclear())?;
            if length < SignedDuration::from_secs(1) || length > LONGEST {
                return Err(CommandPhrase::PauseOutOfBounds);
            }
            now.checked_add(length).map_err(|_| CommandPhrase::PauseOutOfBounds)?
        }
    };
    Ok(Some(end.timestamp().as_millisecond()))
}

/// The next time that a clock shows this.
fn next(clock: &str, now: &Zoned) -> Option<Zoned> {
    let time = Time::strptime("%H:%M", clock).ok()?;
    let today = now.with().time(time).build().ok()?;
    if today > *now {
        return Some(today);
    }
    now.checked_add(1.day()).ok()?.with().time(time).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(words: &str) -> Result<Option<String>, CommandPhrase> {
        let now: Zoned = "2026-11-22T21:30:00+09:00[Asia/Seoul]".parse().unwrap();
        let words: Vec<String> = words.split_terminator('|').map(str::to_owned).collect();
        let end = end(&words, &now)?;
        Ok(end.map(|end| clock_time(end, now.timestamp().as_millisecond(), now.time_zone())))
    }

    #[test]
    fn a_length_or_a_time_of_day_is_understood() {
        assert_eq!(pause(""), Ok(None));
        assert_eq!(pause("15m"), Ok(Some("21:45".to_owned())));
        assert_eq!(pause("1h|30m"), Ok(Some("23:00".to_owned())));
        assert_eq!(pause("1h 30m"), Ok(Some("23:00".to_owned())));
        assert_eq!(pause("until|23:05"), Ok(Some("23:05".to_owned())));
        assert_eq!(pause("until|08:00"), Ok(Some("2026-11-23 08:00".to_owned())));
        assert_eq!(pause("until 21:30"), Ok(Some("2026-11-23 21:30".to_owned())));
    }

    #[test]
    fn anything_else_is_told() {
        for words in ["soon", "until", "until|25:00", "15", "until|08:00|x"] {
            assert!(matches!(pause(words), Err(CommandPhrase::NotAPause(_))), "{words}");
        }
        for words in ["0s", "9000h", "-5m"] {
            assert_eq!(pause(words), Err(CommandPhrase::PauseOutOfBounds), "{words}");
        }
    }

    #[test]
    fn the_day_of_a_clock_change_is_no_trap() {
        let now: Zoned = "2026-03-07T22:00:00-05:00[America/New_York]".parse().unwrap();
        let end = next("08:00", &now).unwrap();
        assert_eq!(end.to_string(), "2026-03-08T08:00:00-04:00[America/New_York]");
    }
}
