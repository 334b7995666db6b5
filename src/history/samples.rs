//! What was measured: look by look for two days, then by five minutes for thirty, then by the hour for two years.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::{Row, ToSql};
use serde::Serialize;

use super::{Change, DAY, History, HistoryError};
use crate::supervisor::verdict::Health;

/// One look at a gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The gateway's name.
    pub gateway: String,
    /// When: Unix milliseconds.
    pub at: i64,
    /// The state that lasted until then.
    pub health: Health,
    /// Whether the gateway answered until then: `Some(false)` if it ought to have, `None` if nobody could expect it to.
    pub up: Option<bool>,
    /// For how long that had been watched, in milliseconds.
    pub spent: u64,
    /// Latency of `/healthz`, in microseconds.
    pub latency: Option<u64>,
    /// Resident memory of the process tree, in bytes.
    pub memory: Option<u64>,
    /// Processor use since the look before, in cores.
    pub processor: Option<f64>,
    /// Files and sockets that are open.
    pub files: Option<u64>,
}

/// How finely the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Look by look: 48 h.
    Looks,
    /// By five minutes: 30 days.
    FiveMinutes,
    /// By the hour: 2 years.
    Hour,
}

impl Level {
    /// Every level that is made of looks.
    pub(super) const COARSE: [Self; 2] = [Self::FiveMinutes, Self::Hour];

    /// The finest level that reaches back to `from`; both in Unix milliseconds.
    #[must_use]
    pub fn reaching(from: i64, now: i64) -> Self {
        let age = now.saturating_sub(from);
        [Self::Looks, Self::FiveMinutes].into_iter().find(|level| age <= level.kept()).unwrap_or(Self::Hour)
    }

    /// For how long it is kept, in milliseconds.
    #[must_use]
    pub const fn kept(self) -> i64 {
        match self {
            Self::Looks => 2 * DAY,
            Self::FiveMinutes => 30 * DAY,
            Self::Hour => 730 * DAY,
        }
    }

    /// Length of one stretch, in milliseconds; a look has none.
    #[must_use]
    pub const fn length(self) -> i64 {
        match self {
            Self::Looks => 0,
            Self::FiveMinutes => 300_000,
            Self::Hour => 3_600_000,
        }
    }
}

/// Least, mean and most of what was measured in a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread<T> {
    /// The least.
    pub least: T,
    /// The mean.
    pub mean: T,
    /// The most.
    pub most: T,
}

/// One stretch of the past, or one look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Its begin, or the moment of the look: Unix milliseconds.
    pub at: i64,
    /// For how long it answered, in milliseconds.
    pub up: u64,
    /// For how long it ought to have answered and did not, in milliseconds.
    pub down: u64,
    /// Latency of `/healthz`, in microseconds.
    pub latency: Option<Spread<u64>>,
    /// Resident memory of the process tree, in bytes.
    pub memory: Option<Spread<u64>>,
    /// Processor use, in cores.
    pub processor: Option<Spread<f64>>,
    /// Files and sockets that were open.
    pub files: Option<Spread<u64>>,
}

/// How a gateway was over a span of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Uptime {
    /// For how long it answered.
    pub up: Duration,
    /// For how long it ought to have answered and did not.
    pub down: Duration,
    /// For how long a person saw each state. What is missing from the span was not watched.
    pub healths: BTreeMap<&'static str, Duration>,
}

impl Uptime {
    /// The share of the time in which it answered, of that in which it ought to have: 0 to 1. `None` if it was never
    /// expected to.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let expected = (self.up + self.down).as_secs_f64();
        (expected > 0.0).then(|| self.up.as_secs_f64() / expected)
    }

    /// For how long it was watched, in whatever state.
    #[must_use]
    pub fn watched(&self) -> Duration {
        self.healths.values().sum()
    }
}

impl Change<'_> {
    /// Stores a look. A second one of the same millisecond takes its place.
    pub fn add_sample(&self, sample: &Sample) -> Result<(), HistoryError> {
        let sql = "INSERT OR REPLACE INTO samples VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.transaction.prepare_cached(sql)?.execute((
            &sample.gateway,
            sample.at,
            whole(sample.spent),
            sample.health.name(),
            sample.up,
            sample.latency.map(whole),
            sample.memory.map(whole),
            sample.processor,
            sample.files.map(whole),
        ))?;
        Ok(())
    }

    /// Takes together what was seen of a gateway since `since`: every stretch that reaches there is made anew.
    pub fn take_together(&self, gateway: &str, since: i64) -> Result<(), HistoryError> {
        for level in Level::COARSE {
            let length = level.length();
            let values: (_, _, _) = (gateway, length, since - since.rem_euclid(length));
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO stretches
                     SELECT gateway, ?2, at - at % ?2 AS began,
                     sum(iif(up = 1, spent, 0)), sum(iif(up = 0, spent, 0)),
                     min(latency), CAST(avg(latency) AS INTEGER), max(latency),
                     min(memory), CAST(avg(memory) AS INTEGER), max(memory),
                     min(processor), avg(processor), max(processor),
                     min(files), CAST(avg(files) AS INTEGER), max(files)
                     FROM samples WHERE gateway = ?1 AND at >= ?3 GROUP BY began",
                )?
                .execute(values)?;
            self.transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO shares
                     SELECT gateway, ?2, at - at % ?2 AS began, health, sum(spent)
                     FROM samples WHERE gateway = ?1 AND at >= ?3 GROUP BY began, health",
                )?
                .execute(values)?;
        }
        Ok(())
    }
}

impl History {
    /// The names of the gateways that anything is known of.
    pub fn gateways(&self) -> Result<Vec<String>, HistoryError> {
        let connection = self.lock();
        let sql =
            "SELECT gateway FROM states UNION SELECT DISTINCT gateway FROM stretches WHERE length = ?1 ORDER BY 1";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map([Level::Hour.length()], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was measured of a gateway in `[from, to)` (Unix milliseconds), the oldest first.
    pub fn points(&self, gateway: &str, from: i64, to: i64, level: Level) -> Result<Vec<Point>, HistoryError> {
        let connection = self.lock();
        let length = level.length();
        let (sql, values): (_, &[&dyn ToSql]) = match level {
            Level::Looks => (
                "SELECT at, iif(up = 1, spent, 0), iif(up = 0, spent, 0), latency, latency, latency,
                 memory, memory, memory, processor, processor, processor, files, files, files
                 FROM samples WHERE gateway = ?1 AND at >= ?2 AND at < ?3 ORDER BY at",
                &[&gateway, &from, &to],
            ),
            Level::FiveMinutes | Level::Hour => (
                "SELECT began, up, down, latency_least, latency_mean, latency_most,
                 memory_least, memory_mean, memory_most, processor_least, processor_mean, processor_most,
                 files_least, files_mean, files_most
                 FROM stretches WHERE gateway = ?1 AND began >= ?2 AND began < ?3 AND length = ?4 ORDER BY began",
                &[&gateway, &from, &to, &length],
            ),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            Ok(Point {
                at: row.get(0)?,
                up: count(row.get(1)?),
                down: count(row.get(2)?),
                latency: whole_spread(row, 3)?,
                memory: whole_spread(row, 6)?,
                processor: spread(row, 9)?,
                files: whole_spread(row, 12)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How a gateway was in `[from, to)` (Unix milliseconds). The edges are as sharp as the level.
    pub fn uptime(&self, gateway: &str, from: i64, to: i64, level: Level) -> Result<Uptime, HistoryError> {
        let mut uptime = Uptime::default();
        for (_, health, spent) in self.shares(gateway, from, to, level)? {
            *uptime.healths.entry(health.name()).or_default() += spent;
        }
        let connection = self.lock();
        let length = level.length();
        let (sql, values): (_, &[&dyn ToSql]) = match level {
            Level::Looks => (
                "SELECT coalesce(sum(iif(up = 1, spent, 0)), 0), coalesce(sum(iif(up = 0, spent, 0)), 0)
                 FROM samples WHERE gateway = ?1 AND at >= ?2 AND at < ?3",
                &[&gateway, &from, &to],
            ),
            Level::FiveMinutes | Level::Hour => (
                "SELECT coalesce(sum(up), 0), coalesce(sum(down), 0)
                 FROM stretches WHERE gateway = ?1 AND began >= ?2 AND began < ?3 AND length = ?4",
                &[&gateway, &from, &to, &length],
            ),
        };
        let (up, down) = connection.prepare_cached(sql)?.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        uptime.up = Duration::from_millis(count(up));
        uptime.down = Duration::from_millis(count(down));
        Ok(uptime)
    }

    /// How much of each stretch that began in `[from, to)` was spent in which state, the oldest first.
    pub fn shares(
        &self,
        gateway: &str,
        from: i64,
        to: i64,
        level: Level,
    ) -> Result<Vec<(i64, Health, Duration)>, HistoryError> {
        let connection = self.lock();
        let length = level.length();
        let (sql, values): (_, &[&dyn ToSql]) = match level {
            Level::Looks => (
                "SELECT at, health, spent FROM samples WHERE gateway = ?1 AND at >= ?2 AND at < ?3 ORDER BY at",
                &[&gateway, &from, &to],
            ),
            Level::FiveMinutes | Level::Hour => (
                "SELECT began, health, spent FROM shares
                 WHERE gateway = ?1 AND began >= ?2 AND began < ?3 AND length = ?4 ORDER BY began",
                &[&gateway, &from, &to, &length],
            ),
        };
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            let health = row.get_ref(1)?.as_str().ok().and_then(Health::of_name).unwrap_or(Health::Stale);
            Ok((row.get(0)?, health, Duration::from_millis(count(row.get(2)?))))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The most memory that a gateway was seen to take in `[from, to)`: in which stretch, and how many bytes.
    pub fn most_memory(
        &self,
        gateway: &str,
        from: i64,
        to: i64,
        level: Level,
    ) -> Result<Option<(i64, u64)>, HistoryError> {
        let points = self.points(gateway, from, to, level)?;
        let peaks = points.iter().filter_map(|point| Some((point.at, point.memory?.most)));
        Ok(peaks.max_by_key(|(_, bytes)| *bytes))
    }
}

fn spread<T: rusqlite::types::FromSql>(row: &Row<'_>, place: usize) -> rusqlite::Result<Option<Spread<T>>> {
    let part = |offset: usize| row.get::<_, Option<T>>(place + offset);
    Ok(match (part(0)?, part(1)?, part(2)?) {
        (Some(least), Some(mean), Some(most)) => Some(Spread { least, mean, most }),
        _ => None,
    })
}

fn whole_spread(row: &Row<'_>, place: usize) -> rusqlite::Result<Option<Spread<u64>>> {
    let found = spread::<i64>(row, place)?;
    Ok(found.map(|Spread { least, mean, most }| Spread { least: count(least), mean: count(mean), most: count(most) }))
}

/// SQLite's integers are signed.
pub(super) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn count(whole: i64) -> u64 {
    u64::try_from(whole).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday, at the full hour.
    const BEGIN: i64 = 1_700_000_000_000 - 1_700_000_000_000 % 3_600_000;

    fn sample(at: i64, health: Health, latency: Option<u64>) -> Sample {
        Sample {
            gateway: "gateway".to_owned(),
            at,
            health,
            up: match health {
                Health::Healthy => Some(true),
                Health::Down => Some(false),
                _ => None,
            },
            spent: 10_000,
            latency,
            memory: latency.map(|latency| latency * 1_000),
            processor: latency.map(|_| 0.25),
            files: latency.map(|_| 30),
        }
    }

    fn filled(samples: &[Sample]) -> History {
        let history = History::in_memory().unwrap();
        history
            .change(|change| {
                for sample in samples {
                    change.add_sample(sample)?;
                }
                change.take_together("gateway", BEGIN)
            })
            .unwrap();
        history
    }

    #[test]
    fn looks_are_taken_together_with_least_mean_and_most() {
        let looks: Vec<_> =
            (0..60).map(|place| sample(BEGIN + place * 10_000, Health::Healthy, Some(100 + count(place)))).collect();
        let history = filled(&looks);
        let points = history.points("gateway", BEGIN, BEGIN + 3_600_000, Level::FiveMinutes).unwrap();
        assert_eq!(points.len(), 2);
        assert_eq!(points[0].latency, Some(Spread { least: 100, mean: 114, most: 129 }));
        assert_eq!(points[1].memory.unwrap().most, 159_000);
        let hours = history.points("gateway", BEGIN, BEGIN + 1, Level::Hour).unwrap();
        assert_eq!((hours[0].up, hours[0].down), (600_000, 0));
        assert_eq!(hours[0].files, Some(Spread { least: 30, mean: 30, most: 30 }));
        assert_eq!(history.points("gateway", BEGIN, BEGIN + 30_000, Level::Looks).unwrap().len(), 3);
        assert_eq!(history.most_memory("gateway", BEGIN, i64::MAX, Level::Looks).unwrap().unwrap().1, 159_000);
        assert_eq!(history.gateways().unwrap(), ["gateway"]);
    }

    #[test]
    fn uptime_is_of_the_time_in_which_it_ought_to_answer() {
        let looks = [
            sample(BEGIN + 1, Health::Healthy, Some(100)),
            sample(BEGIN + 2, Health::Healthy, Some(100)),
            sample(BEGIN + 3, Health::Healthy, Some(100)),
            sample(BEGIN + 4, Health::Down, None),
            sample(BEGIN + 5, Health::Stopped, None),
        ];
        let history = filled(&looks);
        for level in [Level::Looks, Level::FiveMinutes, Level::Hour] {
            let uptime = history.uptime("gateway", BEGIN, BEGIN + 10_000, level).unwrap();
            assert_eq!(uptime.share(), Some(0.75), "{level:?}");
            assert_eq!(uptime.watched(), Duration::from_secs(50));
            assert_eq!(uptime.healths["stopped"], Duration::from_secs(10));
        }
        assert_eq!(history.uptime("other", 0, i64::MAX, Level::Hour).unwrap().share(), None);
    }

    #[test]
    fn a_stretch_that_goes_on_is_made_anew_and_counts_nothing_twice() {
        let history = filled(&[sample(BEGIN + 1, Health::Healthy, Some(100))]);
        for at in [BEGIN + 20_000, BEGIN + 30_000] {
            history
                .change(|change| {
                    change.add_sample(&sample(at, Health::Healthy, Some(200)))?;
                    change.take_together("gateway", at)
                })
                .unwrap();
        }
        let uptime = history.uptime("gateway", BEGIN, BEGIN + 60_000, Level::Hour).unwrap();
        assert_eq!(uptime.up, Duration::from_secs(30));
    }

    #[test]
    fn the_level_is_the_finest_that_reaches_back() {
        for (days, level) in [(1, Level::Looks), (7, Level::FiveMinutes), (31, Level::Hour)] {
            assert_eq!(Level::reaching(BEGIN - days * DAY, BEGIN), level);
        }
    }
}
