//! `lifeguard login-item on|off|status`.

use clap::ValueEnum;

use super::Exit;
use super::context::{Context, Failure};
use crate::app::{self, LoginItemChange};

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
    context.say(&app::login_item(change)?)?;
    Ok(Exit::Good)
}
