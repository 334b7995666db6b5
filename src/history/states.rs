//! The core's state and the incidents of each gateway.

use rusqlite::OptionalExtension;

use super::{Change, History, HistoryError};
use crate::supervisor::incident::IncidentSummary;

impl Change<'_> {
    /// Stores the state of a gateway: a text of its own format.
    pub fn save_state(&self, gateway: &str, record: &str) -> Result<(), HistoryError> {
        let sql = "INSERT INTO states VALUES (?1, ?2) ON CONFLICT (gateway) DO UPDATE SET record = excluded.record";
        self.transaction.prepare_cached(sql)?.execute([gateway, record])?;
        Ok(())
    }

    /// Forgets the state of a gateway.
    pub fn forget_state(&self, gateway: &str) -> Result<(), HistoryError> {
        self.transaction.execute("DELETE FROM states WHERE gateway = ?1", [gateway])?;
        Ok(())
    }

    /// Stores how far an incident has come.
    pub fn save_incident(&self, gateway: &str, incident: &IncidentSummary) -> Result<(), HistoryError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let sql = "INSERT OR REPLACE INTO incidents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.transaction.prepare_cached(sql)?.execute((
            gateway,
            number(incident.id),
            incident.began,
            incident.ended,
            number(incident.duration),
            incident.verdict.name(),
            incident.attempts,
            serde_json::to_string(incident)?,
        ))?;
        Ok(())
    }
}

impl Change<'_> {
    /// Stores a fact of the program's own.
    pub fn save_fact(&self, name: &str, value: &str) -> Result<(), HistoryError> {
        let sql = "INSERT INTO facts VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.transaction.prepare_cached(sql)?.execute([name, value])?;
        Ok(())
    }
}

impl History {
    /// A fact of the program's own.
    pub fn fact(&self, name: &str) -> Result<Option<String>, HistoryError> {
        let sql = "SELECT value FROM facts WHERE name = ?1";
        Ok(self.lock().query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    /// The state of a gateway, as it was stored last.
    pub fn state(&self, gateway: &str) -> Result<Option<String>, HistoryError> {
        let sql = "SELECT record FROM states WHERE gateway = ?1";
        Ok(self.lock().query_row(sql, [gateway], |row| row.get(0)).optional()?)
    }

    /// How many incidents of a gateway began in `[from, to)` (Unix milliseconds).
    pub fn incident_count(&self, gateway: &str, from: i64, to: i64) -> Result<u64, HistoryError> {
        let sql = "SELECT count(*) FROM incidents WHERE gateway = ?1 AND began >= ?2 AND began < ?3";
        let connection = self.lock();
        let mut statement = connection.prepare_cached(sql)?;
        Ok(statement.query_row((gateway, from, to), |row| Ok(super::samples::count(row.get(0)?)))?)
    }

    /// The incidents of a gateway that began in `[from, to)` (Unix milliseconds), the oldest first.
    pub fn incidents(&self, gateway: &str, from: i64, to: i64) -> Result<Vec<IncidentSummary>, HistoryError> {
        let connection = self.lock();
        let sql = "SELECT record FROM incidents WHERE gateway = ?1 AND began >= ?2 AND began < ?3 ORDER BY began, id";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map((gateway, from, to), |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::verdict::Verdict;

    #[test]
    fn the_newest_state_and_the_last_word_on_an_incident_are_kept() {
        let history = History::in_memory().unwrap();
        assert_eq!(history.state("gateway").unwrap(), None);
        let mut incident = IncidentSummary {
            id: 3,
            began: 1_000,
            ended: None,
            duration: 0,
            verdict: Verdict::Gone,
            exit: None,
            attempts: 0,
        };
        for (state, attempts) in [("one", 1), ("two", 2)] {
            incident.attempts = attempts;
            history
                .change(|change| {
                    change.save_state("gateway", state)?;
                    change.save_incident("gateway", &incident)
                })
                .unwrap();
        }
        assert_eq!(history.state("gateway").unwrap().as_deref(), Some("two"));
        assert_eq!(history.incidents("gateway", 1_000, 1_001).unwrap(), [incident]);
        assert!(history.incidents("gateway", 0, 1_000).unwrap().is_empty());
        assert!(history.incidents("other", 0, i64::MAX).unwrap().is_empty());
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let history = History::in_memory().unwrap();
        let failed = history.change(|change| {
            change.save_state("gateway", "half")?;
            Err::<(), _>(HistoryError::Sqlite(rusqlite::Error::InvalidQuery))
        });
        assert!(failed.is_err());
        assert_eq!(history.state("gateway").unwrap(), None);
    }
}
