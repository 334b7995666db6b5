//! The only place that writes to the terminal.

use std::io::{self, IsTerminal, Write};

use crate::config::environment::Environment;
use crate::supervisor::verdict::Health;
use crate::text::check::Grade;

/// Where a command writes, and whether in colour.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    colour: bool,
}

impl Output {
    /// In colour on a terminal, unless the person said no (`--no-color`, `NO_COLOR`; <https://no-color.org>).
    #[must_use]
    pub fn new(environment: &Environment, no_color: bool) -> Self {
        let refused = no_color
            || environment.raw("NO_COLOR").is_some_and(|value| !value.is_empty())
            || environment.text("TERM") == Some("dumb");
        Self { colour: !refused && io::stdout().is_terminal() }
    }

    /// Never in colour.
    #[must_use]
    pub fn plain() -> Self {
        Self { colour: false }
    }

    /// Always in colour.
    #[cfg(test)]
    pub(super) fn coloured() -> Self {
        Self { colour: true }
    }

    /// Whether colours are wanted.
    pub(super) fn is_coloured(self) -> bool {
        self.colour
    }

    /// Whether somebody sits at a terminal to read complaints.
    #[must_use]
    pub fn is_attended(self) -> bool {
        io::stderr().is_terminal()
    }

    /// Writes text and a line break to standard output.
    pub fn line(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        stdout.flush()
    }

    /// Writes a question to standard error, so that it is no part of the output.
    pub fn prompt(self, question: &str) -> io::Result<()> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question} ")?;
        stderr.flush()
    }

    /// Writes to standard error. If that is closed, there is nobody left to tell.
    pub fn complaint(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "lifeguard: {text}");
    }

    /// The text in the colour of a state.
    #[must_use]
    pub fn paint(self, health: Health, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let colour = match health {
            Health::Healthy => "32",
            Health::Starting | Health::Healing | Health::Degraded => "33",
            Health::Down | Health::SafeMode | Health::Blocked => "31",
            Health::Paused | Health::Stopped => "34",
            Health::NotInstalled | Health::Stale => "90",
        };
        format!("\u{1b}[1;{colour}m{text}\u{1b}[0m")
    }

    /// The text in the colour of a grade.
    #[must_use]
    pub fn grade(self, grade: Grade, text: &str) -> String {
        match grade {
            Grade::Ok => self.paint(Health::Healthy, text),
            Grade::Warning => self.paint(Health::Degraded, text),
            Grade::Problem => self.paint(Health::Down, text),
            Grade::Skipped => self.faint(text),
        }
    }

    /// The text, less bright.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        if self.colour { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
