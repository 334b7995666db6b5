//! What is old is forgotten, and what is too much: the file has a size that it does not exceed.

use super::samples::Level;
use super::{Change, DAY, History, HistoryError};

/// Days that alerts are kept.
const ALERT_DAYS: i64 = 30;
/// Days that incidents and attempts are kept.
const INCIDENT_DAYS: i64 = 730;
/// Alerts that are kept at most.
const MOST_ALERTS: i64 = 5_000;
/// At most so many rounds of forgetting at a time; each takes a tenth of what there is.
const ROUNDS: usize = 30;

impl History {
    /// Forgets what is old.
    pub fn prune(&self, now: i64) -> Result<(), HistoryError> {
        self.change(|change| {
            let before = |milliseconds: i64| now.saturating_sub(milliseconds);
            let execute = |sql: &str, bound: i64| change.transaction.execute(sql, [bound]);
            execute("DELETE FROM alerts WHERE recorded < ?1", before(ALERT_DAYS * DAY))?;
            execute(
                "DELETE FROM alerts WHERE id <= (SELECT max(id) FROM alerts) - ?1
                 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE alert = alerts.id AND status = 'waiting')",
                MOST_ALERTS,
            )?;
            let incidents = before(INCIDENT_DAYS * DAY);
            execute("DELETE FROM incidents WHERE ended < ?1", incidents)?;
            execute("DELETE FROM timeline WHERE at < ?1", incidents)?;
            execute("DELETE FROM heals WHERE began < ?1", incidents)?;
            execute("DELETE FROM samples WHERE at < ?1", before(Level::Looks.kept()))?;
            for level in Level::COARSE {
                for table in ["stretches", "shares"] {
                    let sql = format!("DELETE FROM {table} WHERE length = ?1 AND began < ?2");
                    change.transaction.execute(&sql, [level.length(), before(level.kept())])?;
                }
            }
            Ok(())
        })
    }

    /// Forgets the oldest until at most `limit` bytes of the file are in use; whether anything was forgotten. What
    /// waits to be told and what lasts is kept. The file itself grows no further: room that became free is used again.
    pub fn shrink(&self, limit: u64) -> Result<bool, HistoryError> {
        for round in 0..ROUNDS {
            if self.change(used)? <= limit {
                return Ok(round > 0);
            }
            self.change(forget_a_tenth)?;
        }
        Ok(true)
    }

    /// Gives room that is free back to the system. Takes long, and the history stands still meanwhile: for the start.
    pub(super) fn compact(&self, limit: u64) -> Result<(), HistoryError> {
        let connection = self.lock();
        let size: u64 = pragma(&connection, "page_count")?.saturating_mul(pragma(&connection, "page_size")?);
        if size > limit {
            connection.execute_batch("VACUUM")?;
        }
        Ok(())
    }
}

/// Bytes of the file that are in use.
fn used(change: &Change<'_>) -> Result<u64, HistoryError> {
    let pages = pragma(change.transaction, "page_count")?.saturating_sub(pragma(change.transaction, "freelist_count")?);
    Ok(pages.saturating_mul(pragma(change.transaction, "page_size")?))
}

fn pragma(connection: &rusqlite::Connection, name: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| Ok(super::samples::count(row.get(0)?)))
}

/// The oldest tenth of each table that grows.
fn forget_a_tenth(change: &Change<'_>) -> Result<(), HistoryError> {
    let tables = [
        ("samples", "at", ""),
        ("stretches", "began", ""),
        ("shares", "began", ""),
        ("incidents", "began", "AND ended IS NOT NULL"),
        ("timeline", "at", ""),
        ("heals", "began", "AND ended IS NOT NULL"),
        (
            "alerts",
            "recorded",
            "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE alert = alerts.id AND status = 'waiting')",
        ),
    ];
    for (table, time, also) in tables {
        let sql = format!(
            "DELETE FROM {table} WHERE {time} <=
             (SELECT {time} FROM {table} ORDER BY {time} LIMIT 1 OFFSET (SELECT count(*) / 10 FROM {table})) {also}"
        );
        change.transaction.execute(&sql, [])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::samples::Sample;
    use super::super::timeline::{Entry, Happening};
    use super::super::{FILE, tests::at};
    use super::*;
    use crate::supervisor::verdict::{Health, Verdict};

    fn sample(at: i64) -> Sample {
        Sample {
            gateway: "gateway".to_owned(),
            at,
            health: Health::Healthy,
            up: Some(true),
            spent: 10_000,
            latency: Some(300),
            memory: Some(1),
            processor: None,
            files: None,
        }
    }

    #[test]
    fn looks_go_after_two_days_and_their_stretches_stay() {
        let history = History::in_memory().unwrap();
        let begin = 1_700_000_000_000;
        history
            .change(|change| {
                change.add_sample(&sample(begin))?;
                change.take_together("gateway", begin)
            })
            .unwrap();
        let left = |now| {
            history.prune(now).unwrap();
            [Level::Looks, Level::FiveMinutes, Level::Hour]
                .map(|level| history.points("gateway", 0, i64::MAX, level).unwrap().len())
        };
        assert_eq!(left(begin + 2 * DAY), [1, 1, 1]);
        assert_eq!(left(begin + 2 * DAY + 1), [0, 1, 1]);
        assert_eq!(left(begin + 31 * DAY), [0, 0, 1]);
        assert_eq!(left(begin + 731 * DAY), [0, 0, 0]);
    }

    #[test]
    fn the_file_does_not_grow_past_its_limit_and_the_newest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(folder.path(), None, at(7)).unwrap().history;
        let limit = 400_000;
        for round in 0..12 {
            history
                .change(|change| {
                    for place in 0..1_000 {
                        let at = round * 1_000 + place;
                        change.add_sample(&sample(at))?;
                        let happening = Happening::Observed { verdict: Verdict::Gone };
                        change.add_entry("gateway", 1, &Entry { at, happening })?;
                    }
                    Ok(())
                })
                .unwrap();
            history.shrink(limit).unwrap();
            let newest = history.points("gateway", 0, i64::MAX, Level::Looks).unwrap().last().unwrap().at;
            assert_eq!(newest, round * 1_000 + 999);
        }
        assert!(!history.shrink(limit).unwrap());
        history.compact(limit).unwrap();
        drop(history);
        let size = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        assert!(size <= limit && size > limit / 2, "{size}");
    }
}
