//! Reading a log and its old parts as one.

use std::io::{self, Read, Write};
use std::path::Path;

use jiff::Timestamp;

use super::{open_part, parts, put_away};

/// The last `lines` lines of a log's old parts, in order. Where the newest part ends in the middle of a line, which
/// goes on in the log itself, that piece comes on top.
pub fn last_of_parts(log: &Path, lines: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for part in parts(log).iter().rev() {
        if lines == 0 || breaks(&text).nth(lines).is_some() {
            break;
        }
        let mut older = Vec::new();
        open_part(part)?.read_to_end(&mut older)?;
        older.append(&mut text);
        text = older;
    }
    let wanted = lines.saturating_add(usize::from(!text.ends_with(b"\n")));
    let begin = breaks(&text).filter(|begin| *begin < text.len()).nth(wanted - 1).unwrap_or(0);
    Ok(text.split_off(begin))
}

/// Where lines begin, from the last one on.
fn breaks(text: &[u8]) -> impl Iterator<Item = usize> {
    text.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place + 1)
}

/// What a log's old parts hold since a moment (Unix milliseconds).
pub fn parts_since(log: &Path, since: i64, output: &mut impl Write) -> io::Result<()> {
    for part in parts(log).iter().filter(|part| put_away(part).is_some_and(|end| end >= since)) {
        let mut text = Vec::new();
        open_part(part)?.read_to_end(&mut text)?;
        output.write_all(from(&text, since))?;
    }
    Ok(())
}

/// The length of a part, uncompressed.
pub fn length(part: &Path) -> io::Result<u64> {
    io::copy(&mut open_part(part)?, &mut io::sink())
}

/// What a part holds from this byte on.
pub fn rest_of(part: &Path, begin: u64) -> io::Result<Vec<u8>> {
    let mut source = open_part(part)?;
    io::copy(&mut Read::take(&mut source, begin), &mut io::sink())?;
    let mut text = Vec::new();
    source.read_to_end(&mut text)?;
    Ok(text)
}

/// The lines from the first one on that is not older than `since`. A line without a time belongs to the one before it.
#[must_use]
pub fn from(text: &[u8], since: i64) -> &[u8] {
    let mut begin = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if time_of(&String::from_utf8_lossy(line)).is_some_and(|time| time >= since) {
            return &text[begin..];
        }
        begin += line.len();
    }
    &[]
}

/// When a line was written, in Unix milliseconds: Lifeguard's own form, OpenClaw's on its console, or a JSON line.
#[must_use]
pub fn time_of(line: &str) -> Option<i64> {
    let first = line.split_whitespace().next()?.trim_matches(['[', ']']);
    let parse = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    parse(first).or_else(|| {
        let keys = ["\"time\":\"", "\"timestamp\":\"", "\"date\":\""];
        let (_, rest) = keys.iter().find_map(|key| line.split_once(key))?;
        parse(rest.split('"').next()?)
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::logs::{name_of_part, pack};

    /// A log with two old parts.
    fn log(folder: &Path) -> PathBuf {
        let log = folder.join("log");
        let part = |now, text: &str| {
            let name = PathBuf::from(format!("{}.gz", name_of_part(&log, now).display()));
            pack(&mut text.as_bytes(), &name).unwrap();
        };
        part(1_000, "1970-01-01T00:00:00Z a\n1970-01-01T00:00:00.5Z b\n  more of b\n");
        part(3_000, "1970-01-01T00:00:02Z c\n1970-01-01T00:00:02.5Z d\n");
        log
    }

    #[test]
    fn the_last_lines_are_found_across_parts() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        let last = |lines| String::from_utf8(last_of_parts(&log, lines).unwrap()).unwrap();
        assert_eq!(last(0), "");
        assert_eq!(last(1), "1970-01-01T00:00:02.5Z d\n");
        assert_eq!(last(3), "  more of b\n1970-01-01T00:00:02Z c\n1970-01-01T00:00:02.5Z d\n");
        assert_eq!(last(100).lines().count(), 5);
    }

    #[test]
    fn lines_since_a_moment_are_found_across_parts() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        let since = |since| {
            let mut text = Vec::new();
            parts_since(&log, since, &mut text).unwrap();
            String::from_utf8(text).unwrap()
        };
        assert_eq!(since(2_200), "1970-01-01T00:00:02.5Z d\n");
        assert_eq!(
            since(400),
            "1970-01-01T00:00:00.5Z b\n  more of b\n1970-01-01T00:00:02Z c\n1970-01-01T00:00:02.5Z d\n"
        );
        assert_eq!(since(9_000), "");
    }

    #[test]
    fn a_part_is_measured_and_read_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(folder.path());
        let part = &parts(&log)[1];
        assert_eq!(length(part).unwrap(), 48);
        assert_eq!(rest_of(part, 23).unwrap(), b"1970-01-01T00:00:02.5Z d\n");
    }

    #[test]
    fn the_times_of_lines() {
        let time = 1_795_348_800_123;
        for line in [
            "2026-11-22T12:00:00.123Z  INFO lifeguard: x",
            "2026-11-22T12:00:00.123456+00:00 [gateway] ready",
            "[2026-11-22T21:00:00.123+09:00] x",
            r#"{"0":"x","time":"2026-11-22T12:00:00.123Z","level":"INFO"}"#,
        ] {
            assert_eq!(time_of(line), Some(time), "{line}");
        }
        for line in ["", "    at Object.<anonymous>", "2026 was a good year"] {
            assert_eq!(time_of(line), None, "{line}");
        }
    }
}
