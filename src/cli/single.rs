//! One Lifeguard with an icon per place: a second one makes the first show itself.

use std::process::ExitCode;

use super::Exit;
use super::context::{Context, Failure};
use crate::app::AppError;
use crate::config::paths::Paths;
use crate::control::instance::{InstanceError, InstanceLock};
use crate::text::command::CommandPhrase;

/// Runs a mode with an icon, unless a Lifeguard in the same places runs already.
pub(super) fn open(
    context: &Context,
    paths: &Paths,
    mode: impl FnOnce() -> Result<ExitCode, AppError>,
) -> Result<ExitCode, Failure> {
    paths.prepare()?;
    let _lock = match InstanceLock::acquire(&paths.lock_file()) {
        Ok(lock) => lock,
        Err(InstanceError::Held { pid }) => {
            let shown = Context::runtime()?.block_on(Context::client_of(paths)?.show()).is_ok();
            context.say(&CommandPhrase::AlreadyRunning { pid, shown })?;
            return Ok(Exit::Good.into());
        }
        Err(error) => return Err(error.into()),
    };
    Ok(mode()?)
}
