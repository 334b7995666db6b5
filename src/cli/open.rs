//! `lifeguard open`: the status page, in the system's browser.

use super::Exit;
use super::context::{Context, Failure};
use crate::platform::desktop::open::open;
use crate::text::command::CommandPhrase;

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let runtime = Context::runtime()?;
    let snapshot = runtime.block_on(context.client()?.snapshot())?;
    let Some(page) = snapshot.page else {
        return Err(Failure::Said(CommandPhrase::NoPage, Exit::Bad));
    };
    // Whoever has no browser here can still copy the address.
    context.line(&page)?;
    match runtime.block_on(open(&page)) {
        Ok(()) => Ok(Exit::Good),
        Err(error) => {
            context.output.complaint(&error.to_string());
            Ok(Exit::Bad)
        }
    }
}
