//! `lifeguard alerts test`: a real alert through each channel, with a receipt.

use super::Exit;
use super::context::{Context, Failure};
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(super) struct Test {
    channel: Option<String>,
}

pub(super) fn run(context: &Context, command: Command) -> Result<Exit, Failure> {
    let Command::Test(test) = command;
    let receipts = Context::runtime()?.block_on(context.client()?.test_alerts(test.channel))?;
    if receipts.is_empty() {
        return Err(Failure::Said(CommandPhrase::NothingToTest, Exit::Bad));
    }
    let mut exit = Exit::Good;
    for receipt in receipts {
        let phrase = match receipt.problem {
            None => CommandPhrase::Delivered(receipt.channel),
            Some(problem) => {
                exit = Exit::Bad;
                CommandPhrase::NotDelivered { channel: receipt.channel, problem }
            }
        };
        context.say(&phrase)?;
    }
    Ok(exit)
}
