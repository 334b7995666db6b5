//! When a report is due: a time of the day where the machine is, whatever its clocks are set to in summer. Pure.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use crate::supervisor::report::Period;

/// When reports are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// The time of the day; `None`: no daily report.
    pub daily: Option<Time>,
    /// The day of the week, at `time`; `None`: no weekly report.
    pub weekly: Option<Weekday>,
    /// The time of the day of the weekly report.
    pub time: Time,
}

impl Schedule {
    /// The first moment after `after` at which this report is due; both in Unix milliseconds. A time of the day that
    /// the clock leaps over is taken after the leap, and one that comes twice the first time.
    #[must_use]
    pub fn next(&self, period: Period, after: i64, zone: &TimeZone) -> Option<i64> {
        let (time, day) = match period {
            Period::Day => (self.daily?, None),
            Period::Week => (self.time, Some(self.weekly?)),
        };
        let after = Timestamp::from_millisecond(after).ok()?.to_zoned(zone.clone());
        // A week and a day reach the next one, whatever the time of the day is now.
        (0..=8).find_map(|ahead| {
            let date = after.date().checked_add(i64::from(ahead).days()).ok()?;
            if day.is_some_and(|day| date.weekday() != day) {
                return None;
            }
            let due: Zoned = date.to_datetime(time).to_zoned(zone.clone()).ok()?;
            (due > after).then(|| due.timestamp().as_millisecond())
        })
    }

    /// The newest moment in `(after, now]` at which this report was due: what was missed before it is not made up for.
    #[must_use]
    pub fn due(&self, period: Period, after: i64, now: i64, zone: &TimeZone) -> Option<i64> {
        // Nothing that a report tells is older than two of its periods.
        let mut after = after.max(now.saturating_sub(2 * period.length()));
        let mut due = None;
        while let Some(next) = self.next(period, after, zone).filter(|next| *next <= now) {
            due = Some(next);
            after = next;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule() -> Schedule {
        let nine = jiff::civil::time(9, 0, 0, 0);
        Schedule { daily: Some(nine), weekly: Some(Weekday::Monday), time: nine }
    }

    fn at(text: &str) -> i64 {
        text.parse::<Zoned>().unwrap().timestamp().as_millisecond()
    }

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    #[test]
    fn nine_is_nine_on_both_sides_of_a_change_of_the_clocks() {
        let zone = berlin();
        let mut now = at("2026-03-27T12:00[Europe/Berlin]");
        for expected in ["2026-03-28T09:00", "2026-03-29T09:00", "2026-03-30T09:00"] {
            now = schedule().next(Period::Day, now, &zone).unwrap();
            assert_eq!(now, at(&format!("{expected}[Europe/Berlin]")));
        }
    }

    #[test]
    fn a_time_that_the_clock_leaps_over_is_taken_after_the_leap_and_one_that_comes_twice_once() {
        let zone = berlin();
        let half_past_two = Schedule { daily: Some(jiff::civil::time(2, 30, 0, 0)), ..schedule() };
        let spring = half_past_two.next(Period::Day, at("2026-03-28T12:00[Europe/Berlin]"), &zone).unwrap();
        assert_eq!(spring, at("2026-03-29T03:30[Europe/Berlin]"));
        let first = half_past_two.next(Period::Day, at("2026-10-24T12:00[Europe/Berlin]"), &zone).unwrap();
        assert_eq!(first, at("2026-10-25T02:30+02:00[Europe/Berlin]"));
        let second = half_past_two.next(Period::Day, first, &zone).unwrap();
        assert_eq!(second, at("2026-10-26T02:30[Europe/Berlin]"));
    }

    #[test]
    fn a_week_begins_on_its_day() {
        let zone = berlin();
        let monday = at("2026-11-23T09:00[Europe/Berlin]");
        assert_eq!(schedule().next(Period::Week, monday - 1, &zone), Some(monday));
        assert_eq!(schedule().next(Period::Week, monday, &zone), Some(at("2026-11-30T09:00[Europe/Berlin]")));
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        let zone = berlin();
        let (now, last) = (at("2026-11-26T11:00[Europe/Berlin]"), at("2026-11-20T09:00[Europe/Berlin]"));
        assert_eq!(schedule().due(Period::Day, last, now, &zone), Some(at("2026-11-26T09:00[Europe/Berlin]")));
        assert_eq!(schedule().due(Period::Week, last, now, &zone), Some(at("2026-11-23T09:00[Europe/Berlin]")));
        assert_eq!(schedule().due(Period::Day, now, now, &zone), None);
        assert_eq!(schedule().due(Period::Day, i64::MIN, now, &zone), Some(at("2026-11-26T09:00[Europe/Berlin]")));
    }

    #[test]
    fn what_is_not_wanted_is_never_due() {
        let never = Schedule { daily: None, weekly: None, ..schedule() };
        assert_eq!(never.next(Period::Day, 0, &berlin()), None);
        assert_eq!(never.due(Period::Week, 0, 1, &berlin()), None);
    }
}
