//! `lifeguard login-item on|off|status`.

use clap::ValueEnum;

use super::Exit;
use super::context::{Context, Failure};
use crate::app::{self, LoginItemChange};
use crate::text::command::CommandPhrase;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(hide_possible_values = true)]
    change: Change,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Change {
    On,
    Off,
    Status,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let change = match arguments.change {
        Change::On => LoginItemChange::On,
        Change::Off => LoginItemChange::Off,
        Change::Status => LoginItemChange::Keep,
    };
    let phrase = if app::login_item(change)? { CommandPhrase::LoginItemOn } else { CommandPhrase::LoginItemOff };
    context.say(&phrase)?;
    Ok(Exit::Good)
}
