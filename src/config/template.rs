//! A configuration file to begin with: every key with its default and its meaning, all of it commented out.
//!
//! It is made of the tables in `docs/config.md`, so that there is one description of each key.

use std::fmt::Write;

/// The document that describes every key.
const DOCUMENT: &str = include_str!("../../docs/config.md");

/// The text of a new configuration file.
#[must_use]
pub fn template() -> String {
    let mut text = String::from(
        "# Lifeguard's configuration. No line is needed: what is commented out is the default.\n\
         # What each key is for is told at length in docs/config.md. Check this file: lifeguard config check\n",
    );
    let mut section = None;
    for line in DOCUMENT.lines() {
        if let Some(heading) = line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')) {
            section = opening(heading);
        } else if let (Some(opening), Some(row)) = (section, line.strip_prefix("| `")) {
            // The first row of a table opens its section.
            if !opening.is_empty() && !text.contains(&format!("\n# {opening}\n")) {
                let _ = write!(text, "\n# {opening}\n");
            }
            describe(&mut text, row);
        }
    }
    text
}

/// How the section of a heading is opened in a file; `None` if the heading is not about one.
fn opening(heading: &str) -> Option<&str> {
    match heading {
        "At the top" => Some(""),
        _ => heading.strip_prefix('`')?.strip_suffix('`').filter(|name| name.starts_with('[')),
    }
}

/// `key` | `default` | meaning |, as a commented line. A key without a default is shown by its meaning alone, and one
/// that opens a section of its own not at all.
fn describe(text: &mut String, row: &str) {
    let mut cells = row.splitn(3, '|').map(str::trim);
    let (Some(key), Some(default), Some(meaning)) = (cells.next(), cells.next(), cells.next()) else { return };
    let meaning = meaning.trim_end_matches('|').trim();
    let key = key.trim_end_matches('`');
    // A table may describe values instead.
    if !key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_') {
        return;
    }
    if default.is_empty()
        || meaning.ends_with(": below.")
        || meaning.starts_with("`[")
        || meaning.starts_with("One `[[")
    {
        return;
    }
    let _ = match default.strip_prefix('`').and_then(|value| value.strip_suffix('`')) {
        Some(value) => writeln!(text, "# {key} = {value}  # {meaning}"),
        None => writeln!(text, "# {key}: {default}. {meaning}"),
    };
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::config::environment::Environment;
    use crate::config::load::parse;

    #[test]
    fn what_is_commented_out_is_the_default() {
        let text = template();
        let uncommented = text.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| {
            let begins = line.split([' ', '=']).next().unwrap_or_default();
            line.starts_with('[')
                || (line.contains(" = ") && begins.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'))
        });
        let text = uncommented.collect::<Vec<_>>().join("\n");
        assert!(text.contains("[probe]\ninterval = \"10s\""), "{text}");
        assert!(text.matches(" = ").count() > 30, "{text}");
        let mut config = parse(&text, Path::new("config.toml"), &Environment::default()).unwrap();
        // The template names a gateway, which is the one that is watched without any.
        assert_eq!(config.watched(), Config::default().watched());
        config.gateways.clear();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn as_it_stands_it_changes_nothing() {
        let config = parse(&template(), Path::new("config.toml"), &Environment::default()).unwrap();
        assert_eq!(config, Config::default());
    }
}
