//! The daily and the weekly report: made from the history, at a time of the day that a person chose.

use std::time::Duration;

use crate::history::samples::Level;
use crate::history::{History, HistoryError};
use crate::supervisor::report::{Course, GatewayReport, Period, Report};
use crate::supervisor::verdict::Health;

pub mod reporter;
pub mod schedule;

/// Bytes of a binary megabyte.
const MEGABYTE: u64 = 1024 * 1024;

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The gateway's name in the configuration.
    pub name: String,
    /// Its name in the history.
    pub kept_as: String,
    /// Sizes at which its memory is told and acted upon, in bytes.
    pub limits: Vec<u64>,
}

/// Makes the report of the period that ends at `to` (Unix milliseconds).
pub fn make(history: &History, subjects: &[Subject], period: Period, to: i64) -> Result<Report, HistoryError> {
    let gateways = subjects.iter().map(|subject| gateway(history, subject, period, to));
    Ok(Report { period, to, gateways: gateways.collect::<Result<_, _>>()? })
}

/// How finely a period's course is drawn.
fn level(period: Period) -> Level {
    match period {
        Period::Day => Level::FiveMinutes,
        Period::Week => Level::Hour,
    }
}

fn gateway(history: &History, subject: &Subject, period: Period, to: i64) -> Result<GatewayReport, HistoryError> {
    let (from, level, name) = (to.saturating_sub(period.length()), level(period), subject.kept_as.as_str());
    let uptime = history.uptime(name, from, to, level)?;
    let incidents = history.incidents(name, from, to)?;
    let heals = history.heals(name, from, to)?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(GatewayReport {
        name: subject.name.clone(),
        watched: milliseconds(uptime.watched()),
        up: milliseconds(uptime.up),
        down: milliseconds(uptime.down),
        outages: count(incidents.len()),
        open: count(incidents.iter().filter(|incident| incident.ended.is_none()).count()),
        downtime: incidents.iter().map(|incident| incident.duration).sum(),
        longest: incidents.iter().max_by_key(|incident| incident.duration).cloned(),
        attempts: count(heals.iter().filter(|heal| !heal.asked).count()),
        asked: count(heals.iter().filter(|heal| heal.asked).count()),
        memory: history.most_memory(name, from, to, level)?.map(|(_, bytes)| bytes),
        course: course(history, subject, from, to, level)?,
    })
}

fn course(history: &History, subject: &Subject, from: i64, to: i64, level: Level) -> Result<Course, HistoryError> {
    let length = level.length();
    let count = usize::try_from((to - from) / length).unwrap_or(0);
    // A stretch that the beginning cuts belongs to the first one.
    let place = |at: i64| usize::try_from(at.saturating_sub(from).max(0) / length).ok().filter(|place| *place < count);
    let begin = from - from.rem_euclid(length);
    let mut course = Course {
        healths: vec![None; count],
        memory: vec![None; count],
        limits: subject.limits.iter().map(|limit| megabytes(*limit)).collect(),
    };
    for (at, health, spent) in history.shares(&subject.kept_as, begin, to, level)? {
        let Some(cell) = place(at).and_then(|place| course.healths.get_mut(place)) else { continue };
        if spent > Duration::ZERO {
            *cell = (*cell).into_iter().chain([health]).max_by_key(|health| weight(*health));
        }
    }
    for point in history.points(&subject.kept_as, begin, to, level)? {
        let (Some(place), Some(memory)) = (place(point.at), point.memory) else { continue };
        if let Some(cell) = course.memory.get_mut(place) {
            *cell = (*cell).max(Some(megabytes(memory.most)));
        }
    }
    Ok(course)
}

/// How much a state matters in a stretch that had several.
fn weight(health: Health) -> u8 {
    match health {
        Health::Stale => 0,
        Health::Healthy => 1,
        Health::NotInstalled => 2,
        Health::Paused => 3,
        Health::Stopped => 4,
        Health::Starting => 5,
        Health::Degraded => 6,
        Health::Healing => 7,
        Health::Blocked => 8,
        Health::Down => 9,
        Health::SafeMode => 10,
    }
}

fn megabytes(bytes: u64) -> u32 {
    u32::try_from(bytes / MEGABYTE).unwrap_or(u32::MAX)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::samples::Sample;
    use crate::supervisor::incident::IncidentSummary;
    use crate::supervisor::verdict::Verdict;

    const TO: i64 = 1_790_000_000_000;
    const HOUR: i64 = 3_600_000;

    /// A day that is watched from its sixth hour, with an outage of ten minutes in its twentieth.
    fn history() -> History {
        let history = History::in_memory().unwrap();
        let from = TO - Period::Day.length();
        history
            .change(|change| {
                for minute in (6 * 60)..(24 * 60) {
                    let down = (20 * 60..20 * 60 + 10).contains(&minute);
                    change.add_sample(&Sample {
                        gateway: "gateway".to_owned(),
                        at: from + minute * 60_000 + 59_999,
                        health: if down { Health::Down } else { Health::Healthy },
                        up: Some(!down),
                        spent: 60_000,
                        latency: Some(400),
                        memory: (!down).then_some(u64::try_from(minute).unwrap() * MEGABYTE),
                        processor: None,
                        files: None,
                    })?;
                }
                change.take_together("gateway", from)?;
                for (id, began, ended) in [(1, 20 * HOUR, Some(600_000)), (2, 23 * HOUR, None)] {
                    change.save_incident(
                        "gateway",
                        &IncidentSummary {
                            id,
                            began: from + began,
                            ended: ended.map(|length: i64| from + began + length),
                            duration: u64::try_from(ended.unwrap_or(60_000)).unwrap(),
                            verdict: Verdict::Gone,
                            exit: None,
                            attempts: 1,
                        },
                    )?;
                }
                Ok(())
            })
            .unwrap();
        history
    }

    fn subject() -> Subject {
        Subject {
            name: "gateway".to_owned(),
            kept_as: "gateway".to_owned(),
            limits: vec![1536 * MEGABYTE, 2560 * MEGABYTE],
        }
    }

    #[test]
    fn a_day_is_counted_and_drawn() {
        let report = make(&history(), &[subject()], Period::Day, TO).unwrap();
        let gateway = &report.gateways[0];
        assert_eq!((gateway.outages, gateway.open, gateway.downtime), (2, 1, 660_000));
        assert_eq!(gateway.longest.as_ref().unwrap().id, 1);
        let minutes = |milliseconds: u64| milliseconds / 60_000;
        assert_eq!((minutes(gateway.watched), minutes(gateway.up), minutes(gateway.down)), (18 * 60, 18 * 60 - 10, 10));
        assert_eq!(gateway.memory, Some((24 * 60 - 1) * MEGABYTE));
        assert_eq!(gateway.course.limits, [1536, 2560]);
        let healths = &gateway.course.healths;
        assert_eq!(healths.len(), 288);
        assert!(healths[..71].iter().all(Option::is_none));
        let down = healths.iter().filter(|health| **health == Some(Health::Down)).count();
        assert!((2..=3).contains(&down), "{down}");
        assert!(healths[80..239].iter().all(|health| *health == Some(Health::Healthy)));
        assert_eq!(gateway.course.memory.len(), 288);
        assert!(gateway.course.memory[280].is_some_and(|memory| memory > 1_390));
    }

    #[test]
    fn a_week_has_an_hour_for_a_stretch_and_an_empty_history_a_report() {
        let report = make(&history(), &[subject()], Period::Week, TO).unwrap();
        assert_eq!(report.gateways[0].course.healths.len(), 168);
        let empty = make(&History::in_memory().unwrap(), &[subject()], Period::Week, TO).unwrap();
        assert_eq!((empty.outages(), empty.gateways[0].watched), (0, 0));
    }
}
