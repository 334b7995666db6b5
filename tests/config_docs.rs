//! `docs/config.md` and the types say the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use lifeguard::config::Config;
use lifeguard::config::environment::Environment;
use lifeguard::config::load::parse;
use lifeguard::text::config::ConfigProblem;

const DOCUMENT: &str = include_str!("../docs/config.md");

/// Each heading of the document, and how its table is opened in the file.
const SECTIONS: [(&str, &str); 18] = [
    ("## At the top", ""),
    ("## `[[gateway]]`", "[[gateway]]\n"),
    ("### `[gateway.needs]`", "[[gateway]]\n[gateway.needs]\n"),
    ("## `[probe]`", "[probe]\n"),
    ("## `[heal]`", "[heal]\n"),
    ("## `[memory]`", "[memory]\n"),
    ("## `[alerts]`", "[alerts]\n"),
    ("### `[alerts.native]`", "[alerts.native]\n"),
    ("### `[alerts.discord]`", "[alerts.discord]\n"),
    ("### `[alerts.slack]`", "[alerts.slack]\n"),
    ("### `[alerts.telegram]`", "[alerts.telegram]\n"),
    ("### `[alerts.ntfy]`", "[alerts.ntfy]\n"),
    ("### `[alerts.webhook]`", "[alerts.webhook]\n"),
    ("### `[alerts.report]`", "[alerts.report]\n"),
    ("## `[deadman]`", "[deadman]\n"),
    ("## `[web]`", "[web]\n"),
    ("## `[history]`", "[history]\n"),
    ("## `[tray]`", "[tray]\n"),
];

/// Rows of a section's table: key and default, each as written.
fn rows(heading: &str) -> Vec<(String, String)> {
    let begin =
        DOCUMENT.find(&format!("{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}")) + heading.len();
    let section = &DOCUMENT[begin..];
    let section = &section[..section.find("\n#").unwrap_or(section.len())];
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).skip(1);
        (cells.next().unwrap(), cells.next().unwrap())
    })
    .collect()
}

fn check(text: &str) -> Result<Config, lifeguard::config::load::LoadError> {
    parse(text, Path::new("config.toml"), &Environment::default().with([("HOME", "/home/kim")]))
}

/// The keys that the types know: the parser lists them when it meets one that it does not know.
fn known(opening: &str) -> BTreeSet<String> {
    let error = check(&format!("{opening}no_such_key = 1\n")).unwrap_err();
    match &error.problems[0].problem {
        ConfigProblem::UnknownKey { known, .. } => known.iter().cloned().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_is_documented_and_no_other() {
    for (heading, opening) in SECTIONS {
        let documented: BTreeSet<String> = rows(heading).into_iter().map(|(key, _)| key).collect();
        assert_eq!(documented, known(opening), "{heading}");
    }
    let headings = DOCUMENT.lines().filter(|line| line.starts_with("## ") || line.starts_with("### ")).count();
    assert_eq!(headings, SECTIONS.len());
}

#[test]
fn every_default_is_documented_as_it_is() {
    // Where a section has a default for each of its keys, the documented defaults give the default configuration.
    let mut text = String::new();
    for (heading, opening) in SECTIONS {
        // The gateway's own tables belong to the one that is open already.
        text.push_str(if text.contains("[[gateway]]") { opening.trim_start_matches("[[gateway]]\n") } else { opening });
        let values = rows(heading)
            .into_iter()
            .filter(|(_, default)| default.starts_with(['"', '[', '{', 't', 'f']) || default.parse::<u64>().is_ok());
        for (key, default) in values.filter(|(_, default)| default != "found" && default != "the webhook's own") {
            let _ = writeln!(text, "{key} = {default}");
        }
    }
    let config = check(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(text.lines().count() > 30, "{text}");
    let expected = Config { gateways: Config::default().watched(), ..Config::default() };
    assert_eq!(config, expected);
}

#[test]
fn the_example_is_taken_as_far_as_its_secret() {
    let example = DOCUMENT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let error = check(example).unwrap_err();
    assert!(
        matches!(&error.problems[..], [problem] if matches!(problem.problem, ConfigProblem::NoSecret(_))),
        "{error}"
    );
}
