//! `lifeguard reset`: crash counter to zero, breaker closed.

use super::Exit;
use super::context::{Context, Failure};
use crate::supervisor::event::Command;
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    gateway: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    context.order(arguments.gateway, Command::Reset, &CommandPhrase::WasReset)
}
