//! Reading the file, and telling of every problem in it at once: where, what, and what to do.

use std::fmt::{self, Write};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::Config;
use super::environment::Environment;
use super::paths::Paths;
use super::validate::validate;
use crate::text::config::{ConfigProblem, ConfigTrouble};
use crate::text::{Language, Phrase};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// More problems than anybody reads at once.
const MOST_PROBLEMS: usize = 50;

/// Reads and checks the configuration. A file that nobody named need not exist.
pub fn load(paths: &Paths, environment: &Environment) -> Result<Config, LoadError> {
    let file = &paths.config_file;
    let trouble = |trouble| LoadError { file: file.clone(), trouble, problems: Vec::new() };
    let unreadable = |cause: io::Error| trouble(ConfigTrouble::Unreadable(cause.to_string()));
    let mut bytes = Vec::new();
    match std::fs::File::open(file) {
        Ok(opened) => {
            opened.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !paths.config_named => {}
        Err(cause) => return Err(unreadable(cause)),
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(trouble(ConfigTrouble::TooLarge));
    }
    let text = String::from_utf8(bytes).map_err(|_| trouble(ConfigTrouble::NotText))?;
    parse(&text, file, environment)
}

/// Checks a configuration that has been read from `file` already.
pub fn parse(text: &str, file: &Path, environment: &Environment) -> Result<Config, LoadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut table, broken) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = broken
        .iter()
        .map(|error| Problem::at(text, error.span(), ConfigProblem::Syntax(error.message().to_owned())))
        .collect();
    if !problems.is_empty() {
        // What the parser made of the rest is a guess, and so would be any complaint about it.
        problems.truncate(MOST_PROBLEMS);
        let trouble = ConfigTrouble::Problems(problems.len());
        return Err(LoadError { file: file.to_owned(), trouble, problems });
    }
    let mut config = loop {
        match Config::deserialize(Deserializer::from(table.clone())) {
            Ok(config) => break config,
            Err(error) => {
                // The parser stops at the first problem: without the part that it named, it finds the next one.
                let removed = error.span().and_then(|span| remove(table.get_mut(), &span));
                let key = removed.clone().unwrap_or_default();
                problems.push(Problem::at(text, error.span(), understand(error.message(), key)));
                if removed.is_none() || problems.len() >= MOST_PROBLEMS {
                    break Config::default();
                }
            }
        }
    };
    for (path, problem) in validate(&mut config, environment) {
        problems.push(Problem::at(text, locate(table.get_ref(), &path), problem));
    }
    if problems.is_empty() {
        return Ok(config);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    let trouble = ConfigTrouble::Problems(problems.len());
    Err(LoadError { file: file.to_owned(), trouble, problems })
}

/// Removes the entry of the table that lies at `span`, or whose list has an element there; its key, if there was one.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let lies_here = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::Array(array) => array.iter().any(|element| element.span() == *span),
        _ => false,
    };
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span || lies_here(value));
    if let Some(key) = found.map(|(key, _)| key.clone()) {
        table.remove(&key);
        return Some(key.into_inner().into_owned());
    }
    table.iter_mut().find_map(|(_, value)| match value.get_mut() {
        DeValue::Table(table) => remove(table, span),
        DeValue::Array(array) => array.iter_mut().find_map(|element| match element.get_mut() {
            DeValue::Table(table) => remove(table, span),
            _ => None,
        }),
        _ => None,
    })
}

/// Where the value at `path` lies; where its nearest parent lies if it was left out.
fn locate(table: &DeTable<'_>, path: &[String]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (_, value) = table.iter().find(|(key, _)| key.get_ref().as_ref() == first.as_str())?;
    locate_value(value, rest)
}

fn locate_value(value: &Spanned<DeValue<'_>>, path: &[String]) -> Option<Range<usize>> {
    let inner = match (value.get_ref(), path.split_first()) {
        (DeValue::Table(table), Some(_)) => locate(table, path),
        (DeValue::Array(array), Some((index, rest))) => {
            index.parse::<usize>().ok().and_then(|index| array.get(index)).and_then(|value| locate_value(value, rest))
        }
        _ => None,
    };
    inner.or_else(|| Some(value.span()))
}

/// Serde's message as a problem of ours. Serde lists the known keys and words itself, in backticks.
fn understand(message: &str, key: String) -> ConfigProblem {
    let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
    if message.starts_with("unknown field ") {
        return ConfigProblem::UnknownKey { key: quoted.next().unwrap_or(key), known: quoted.collect() };
    }
    if message.starts_with("unknown variant ") {
        return ConfigProblem::UnknownWord { word: quoted.next().unwrap_or_default(), known: quoted.collect() };
    }
    ConfigProblem::WrongValue { key, detail: without_strings(message.trim()) }
}

/// Serde quotes a string that it did not expect; it may be a secret in the wrong place.
fn without_strings(message: &str) -> String {
    let Some((before, rest)) = message.split_once(" string \"") else { return message.to_owned() };
    let after = rest.rsplit_once('"').map_or("", |(_, after)| after);
    format!("{before} text{after}")
}

/// One problem, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; `None` if the problem has no place.
    pub line: Option<usize>,
    /// Column in letters, from 1.
    pub column: usize,
    /// How many letters of the line are concerned.
    pub width: usize,
    /// The line itself; withheld where it may hold a secret.
    pub excerpt: Option<String>,
    /// What is wrong.
    pub problem: ConfigProblem,
}

impl Problem {
    fn at(text: &str, span: Option<Range<usize>>, problem: ConfigProblem) -> Self {
        let Some(span) = span else {
            return Self { line: None, column: 1, width: 1, excerpt: None, problem };
        };
        let start = text.floor_char_boundary(span.start);
        let before = text.get(..start).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(begin..).unwrap_or_default().lines().next().unwrap_or_default();
        let end = text.floor_char_boundary(span.end.min(begin + line.len())).max(start);
        let width = text.get(start..end).unwrap_or_default().chars().count().max(1);
        Self {
            line: Some(before.matches('\n').count() + 1),
            column: text.get(begin..start).unwrap_or_default().chars().count() + 1,
            width,
            excerpt: (!may_hold_secret(line)).then(|| line.to_owned()),
            problem,
        }
    }
}

/// Whether a line of the file may hold a secret: it is not quoted then, for errors land in logs and in chats.
fn may_hold_secret(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    ["alerts", "discord", "webhook", "token", "password", "secret", "://"].iter().any(|sign| line.contains(sign))
}

/// Why there is no configuration. Printed, it is the English text; [`Phrase::say`] has both languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    /// The file.
    pub file: PathBuf,
    /// What happened.
    pub trouble: ConfigTrouble,
    /// Every problem that was found in it, in the order of the file.
    pub problems: Vec<Problem>,
}

impl LoadError {
    /// In one line: what happened, and the first problem.
    #[must_use]
    pub fn brief(&self, language: Language) -> String {
        let whole = self.say(language);
        let lines = whole.lines().filter(|line| !line.is_empty()).take(2).map(str::trim);
        lines.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.say(Language::English))
    }
}

impl Phrase for LoadError {
    fn say(&self, language: Language) -> String {
        let mut text = format!("{}: {}", self.file.display(), self.trouble.say(language));
        for problem in &self.problems {
            text.push_str("\n\n");
            text.push_str(&problem.say(language));
        }
        text
    }
}

impl Phrase for Problem {
    fn say(&self, language: Language) -> String {
        let mut text = String::new();
        if let Some(line) = self.line {
            let _ = match language {
                Language::English => write!(text, "line {line}, column {}: ", self.column),
                Language::Korean => write!(text, "{line}행 {}열: ", self.column),
            };
        }
        text.push_str(&self.problem.say(language));
        if let (Some(line), Some(excerpt)) = (self.line, &self.excerpt) {
            let number = line.to_string();
            let gutter = " ".repeat(number.len());
            // Tabs stay tabs so that the mark below stands where the terminal puts the text.
            let indent: String =
                excerpt.chars().take(self.column - 1).map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
            let _ = write!(text, "\n  {number} | {excerpt}\n  {gutter} | {indent}{}", "^".repeat(self.width));
        }
        if let Some(hint) = self.problem.hint(language) {
            let _ = write!(text, "\n  {hint}");
        }
        text
    }
}
