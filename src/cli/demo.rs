//! `lifeguard demo`: everything on the practice gateway, in places of its own.

use std::process::ExitCode;

use super::context::{Context, Failure};
use super::watch::claim;
use crate::app;

pub(super) fn run(context: &Context) -> Result<ExitCode, Failure> {
    let paths = context.paths.for_demo();
    let _lock = claim(&paths)?;
    Ok(app::run_demo(&context.setting(&paths)?)?)
}
