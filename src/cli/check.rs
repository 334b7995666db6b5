//! `lifeguard check`: whether everything will work when it is needed, and how to mend what will not.

use std::fmt::Write;

use super::Exit;
use super::context::{Context, Failure};
use super::output::Output;
use super::status::width;
use crate::app;
use crate::check::{Finding, Report, fix};
use crate::config::Config;
use crate::text::check::{CheckPhrase, Grade};
use crate::text::command::CommandPhrase;
use crate::text::{Language, Phrase};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(long)]
    fix: bool,
    #[arg(long)]
    online: bool,
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let defaults = Config::default();
    let problem = context.config_problem();
    let config = context.config().unwrap_or(&defaults);
    let setting = context.setting_with(config, &context.paths);
    let brief = problem.map(|problem| problem.brief(context.language));
    let runtime = Context::runtime()?;
    let mut report = runtime.block_on(app::check(&setting, brief.clone(), arguments.online));
    if arguments.fix {
        for (mend, done) in fix::apply(&report.findings) {
            let phrase = match done {
                Ok(()) => CheckPhrase::Mended(mend),
                Err(cause) => CheckPhrase::NotMended { mend, cause: cause.to_string() },
            };
            context.output.complaint(&phrase.say(context.language));
        }
        report = runtime.block_on(app::check(&setting, brief, arguments.online));
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&report);
        context.line(&text.map_err(|error| Failure::Said(CommandPhrase::CannotAsk(error.to_string()), Exit::Bad))?)?;
    } else {
        context.line(text(&report, context.language, context.output).trim_end())?;
    }
    Ok(if report.count(Grade::Problem) == 0 { Exit::Good } else { Exit::Bad })
}

/// The report for people: Lifeguard first, then each gateway.
fn text(report: &Report, language: Language, output: Output) -> String {
    let mut text = String::new();
    let mut of: Option<&str> = None;
    let widest = |texts: &mut dyn Iterator<Item = String>| texts.map(|text| width(&text)).max().unwrap_or(0);
    let subjects = widest(&mut report.findings.iter().map(|finding| finding.subject.say(language)));
    let grades = widest(&mut report.findings.iter().map(|finding| finding.grade.say(language)));
    let pad = |text: &str, columns: usize| " ".repeat(columns.saturating_sub(width(text)));
    for finding in &report.findings {
        let gateway = finding.gateway.as_deref();
        if gateway != of {
            let _ = writeln!(text, "\n{}", gateway.unwrap_or("Lifeguard"));
            of = gateway;
        } else if text.is_empty() {
            text.push_str("Lifeguard\n");
        }
        let (grade, subject) = (finding.grade.say(language), finding.subject.say(language));
        let star = if finding.fix.is_some() { "*" } else { " " };
        let gap = pad(&grade, grades);
        let shown = output.grade(finding.grade, &grade);
        let _ = writeln!(text, " {star}{shown}{gap}  {subject}{}  {}", pad(&subject, subjects), finding.sentence);
        if let Some(mend) = mend(finding) {
            let _ = writeln!(text, "  {}  {}  {}", " ".repeat(grades), " ".repeat(subjects), output.faint(mend));
        }
    }
    let _ = writeln!(text, "\n{}", report.summary().say(language));
    if report.findings.iter().any(|finding| finding.fix.is_some()) {
        let _ = writeln!(text, "{}", CheckPhrase::FixWould.say(language));
    }
    text
}

/// The command, where there is something to mend.
fn mend(finding: &Finding) -> Option<&str> {
    finding.mend.as_deref().filter(|_| finding.grade >= Grade::Warning)
}
