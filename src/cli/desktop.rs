//! `lifeguard`: the menu-bar app. A second one makes the first show itself.

use std::process::ExitCode;

use super::context::{Context, Failure};
use super::single::open;
use crate::app::{self, Setting};
use crate::config::Config;
use crate::text::command::CommandPhrase;
use crate::text::{Phrase, config};

/// The app on the person's gateway; where there is none and `practice_if_none` is set, the demo.
pub(super) fn run(context: &Context, practice_if_none: bool) -> Result<ExitCode, Failure> {
    if let Some(problem) = context.config_problem() {
        // Whoever sits at a terminal reads what is wrong. At login nobody does, and a missing icon tells nothing.
        if !context.output.is_attended() {
            context.output.complaint(&problem.say(context.language));
            let notice = config::not_used(&problem.brief(context.language), context.language);
            let defaults = Config::default();
            let setting = context.setting_with(&defaults, &context.paths);
            return open(context, &context.paths, || app::run_desktop(&Setting { notice: Some(&notice), ..setting }));
        }
    }
    let setting = context.setting(&context.paths)?;
    if practice_if_none && !app::finds_gateway(&setting)? {
        context.say(&CommandPhrase::Practising)?;
        return super::demo::run(context);
    }
    open(context, &context.paths, || app::run_desktop(&setting))
}
