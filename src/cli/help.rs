//! Help in the person's language: the texts come from `text/command.rs`, not from the types.

use std::ffi::OsString;

use clap::builder::Styles;
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Arguments;
use crate::config::LanguageChoice;
use crate::config::environment::Environment;
use crate::text::Language;
use crate::text::examples::EXAMPLES;
use crate::text::help::{HELP, HelpWord};

/// Examples that are longer do not push the others' remarks to the right.
const LONG: usize = 50;

/// The language to help in: it has to be known before the arguments are parsed.
pub(super) fn language(arguments: &[OsString], environment: &Environment) -> Language {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    let mut choice = LanguageChoice::Auto;
    while let Some(word) = words.next() {
        let named = if word == "--language" { words.next() } else { word.strip_prefix("--language=") };
        match named {
            Some("en") => choice = LanguageChoice::En,
            Some("ko") => choice = LanguageChoice::Ko,
            _ => {}
        }
    }
    choice.resolve(environment.locale())
}

/// The command line's definition with its help.
pub(super) fn command(language: Language) -> Command {
    let flag = |name: &'static str, short, action| Arg::new(name).long(name).short(short).action(action);
    let command = Arguments::command()
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(flag("help", 'h', ArgAction::Help).global(true))
        .arg(flag("version", 'V', ArgAction::Version))
        .styles(Styles::plain());
    with_help(command, "", language)
}

fn with_help(command: Command, place: &str, language: Language) -> Command {
    // What is hidden is not for people: it keeps the help of its definition.
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let names: Vec<String> = shown.map(|sub| sub.get_name().to_owned()).collect();
    let heading = |word: HelpWord| word.word(language);
    let template =
        format!("{{about-with-newline}}\n{}: {{usage}}\n\n{{all-args}}{{after-help}}", heading(HelpWord::Usage));
    let mut command = command
        .help_template(template)
        .subcommand_help_heading(heading(HelpWord::Commands))
        .subcommand_value_name("COMMAND")
        .mut_args(|argument| {
            let place = format!("{place}.{}", argument.get_id());
            let word = if argument.is_positional() { HelpWord::Arguments } else { HelpWord::Options };
            argument.help(text(&place, language)).help_heading(heading(word))
        });
    command = command.about(text(place, language));
    let examples = examples(place, language);
    let exit_codes = if place.is_empty() { HelpWord::ExitCodes.word(language) } else { "" };
    let below = [examples.as_str(), exit_codes].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
    if !below.is_empty() {
        command = command.after_help(below.join("\n\n"));
    }
    names.into_iter().fold(command, |command, name| {
        let below = if place.is_empty() { name.clone() } else { format!("{place} {name}") };
        command.mut_subcommand(name, |sub| with_help(sub, &below, language))
    })
}

/// The examples of a command, each with what it does.
fn examples(place: &str, language: Language) -> String {
    let Some((_, examples)) = EXAMPLES.iter().find(|(known, _)| *known == place) else { return String::new() };
    let widest = examples.iter().map(|(line, ..)| line.len()).filter(|length| *length < LONG).max().unwrap_or(0);
    let lines = examples.iter().map(|(line, english, korean)| {
        let gap = " ".repeat(widest.saturating_sub(line.len()));
        format!("  {line}{gap}  # {}", language.pick(english, korean))
    });
    let lines: Vec<String> = lines.collect();
    format!("{}:\n{}", HelpWord::Examples.word(language), lines.join("\n"))
}

fn text(place: &str, language: Language) -> &'static str {
    HELP.iter().find(|(known, ..)| *known == place).map_or("", |(_, english, korean)| language.pick(*english, *korean))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn places(command: &Command, place: &str, found: &mut BTreeSet<String>) {
        found.insert(place.to_owned());
        let join = |name: &str, sign: &str| format!("{place}{sign}{name}").trim_start().to_owned();
        found.extend(command.get_arguments().map(|argument| join(argument.get_id().as_str(), ".")));
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            places(sub, &join(sub.get_name(), " "), found);
        }
    }

    #[test]
    fn every_command_and_option_has_help_and_no_help_is_left_over() {
        let mut found = BTreeSet::new();
        places(&command(Language::English), "", &mut found);
        let known: BTreeSet<String> = HELP.iter().map(|(place, ..)| (*place).to_owned()).collect();
        assert_eq!(found, known);
        assert!(HELP.iter().all(|(_, english, korean)| !english.is_empty() && !korean.is_empty()));
    }

    #[test]
    fn every_example_is_understood() {
        for (place, examples) in EXAMPLES {
            for (line, ..) in *examples {
                assert!(line.starts_with(format!("lifeguard {place}").trim_end()), "{line}");
                let words = line.split([' ', '"', '\'']).take_while(|word| !["|", ">", "&&"].contains(word));
                let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                let parsed = command(Language::English).try_get_matches_from(&words);
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn the_definition_is_sound() {
        command(Language::Korean).debug_assert();
    }

    #[test]
    fn the_language_is_known_before_the_arguments_are_parsed() {
        let environment = Environment::default().with([("LANG", "ko_KR.UTF-8")]);
        let of = |words: &[&str]| language(&words.iter().map(OsString::from).collect::<Vec<_>>(), &environment);
        assert_eq!(of(&["lifeguard", "--help"]), Language::Korean);
        assert_eq!(of(&["lifeguard", "--language", "en"]), Language::English);
        assert_eq!(of(&["lifeguard", "--language=en", "status"]), Language::English);
    }
}
