//! When nobody is to be disturbed: quiet hours of the clock on the wall, and a mute that a person asked for. Pure, but
//! for what it remembers of the mute.

use std::sync::{Mutex, PoisonError};

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::request::Mute;
use crate::snapshot::QuietSnapshot;

/// What is hushed, for all channels.
#[derive(Debug, Default)]
pub struct Hush {
    hours: Option<(Time, Time)>,
    mute: Mutex<Option<Mute>>,
}

impl Hush {
    /// Quiet from one time of day to another, and muted as it was left.
    #[must_use]
    pub fn new(hours: Option<(Time, Time)>, mute: Option<Mute>) -> Self {
        Self { hours, mute: Mutex::new(mute) }
    }

    /// Mutes, or no longer.
    pub fn set(&self, mute: Option<Mute>) {
        *self.mute.lock().unwrap_or_else(PoisonError::into_inner) = mute;
    }

    /// Whether it is quiet at `wall` (Unix milliseconds) in this zone, and until when.
    #[must_use]
    pub fn at(&self, wall: i64, zone: &TimeZone) -> Option<QuietSnapshot> {
        let mute = *self.mute.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mute) = mute.filter(|mute| mute.until.is_none_or(|until| until > wall)) {
            return Some(QuietSnapshot { until: mute.until, muted: true });
        }
        let (from, to) = self.hours?;
        let now = Timestamp::from_millisecond(wall).ok()?.to_zoned(zone.clone());
        let until = quiet_until(from, to, &now)?.timestamp().as_millisecond();
        Some(QuietSnapshot { until: Some(until), muted: false })
    }
}

/// When the quiet hours end that `now` lies in, if it does. The clock on the wall decides, also on the days on which
/// it is put forward or back: an end that does not exist on that day comes where the clock jumps over it.
fn quiet_until(from: Time, to: Time, now: &Zoned) -> Option<Zoned> {
    let clock = now.time();
    let within = if from <= to { (from..to).contains(&clock) } else { clock >= from || clock < to };
    if !within {
        return None;
    }
    let day = if clock < to { now.clone() } else { now.checked_add(1.day()).ok()? };
    day.with().time(to).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(hours: (&str, &str), now: &str) -> Option<String> {
        let time = |text: &str| Time::strptime("%H:%M", text).unwrap();
        let now: Zoned = now.parse().unwrap();
        quiet_until(time(hours.0), time(hours.1), &now).map(|end| end.to_string())
    }

    #[test]
    fn the_night_ends_on_the_next_morning() {
        let night = ("23:00", "07:00");
        let seoul = |clock: &str| format!("2026-11-22T{clock}:00+09:00[Asia/Seoul]");
        assert_eq!(until(night, &seoul("22:59")), None);
        assert_eq!(until(night, &seoul("23:00")).as_deref(), Some("2026-11-23T07:00:00+09:00[Asia/Seoul]"));
        assert_eq!(until(night, &seoul("06:59")).as_deref(), Some("2026-11-22T07:00:00+09:00[Asia/Seoul]"));
        assert_eq!(until(night, &seoul("07:00")), None);
        assert_eq!(
            until(("12:00", "13:00"), &seoul("12:30")).as_deref(),
            Some("2026-11-22T13:00:00+09:00[Asia/Seoul]")
        );
        assert_eq!(until(("12:00", "12:00"), &seoul("12:00")), None, "no time at all");
    }

    #[test]
    fn the_nights_of_the_clock_changes_end_by_the_clock_on_the_wall() {
        let night = ("23:00", "07:00");
        let spring = until(night, "2026-03-07T23:30:00-05:00[America/New_York]");
        assert_eq!(spring.as_deref(), Some("2026-03-08T07:00:00-04:00[America/New_York]"), "an hour shorter");
        let autumn = until(night, "2026-10-31T23:30:00-04:00[America/New_York]");
        assert_eq!(autumn.as_deref(), Some("2026-11-01T07:00:00-05:00[America/New_York]"), "an hour longer");
        let missing = until(("23:00", "02:30"), "2026-03-08T01:30:00-05:00[America/New_York]");
        assert_eq!(missing.as_deref(), Some("2026-03-08T03:30:00-04:00[America/New_York]"));
    }

    #[test]
    fn a_mute_goes_before_the_hours_and_ends_by_itself() {
        let hush = Hush::new(None, Some(Mute { until: Some(1_000) }));
        assert_eq!(hush.at(999, &TimeZone::UTC), Some(QuietSnapshot { until: Some(1_000), muted: true }));
        assert_eq!(hush.at(1_000, &TimeZone::UTC), None);
        hush.set(Some(Mute { until: None }));
        assert!(hush.at(i64::MAX, &TimeZone::UTC).is_some());
        hush.set(None);
        assert_eq!(hush.at(0, &TimeZone::UTC), None);
    }
}
