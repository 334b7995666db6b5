//! `lifeguard completions bash|zsh|fish`, `lifeguard man FOLDER`: what a shell and `man` know of the command line.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;

use super::Exit;
use super::context::{Context, Failure};
use super::help;
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    folder: PathBuf,
}

/// Prints the completions of one shell.
pub(super) fn completions(context: &Context, arguments: &Completions) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let mut command = help::command(context.language);
    let shell = match arguments.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut command, "lifeguard", &mut text);
    std::io::stdout().lock().write_all(&text).map_err(Failure::Output)?;
    Ok(Exit::Good)
}

/// Writes a page for the program and one for each command.
pub(super) fn man(context: &Context, arguments: &Man) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(help::command(context.language).disable_help_subcommand(true), folder));
    written.map_err(|cause| {
        let place = folder.display().to_string();
        Failure::Said(CommandPhrase::NotWritten { place, cause: cause.to_string() }, Exit::Bad)
    })?;
    context.say(&CommandPhrase::ManualWritten(folder.display().to_string()))?;
    Ok(Exit::Good)
}
