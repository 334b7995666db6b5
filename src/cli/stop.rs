//! `lifeguard stop`: stops the gateway, which then stays stopped.

use super::Exit;
use super::context::{Context, Failure};
use super::restart::follow;
use crate::supervisor::event::Command;
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    gateway: Option<String>,
}

pub(super) fn run(context: &Context, arguments: Arguments) -> Result<Exit, Failure> {
    Context::runtime()?.block_on(follow(context, arguments.gateway, Command::Stop, &CommandPhrase::Stopping))
}
