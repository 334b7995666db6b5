//! `lifeguard practice-gateway`: the process that `lifeguard demo` watches. Not for people.

use std::process::ExitCode;

use super::context::Failure;
use crate::app;
use crate::drill::practice::PracticeOptions;

pub(super) fn run(options: PracticeOptions) -> Result<ExitCode, Failure> {
    Ok(app::run_practice_gateway(options)?)
}
