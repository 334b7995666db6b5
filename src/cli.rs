//! The command line: one file per command. It asks the Lifeguard that runs, or starts one.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::config::LanguageChoice;
use crate::config::environment::Environment;
use crate::drill::practice::PracticeOptions;
use crate::text::command::CommandPhrase;
use crate::text::{Language, Phrase};
use context::{Context, Failure};
use output::Output;

mod agent;
mod alerts;
mod check;
mod completions;
mod config;
mod config_guard;
mod context;
mod demo;
mod desktop;
mod drill;
mod help;
mod history;
mod import;
mod incidents;
mod login_item;
mod logs;
mod open;
pub mod output;
mod painter;
mod pause;
mod practice;
mod report;
mod reset;
mod restart;
mod resume;
mod secrets;
mod single;
pub mod status;
mod stop;
mod tail;
mod watch;

/// How a command ends. `docs/cli.md` lists the codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Healthy, or done: 0.
    Good,
    /// Not healthy, or not done: 1.
    Bad,
    /// The command line or the configuration is wrong: 2.
    Usage,
    /// The command needs a Lifeguard that runs, and none does: 3.
    NotRunning,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::Usage => 2,
            Exit::NotRunning => 3,
        })
    }
}

#[derive(Debug, Parser)]
#[command(name = "lifeguard", version, disable_help_subcommand = true)]
struct Arguments {
    #[arg(long, global = true, value_name = "PATH")]
    config: Option<PathBuf>,
    #[arg(long, global = true, value_name = "LANGUAGE", hide_possible_values = true)]
    language: Option<SpokenLanguage>,
    #[arg(long, global = true)]
    no_color: bool,
    #[arg(long)]
    practice_if_none: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Watch,
    Status(status::Arguments),
    Restart(restart::Arguments),
    Stop(stop::Arguments),
    Reset(reset::Arguments),
    Pause(pause::Arguments),
    Resume(resume::Arguments),
    Logs(logs::Arguments),
    Incidents(incidents::Arguments),
    Report(report::Arguments),
    #[command(subcommand)]
    History(history::Command),
    Open,
    Check(check::Arguments),
    ConfigGuard(config_guard::Arguments),
    #[command(subcommand)]
    Alerts(alerts::Command),
    #[command(subcommand)]
    Secrets(secrets::Command),
    Import(import::Arguments),
    LoginItem(login_item::Arguments),
    InstallAgent,
    UninstallAgent,
    #[command(subcommand)]
    Config(config::Command),
    Completions(completions::Completions),
    Man(completions::Man),
    #[command(subcommand)]
    Drill(drill::Command),
    Demo,
    #[command(hide = true)]
    PracticeGateway(PracticeOptions),
    #[command(hide = true)]
    PracticeWatch,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SpokenLanguage {
    Auto,
    En,
    Ko,
}

impl From<SpokenLanguage> for LanguageChoice {
    fn from(language: SpokenLanguage) -> Self {
        match language {
            SpokenLanguage::Auto => Self::Auto,
            SpokenLanguage::En => Self::En,
            SpokenLanguage::Ko => Self::Ko,
        }
    }
}

/// Runs the program: parses the arguments, does what they say, tells how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let environment = Environment::of_process();
    let parsed = help::command(help::language(&arguments, &environment))
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to standard output, everything else to standard error. If that is closed, nobody reads it.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Good.into() };
        }
    };
    let output = Output::new(&environment, arguments.no_color);
    let language = arguments.language.map(LanguageChoice::from);
    let spoken = language.unwrap_or_default().resolve(environment.locale());
    let context = match Context::new(environment, arguments.config.as_deref(), language, output) {
        Ok(context) => context,
        Err(failure) => return report(&failure, spoken, output),
    };
    match dispatch(&context, arguments) {
        Ok(code) => code,
        Err(failure) => report(&failure, context.language, output),
    }
}

fn dispatch(context: &Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    if arguments.practice_if_none && arguments.command.is_some() {
        return Err(Failure::Said(CommandPhrase::OnlyForTheApp("--practice-if-none"), Exit::Usage));
    }
    let exit = match arguments.command {
        None => return desktop::run(context, arguments.practice_if_none),
        Some(Command::Watch) => return watch::run(context),
        Some(Command::Demo) => return demo::run(context),
        Some(Command::PracticeGateway(options)) => return practice::run(options),
        Some(Command::PracticeWatch) => return drill::watch(context),
        Some(Command::Status(arguments)) => status::run(context, &arguments),
        Some(Command::Restart(arguments)) => restart::run(context, arguments),
        Some(Command::Stop(arguments)) => stop::run(context, arguments),
        Some(Command::Reset(arguments)) => reset::run(context, arguments),
        Some(Command::Pause(arguments)) => pause::run(context, arguments),
        Some(Command::Resume(arguments)) => resume::run(context, arguments),
        Some(Command::Logs(arguments)) => logs::run(context, &arguments),
        Some(Command::Incidents(arguments)) => incidents::run(context, &arguments),
        Some(Command::Report(arguments)) => report::run(context, &arguments),
        Some(Command::History(command)) => history::run(context, &command),
        Some(Command::Open) => open::run(context),
        Some(Command::Check(arguments)) => check::run(context, &arguments),
        Some(Command::ConfigGuard(arguments)) => config_guard::run(context, arguments),
        Some(Command::Alerts(command)) => alerts::run(context, command),
        Some(Command::Secrets(command)) => secrets::run(context, command),
        Some(Command::Import(arguments)) => import::run(context, arguments),
        Some(Command::LoginItem(arguments)) => login_item::run(context, &arguments),
        Some(Command::InstallAgent) => agent::install(context),
        Some(Command::UninstallAgent) => agent::uninstall(context),
        Some(Command::Config(command)) => config::run(context, &command),
        Some(Command::Completions(arguments)) => completions::completions(context, &arguments),
        Some(Command::Man(arguments)) => completions::man(context, &arguments),
        Some(Command::Drill(command)) => drill::run(context, &command),
    };
    exit.map(ExitCode::from)
}

/// Says what went wrong, on standard error. A reader who went away is no failure.
fn report(failure: &Failure, language: Language, output: Output) -> ExitCode {
    if failure.reader_is_gone() {
        return Exit::Good.into();
    }
    output.complaint(&failure.say(language));
    failure.exit().into()
}
