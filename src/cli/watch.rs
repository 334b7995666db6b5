//! `lifeguard watch`: watches and heals in the terminal or as a service, without an icon.

use std::process::ExitCode;

use super::context::{Context, Failure};
use crate::app;
use crate::control::instance::InstanceLock;

pub(super) fn run(context: &Context) -> Result<ExitCode, Failure> {
    context.paths.prepare()?;
    let _lock = InstanceLock::acquire(&context.paths.lock_file())?;
    Ok(app::run_watch(&context.setting(&context.paths)?)?)
}
