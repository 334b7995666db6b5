//! The end of the gateway's log, fit to be shown.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::{LARGEST_FILE, end_of};
use crate::redact::redact;

/// Last lines of a log, without secrets and control characters, at most [`LARGEST_FILE`] bytes of it; of what lies before
/// `end`, if that is given.
pub(super) fn tail(path: &Path, lines: usize, end: Option<u64>) -> io::Result<String> {
    let mut file = File::open(path)?;
    let most = u64::try_from(LARGEST_FILE).unwrap_or(u64::MAX);
    let length = file.metadata()?.len();
    let length = end.map_or(length, |end| end.min(length));
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most.min(length)).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // What the beginning of the window cut in two may be half a secret.
    let whole = if length > most { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let clean = printable(&redact(whole));
    let all: Vec<&str> = clean.lines().collect();
    let mut last = all[all.len().saturating_sub(lines)..].join("\n");
    last.push('\n');
    Ok(end_of(&last, LARGEST_FILE).to_owned())
}

/// Text without terminal sequences and other control characters; line breaks and tabs stay.
pub(super) fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' && letters.next_if_eq(&'[').is_some() {
            // A sequence ends with its first letter (ECMA-48, 5.4: a byte from 0x40 on).
            while letters.next().is_some_and(|letter| !('\u{40}'..='\u{7e}').contains(&letter)) {}
        } else if !letter.is_control() || matches!(letter, '\n' | '\t') {
            clean.push(letter);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_line_is_cut_and_a_half_line_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let endless = format!("{}\nlast\n", "x".repeat(2 * LARGEST_FILE));
        std::fs::write(&path, endless).unwrap();
        assert_eq!(tail(&path, 200, None).unwrap(), "last\n");
        std::fs::write(&path, "가\n".repeat(LARGEST_FILE)).unwrap();
        assert_eq!(tail(&path, 3, None).unwrap(), "가\n가\n가\n");
        assert!(tail(&path, usize::MAX, None).unwrap().len() <= LARGEST_FILE);
    }

    #[test]
    fn what_was_written_after_the_mark_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "old\nlast of old\nnew\n").unwrap();
        assert_eq!(tail(&path, 200, Some(16)).unwrap(), "old\nlast of old\n");
        assert_eq!(tail(&path, 200, Some(9_999)).unwrap(), "old\nlast of old\nnew\n", "it has shrunk");
    }

    #[test]
    fn colours_and_bells_are_taken_out() {
        assert_eq!(printable("\u{1b}[1;31mred\u{1b}[0m\u{7}\tand\r\nmore\u{1b}"), "red\tand\nmore");
    }
}
