//! What a message says about its own way: that it is late, may be a repeat, or stands for another. Pure.

use std::time::Duration;

use super::channel::{Dispatch, Form};
use crate::text::Language;
use crate::text::alert as say;

/// An alert that arrives later than this says so.
const LATE: Duration = Duration::from_mins(2);

/// The remarks, in order. `happened` is the moment of the alert in the channel's own form.
#[must_use]
pub fn remarks(dispatch: &Dispatch<'_>, happened: &str, language: Language) -> Vec<String> {
    if dispatch.form != Form::New {
        return Vec::new();
    }
    let mut remarks = Vec::new();
    let delay = u64::try_from(dispatch.now.saturating_sub(dispatch.alert.alert.at)).unwrap_or(0);
    let delay = Duration::from_millis(delay);
    if delay >= LATE {
        remarks.push(say::late(happened, delay, language));
    }
    if dispatch.folded {
        remarks.push(say::folded(language).to_owned());
    }
    if dispatch.repeat {
        remarks.push(say::repeat(language).to_owned());
    }
    remarks
}
