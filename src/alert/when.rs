//! Moments (Unix milliseconds) as a person reads them in a text, in a time zone. Pure.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::text::Language;
use crate::text::alert as say;

/// A moment ahead, as part of a sentence.
#[must_use]
pub fn ahead(at: i64, reference: i64, language: Language, zone: &TimeZone) -> String {
    if say::is_now(at, reference) {
        return say::now(language).to_owned();
    }
    written(at, reference, language, zone)
}

/// `at 14:03:22`; with the date if that is not the reference's.
#[must_use]
pub fn written(at: i64, reference: i64, language: Language, zone: &TimeZone) -> String {
    let (at, reference) = (local(at, zone), local(reference, zone));
    let clock = at.strftime("%H:%M:%S");
    let day = at.strftime("%Y-%m-%d");
    if at.date() == reference.date() {
        language.pick(format!("at {clock}"), clock.to_string())
    } else {
        language.pick(format!("on {day} at {clock}"), format!("{day} {clock}"))
    }
}

/// `2026-11-22 14:03:22 +09:00`: whole, for readers who sit in another zone.
#[must_use]
pub fn whole(at: i64, zone: &TimeZone) -> String {
    local(at, zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// `2026-11-22T14:03:22Z`, for programs. The epoch for a time outside of all calendars.
#[must_use]
pub fn stamp(at: i64) -> String {
    timestamp(at).to_string()
}

fn local(at: i64, zone: &TimeZone) -> Zoned {
    timestamp(at).to_zoned(zone.clone())
}

fn timestamp(at: i64) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}
