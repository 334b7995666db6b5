//! The scoreboard.

use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use crate::cli::output::Output;
use crate::cli::status::width;
use crate::drill::exercise::Exercise;
use crate::text::check::Grade;
use crate::text::drill::{Column, DrillPhrase, seconds};
use crate::text::{Language, Phrase};

/// What came of one drill. Times run from the fault on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) exercise: Exercise,
    pub(super) gateway: String,
    pub(super) detected: Option<Duration>,
    /// The verdict's name, or that of the alert which came instead.
    pub(super) seen_as: Option<String>,
    /// What an attempt waited for.
    pub(super) waits_for: Vec<String>,
    /// When the drill ended the fault; `None`: that was Lifeguard's to do.
    pub(super) lifted: Option<Duration>,
    pub(super) recovered: Option<Duration>,
    pub(super) rungs: Vec<String>,
    pub(super) alerts: Vec<String>,
    /// The end was told, as far as anybody is.
    pub(super) told: bool,
}

impl Score {
    /// Noticed, healthy again, and told.
    pub(super) fn is_good(&self) -> bool {
        self.detected.is_some() && self.recovered.is_some() && self.told
    }
}

/// The scores of one run.
#[derive(Debug)]
pub(super) struct Scoreboard {
    pub(super) real: bool,
    pub(super) scores: Vec<Score>,
}

/// Version of the form of `drill run --json`. Fields are only ever added to a version.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    real: bool,
    healed: bool,
    drills: Vec<Row<'a>>,
}

/// Times are milliseconds from the fault on.
#[derive(Serialize)]
struct Row<'a> {
    drill: &'static str,
    gateway: &'a str,
    healed: bool,
    told: bool,
    seen_as: Option<&'a str>,
    waits_for: &'a [String],
    detected: Option<u64>,
    fault_ended: Option<u64>,
    recovered: Option<u64>,
    rungs: &'a [String],
    alerts: &'a [String],
}

impl<'a> Row<'a> {
    fn of(score: &'a Score) -> Self {
        let millis = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        Self {
            drill: score.exercise.name(),
            gateway: &score.gateway,
            healed: score.recovered.is_some(),
            told: score.told,
            seen_as: score.seen_as.as_deref(),
            waits_for: &score.waits_for,
            detected: millis(score.detected),
            fault_ended: millis(score.lifted),
            recovered: millis(score.recovered),
            rungs: &score.rungs,
            alerts: &score.alerts,
        }
    }
}

impl Scoreboard {
    /// For programs.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let healed = self.scores.iter().all(|score| score.recovered.is_some());
        let drills = self.scores.iter().map(Row::of).collect();
        serde_json::to_string_pretty(&Json { schema: SCHEMA, real: self.real, healed, drills })
    }

    /// For people.
    pub(super) fn text(&self, language: Language, output: Output) -> String {
        let columns = [
            Column::Drill,
            Column::SeenAs,
            Column::Detected,
            Column::Lifted,
            Column::Recovered,
            Column::Rungs,
            Column::Alerts,
        ];
        let head = columns.map(|column| column.say(language));
        let rows: Vec<[String; 7]> = self.scores.iter().map(|score| cells(score, language)).collect();
        let widest =
            |place: usize| std::iter::once(&head).chain(&rows).map(|row| width(&row[place])).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(widest).collect();
        let line = |cells: &[String; 7]| {
            let padded =
                cells.iter().zip(&widths).map(|(cell, widest)| format!("{cell}{}", " ".repeat(widest - width(cell))));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut text = format!("{}\n", output.faint(&line(&head)));
        for (score, cells) in self.scores.iter().zip(&rows) {
            let grade = if score.is_good() { Grade::Ok } else { Grade::Problem };
            let _ = writeln!(text, "{}", output.grade(grade, &line(cells)));
        }
        let good = self.scores.iter().filter(|score| score.is_good()).count();
        let _ = writeln!(text, "\n{}", DrillPhrase::Sum { good, all: self.scores.len() }.say(language));
        text
    }
}

fn cells(score: &Score, language: Language) -> [String; 7] {
    let say = |phrase: DrillPhrase| phrase.say(language);
    let time = |time: Option<Duration>| time.map_or_else(|| say(DrillPhrase::Missing), |time| seconds(time, language));
    let list = |words: &[String]| if words.is_empty() { say(DrillPhrase::Nothing) } else { words.join(", ") };
    let mut seen_as = score.seen_as.clone().unwrap_or_else(|| say(DrillPhrase::Missing));
    if !score.waits_for.is_empty() {
        seen_as = format!("{seen_as}, {}", say(DrillPhrase::WaitsFor(score.waits_for.join(", "))));
    }
    // What could not begin before the fault was ended is measured from there.
    let recovered = match (score.lifted, score.recovered) {
        (Some(lifted), Some(recovered)) if recovered > lifted => {
            say(DrillPhrase::AfterLift(seconds(recovered.saturating_sub(lifted), language)))
        }
        (_, recovered) => time(recovered),
    };
    [
        score.exercise.name().to_owned(),
        seen_as,
        time(score.detected),
        score.lifted.map_or_else(|| "-".to_owned(), |lifted| seconds(lifted, language)),
        recovered,
        list(&score.rungs),
        list(&score.alerts),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board() -> Scoreboard {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let kill = Score {
            exercise: Exercise::Kill,
            gateway: "practice".to_owned(),
            detected: Some(Duration::from_millis(40)),
            seen_as: Some("gone".to_owned()),
            waits_for: Vec::new(),
            lifted: None,
            recovered: Some(Duration::from_millis(1_940)),
            rungs: words(&["start"]),
            alerts: words(&["down", "recovered"]),
            told: true,
        };
        let dependency = Score {
            exercise: Exercise::Dependency,
            waits_for: words(&["network:127.0.0.1:4000"]),
            lifted: Some(Duration::from_millis(700)),
            recovered: Some(Duration::from_secs(3)),
            alerts: words(&["down", "blocked", "recovered"]),
            ..kill.clone()
        };
        let lost = Score {
            exercise: Exercise::Hang,
            detected: None,
            seen_as: None,
            recovered: None,
            rungs: Vec::new(),
            alerts: Vec::new(),
            told: false,
            ..kill.clone()
        };
        Scoreboard { real: false, scores: vec![kill, dependency, lost] }
    }

    #[test]
    fn the_scoreboard_in_both_languages() {
        let text = Language::ALL.map(|language| board().text(language, Output::plain())).join("\n");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_scoreboard_as_json() {
        insta::assert_snapshot!(board().json().unwrap());
    }
}
