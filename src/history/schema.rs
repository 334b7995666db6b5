//! The tables, version by version. A landed step is never changed: a new one is added.

use rusqlite::{Connection, TransactionBehavior};

/// The newest version of the tables (`user_version`).
pub(super) const VERSION: i64 = 2;

/// Makes version n + 1 out of version n, n being the place in this list.
const STEPS: [&str; 2] = [FIRST, SECOND];

const FIRST: &str = "
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO facts VALUES ('name', lower(hex(randomblob(4))));

-- The core's state of each gateway, as JSON with its own version.
CREATE TABLE states (gateway TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Incidents, the lasting ones too. Times are Unix milliseconds.
CREATE TABLE incidents (
  gateway TEXT NOT NULL, id INTEGER NOT NULL, began INTEGER NOT NULL, ended INTEGER,
  duration INTEGER NOT NULL, verdict TEXT NOT NULL, attempts INTEGER NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (gateway, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, incident INTEGER, kind TEXT NOT NULL, happened INTEGER NOT NULL,
  recorded INTEGER NOT NULL, record TEXT NOT NULL
) STRICT;

-- What one channel has to tell, or has told. `claimed`: a request is, or was, on its way and its end is not known.
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY, alert INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE, channel TEXT NOT NULL,
  form TEXT NOT NULL, status TEXT NOT NULL, queued INTEGER NOT NULL, folded INTEGER NOT NULL, attempts INTEGER NOT NULL,
  claimed INTEGER, settled INTEGER, problem TEXT, reference TEXT
) STRICT;
CREATE INDEX deliveries_of_channel ON deliveries (channel, status);
CREATE INDEX deliveries_of_alert ON deliveries (alert);

-- What each channel remembers for its routing, as JSON.
CREATE TABLE channels (channel TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

const SECOND: &str = "
CREATE INDEX incidents_by_time ON incidents (gateway, began);
CREATE INDEX alerts_of_incident ON alerts (gateway, incident);

-- One look each: the state that lasted until then and for how long it had been watched, in milliseconds, and what was
-- measured. `up`: 1 it answered, 0 it ought to have, NULL neither. Latency in microseconds, memory in bytes,
-- processor in cores.
CREATE TABLE samples (
  gateway TEXT NOT NULL, at INTEGER NOT NULL, spent INTEGER NOT NULL, health TEXT NOT NULL, up INTEGER,
  latency INTEGER, memory INTEGER, processor REAL, files INTEGER,
  PRIMARY KEY (gateway, at)
) STRICT, WITHOUT ROWID;

-- The samples of a stretch of five minutes or an hour, taken together.
CREATE TABLE stretches (
  gateway TEXT NOT NULL, length INTEGER NOT NULL, began INTEGER NOT NULL, up INTEGER NOT NULL, down INTEGER NOT NULL,
  latency_least INTEGER, latency_mean INTEGER, latency_most INTEGER,
  memory_least INTEGER, memory_mean INTEGER, memory_most INTEGER,
  processor_least REAL, processor_mean REAL, processor_most REAL,
  files_least INTEGER, files_mean INTEGER, files_most INTEGER,
  PRIMARY KEY (gateway, length, began)
) STRICT, WITHOUT ROWID;

-- How much of a stretch was spent in each state.
CREATE TABLE shares (
  gateway TEXT NOT NULL, length INTEGER NOT NULL, began INTEGER NOT NULL, health TEXT NOT NULL, spent INTEGER NOT NULL,
  PRIMARY KEY (gateway, length, began, health)
) STRICT, WITHOUT ROWID;

-- What happened in an incident, one thing after the other.
CREATE TABLE timeline (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, incident INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_of_incident ON timeline (gateway, incident);

-- Every attempt, those that a person asked for too. No outcome: it is running.
CREATE TABLE heals (
  gateway TEXT NOT NULL, id INTEGER NOT NULL, incident INTEGER, rung TEXT NOT NULL, asked INTEGER NOT NULL,
  verdict TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER, outcome TEXT,
  PRIMARY KEY (gateway, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX heals_by_time ON heals (gateway, began);
";

/// Brings the tables to the newest version, each step as a whole.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let Some(step) = usize::try_from(version).ok().and_then(|place| STEPS.get(place)) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_step_for_each_version() {
        assert_eq!(i64::try_from(STEPS.len()).unwrap(), VERSION);
    }
}
