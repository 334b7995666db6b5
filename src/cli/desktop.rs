//! `lifeguard`: the menu-bar app. A second one makes the first show itself.

use std::process::ExitCode;

use super::Exit;
use super::context::{Context, Failure};
use crate::app;
use crate::control::instance::{InstanceError, InstanceLock};
use crate::text::command::CommandPhrase;

pub(super) fn run(context: &Context) -> Result<ExitCode, Failure> {
    context.paths.prepare()?;
    let _lock = match InstanceLock::acquire(&context.paths.lock_file()) {
        Ok(lock) => lock,
        Err(InstanceError::Held { pid }) => {
            let shown = Context::runtime()?.block_on(context.client()?.show()).is_ok();
            context.say(&CommandPhrase::AlreadyRunning { pid, shown })?;
            return Ok(Exit::Good.into());
        }
        Err(error) => return Err(error.into()),
    };
    Ok(app::run_desktop(&context.setting(&context.paths)?)?)
}
