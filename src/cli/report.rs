//! `lifeguard report`: the daily or weekly report as it would be sent now, in the terminal.

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::tz::TimeZone;

use super::Exit;
use super::context::{Context, Failure};
use crate::alert::chart;
use crate::alert::report::{Subject, make};
use crate::config::MEGABYTE;
use crate::config::discovery::discover;
use crate::history::History;
use crate::platform::{boot_id, clock};
use crate::supervisor::report::Period;
use crate::text::command::CommandPhrase;
use crate::text::report as say;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(value_enum, default_value = "daily", hide_possible_values = true)]
    period: Which,
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    Daily,
    Weekly,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let failed = |cause: String| Failure::Said(CommandPhrase::NoReport(cause), Exit::Bad);
    let config = context.config()?;
    let limits = [config.memory.warning_megabytes, config.memory.limit_megabytes];
    let subjects: Vec<Subject> = config
        .watched()
        .iter()
        .map(|watched| discover(watched, &context.environment).name)
        .map(|name| Subject {
            kept_as: name.clone(),
            name,
            limits: limits.map(|limit| limit.saturating_mul(MEGABYTE)).to_vec(),
        })
        .collect();
    let history = History::look(&context.paths.state_dir, boot_id()).map_err(|error| failed(error.to_string()))?;
    let period = match arguments.period {
        Which::Daily => Period::Day,
        Which::Weekly => Period::Week,
    };
    let report = make(&history, &subjects, period, clock::wall()).map_err(|error| failed(error.to_string()))?;
    if let Some(file) = &arguments.chart {
        let png = chart::png(&report, &TimeZone::system()).map_err(|error| failed(error.to_string()))?;
        std::fs::write(file, png).map_err(|error| failed(format!("{}: {error}", file.display())))?;
    }
    if arguments.json {
        context.line(&serde_json::to_string_pretty(&report).map_err(|error| failed(error.to_string()))?)?;
        return Ok(Exit::Good);
    }
    context.line(&say::title(&report, context.language))?;
    for line in say::body(&report, context.language) {
        context.line(&line)?;
    }
    Ok(Exit::Good)
}
