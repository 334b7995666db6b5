//! `lifeguard practice-gateway`: the process that `lifeguard demo` watches. Not for people.

use std::process::ExitCode;

use super::context::{Context, Failure};
use crate::app;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[arg(num_args = 0.., trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(super) fn run(_context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    Ok(app::run_practice_gateway(&arguments.arguments)?)
}
