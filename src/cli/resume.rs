//! `lifeguard resume`: the end of a pause.

use super::Exit;
use super::context::{Context, Failure};
use crate::supervisor::event::Command;
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    gateway: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    context.order(arguments.gateway, Command::Resume, &CommandPhrase::Resumed)
}
