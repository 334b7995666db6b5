//! What an older watchdog of scripts has left: its `.env`, which is read and never run, and its crash counter.
//!
//! The places and names are those of Ramsbaby/openclaw-self-healing, versions 1 to 4.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Where its settings may be, below the home folder; the one that its installer writes goes first.
const SETTINGS: [&str; 2] = [".openclaw/.env", "openclaw/.env"];

/// What it has counted, below the home folder.
const COUNTER: &str = ".openclaw/watchdog/crash-counter";

/// When it counted last, in Unix seconds, below the home folder.
const COUNTED: &str = ".openclaw/watchdog/crash-timestamp";

/// Stands in every value of its example file that a person is to replace.
const EXAMPLE: &str = "YOUR_";

/// A value in a `.env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// It stands there.
    Text(String),
    /// Only a shell could say what it is.
    Computed,
}

/// Its settings, as they stand in one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// The file.
    pub(super) file: PathBuf,
    values: Vec<(String, Value)>,
}

impl Settings {
    /// What the variable was set to last; what is empty, or still the example's own text, counts as not set.
    pub(super) fn get(&self, variable: &str) -> Option<&Value> {
        let (_, value) = self.values.iter().rev().find(|(name, _)| name == variable)?;
        match value {
            Value::Text(text) if text.is_empty() || text.contains(EXAMPLE) => None,
            value => Some(value),
        }
    }
}

/// Its settings in this home folder; `None` if there are none.
pub(super) fn settings(home: &Path) -> io::Result<Option<Settings>> {
    for place in SETTINGS {
        let file = home.join(place);
        if let Some(text) = read(&file)? {
            return Ok(Some(Settings { file, values: parse(&text) }));
        }
    }
    Ok(None)
}

/// What it has counted, and how long ago it did so last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) crashes: u32,
    pub(super) ago: Duration,
}

/// Its crash counter in this home folder; `None` if there is none, it stands at zero, or it is no number.
pub(super) fn counted(home: &Path, now: SystemTime) -> io::Result<Option<Counted>> {
    let file = home.join(COUNTER);
    let Some(crashes) = read(&file)?.and_then(|text| text.trim().parse().ok()).filter(|crashes| *crashes > 0) else {
        return Ok(None);
    };
    let stamp = read(&home.join(COUNTED))?.and_then(|text| text.trim().parse().ok());
    let last = match stamp.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds))) {
        Some(last) => last,
        None => file.metadata()?.modified()?,
    };
    Ok(Some(Counted { crashes, ago: now.duration_since(last).unwrap_or_default() }))
}

/// A small text file; `None` if it is not there.
fn read(file: &Path) -> io::Result<Option<String>> {
    // A pipe would be waited for without an end.
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Assignments of plain values, one a line, as `source` would take them.
fn parse(text: &str) -> Vec<(String, Value)> {
    let assignments = text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, rest) = line.split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| (name.to_owned(), value(rest)))
    });
    assignments.collect()
}

/// The value behind the equals sign: quoted parts and plain ones, up to the first space outside of quotes.
fn value(rest: &str) -> Value {
    let mut text = String::new();
    let mut letters = rest.chars();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some('\''), letter) => text.push(letter),
            (_, '$' | '`') => return Value::Computed,
            (Some(_), '\\') => match letters.next() {
                Some(escaped @ ('$' | '`' | '"' | '\\')) => text.push(escaped),
                Some(other) => text.extend(['\\', other]),
                None => return Value::Computed,
            },
            (Some(_), letter) => text.push(letter),
            (None, '\'' | '"') => quote = Some(letter),
            (None, '\\') => match letters.next() {
                Some(escaped) => text.push(escaped),
                None => return Value::Computed,
            },
            (None, letter) if letter.is_whitespace() || letter == ';' => break,
            // A command follows, or the line is not what it seems.
            (None, '(' | ')' | '&' | '|' | '<' | '>') => return Value::Computed,
            (None, letter) => text.push(letter),
        }
    }
    // A value that goes on in the next line.
    if quote.is_some() { Value::Computed } else { Value::Text(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(home: &Path, place: &str, text: &str) {
        let file = home.join(place);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    #[test]
    fn assignments_are_read_as_a_shell_reads_plain_ones() {
        for (line, expected) in [
            ("A=plain", "plain"),
            ("A=plain # a remark", "plain"),
            ("export A=\"https://x.org/a?b=c&d\"", "https://x.org/a?b=c&d"),
            ("A='it costs $5'", "it costs $5"),
            (r#"A="say \"hi\" \n""#, r#"say "hi" \n"#),
            (r"A=a\ b", "a b"),
            ("A=one\nA=two", "two"),
            ("A=x#y", "x#y"),
        ] {
            let settings = Settings { file: PathBuf::new(), values: parse(line) };
            assert_eq!(settings.get("A"), Some(&Value::Text(expected.to_owned())), "{line}");
        }
    }

    #[test]
    fn nothing_is_computed() {
        for line in ["A=$(touch /tmp/x)", "A=`id`", "A=\"$HOME/x\"", "A=\"open", "A=x|y", "A=x>y"] {
            let settings = Settings { file: PathBuf::new(), values: parse(line) };
            assert_eq!(settings.get("A"), Some(&Value::Computed), "{line}");
        }
        for line in ["# A=1", "A", "A =1", "rm -rf A=1", "A=", "A=\"\"", "A=https://x.org/YOUR_ID"] {
            let settings = Settings { file: PathBuf::new(), values: parse(line) };
            assert_eq!(settings.get("A"), None, "{line}");
        }
    }

    #[test]
    fn the_installers_file_goes_first_and_none_is_none() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(settings(home.path()).unwrap(), None);
        write(home.path(), "openclaw/.env", "A=old");
        write(home.path(), ".openclaw/.env", "A=new");
        let found = settings(home.path()).unwrap().unwrap();
        assert_eq!(found.get("A"), Some(&Value::Text("new".to_owned())));
        assert!(found.file.ends_with(".openclaw/.env"));
    }

    #[test]
    fn the_counter_is_as_old_as_its_stamp_or_its_file() {
        let home = tempfile::tempdir().unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        assert_eq!(counted(home.path(), now).unwrap(), None);
        for text in ["0\n", "", "-3", "many", "99999999999999"] {
            write(home.path(), COUNTER, text);
            assert_eq!(counted(home.path(), now).unwrap(), None, "{text}");
        }
        write(home.path(), COUNTER, "4\n");
        let file = std::fs::File::options().write(true).open(home.path().join(COUNTER)).unwrap();
        file.set_modified(now - Duration::from_secs(90)).unwrap();
        assert_eq!(counted(home.path(), now).unwrap().unwrap().ago, Duration::from_secs(90));
        write(home.path(), COUNTED, "3999999000\n");
        let found = counted(home.path(), now).unwrap();
        assert_eq!(found, Some(Counted { crashes: 4, ago: Duration::from_secs(1_000) }));
    }

    proptest! {
        #[test]
        fn no_file_is_too_odd(text in "[A=$`'\"\\\\# \\n;|xé]{0,60}") {
            for (name, _) in parse(&text) {
                prop_assert!(!name.is_empty());
            }
        }
    }
}
