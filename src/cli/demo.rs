//! `lifeguard demo`: everything on the practice gateway, in places of its own.

use std::process::ExitCode;

use super::context::{Context, Failure};
use super::single::open;
use crate::app;

pub(super) fn run(context: &Context) -> Result<ExitCode, Failure> {
    let paths = context.paths.for_demo();
    let setting = context.setting(&paths)?;
    open(context, &paths, || app::run_demo(&setting))
}
