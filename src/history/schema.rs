//! The tables, version by version. A landed step is never changed: a new one is added.

use rusqlite::{Connection, TransactionBehavior};

/// The newest version of the tables (`user_version`).
pub(super) const VERSION: i64 = 1;

/// Makes version n + 1 out of version n, n being the place in this list.
const STEPS: [&str; 1] = ["
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
"];

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
