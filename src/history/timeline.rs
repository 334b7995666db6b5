//! Incidents one thing after the other, and every attempt.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::samples::{count, whole};
use super::{Change, History, HistoryError};
use crate::supervisor::incident::IncidentSummary;
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::observation::Exit;
use crate::supervisor::verdict::{Health, Verdict};

/// One thing that happened in an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Happening {
    /// The first failed look.
    Observed {
        /// What was the matter.
        verdict: Verdict,
    },
    /// What is the matter has changed, or the state that a person sees.
    Changed {
        /// What is the matter.
        verdict: Verdict,
        /// The state.
        health: Health,
    },
    /// The gateway's process ended.
    ProcessEnded {
        /// Its process id.
        pid: u32,
        /// How.
        exit: Exit,
    },
    /// An attempt began.
    HealBegan {
        /// Its number.
        heal: u64,
        /// How hard.
        rung: Rung,
        /// Which attempt of the incident, from 1.
        attempt: u32,
        /// A person asked for it.
        asked: bool,
    },
    /// An attempt is over.
    HealEnded {
        /// Its number.
        heal: u64,
        /// How hard.
        rung: Rung,
        /// How it ended.
        outcome: Outcome,
    },
    /// People were told.
    Told {
        /// The alert's kind, by name.
        alert: String,
    },
    /// Health has held.
    Over {
        /// From the first failed look to the first good one that held, in milliseconds.
        downtime: u64,
    },
}

impl Happening {
    /// Its name in the file and in exports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Observed { .. } => "observed",
            Self::Changed { .. } => "changed",
            Self::ProcessEnded { .. } => "process_ended",
            Self::HealBegan { .. } => "heal_began",
            Self::HealEnded { .. } => "heal_ended",
            Self::Told { .. } => "told",
            Self::Over { .. } => "over",
        }
    }
}

/// A line of an incident's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// When: Unix milliseconds.
    pub at: i64,
    /// What.
    #[serde(flatten)]
    pub happening: Happening,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealRecord {
    /// Its number.
    pub id: u64,
    /// The incident that it belongs to.
    pub incident: Option<u64>,
    /// How hard, by name.
    pub rung: String,
    /// A person asked for it.
    pub asked: bool,
    /// What was the matter, by name.
    pub verdict: String,
    /// When it began: Unix milliseconds.
    pub began: i64,
    /// When it ended: Unix milliseconds; `None` while it runs.
    pub ended: Option<i64>,
    /// How it ended, by name.
    pub outcome: Option<String>,
}

/// What became of an incident's alert on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The channel's name.
    pub channel: String,
    /// The alert's kind, by name.
    pub kind: String,
    /// `waiting`, or how it ended.
    pub status: String,
    /// What was wrong last.
    pub problem: Option<String>,
}

impl Change<'_> {
    /// Adds to the timeline of an incident.
    pub fn add_entry(&self, gateway: &str, incident: u64, entry: &Entry) -> Result<(), HistoryError> {
        let sql = "INSERT INTO timeline (gateway, incident, at, what, record) VALUES (?1, ?2, ?3, ?4, ?5)";
        let record = serde_json::to_string(&entry.happening)?;
        let values = (gateway, whole(incident), entry.at, entry.happening.name(), record);
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Stores how far an attempt has come.
    pub fn save_heal(&self, gateway: &str, heal: &HealRecord) -> Result<(), HistoryError> {
        let sql = "INSERT OR REPLACE INTO heals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        self.transaction.prepare_cached(sql)?.execute((
            gateway,
            whole(heal.id),
            heal.incident.map(whole),
            &heal.rung,
            heal.asked,
            &heal.verdict,
            heal.began,
            heal.ended,
            &heal.outcome,
        ))?;
        Ok(())
    }

    /// An attempt is over.
    pub fn end_heal(&self, gateway: &str, heal: u64, at: i64, outcome: &Outcome) -> Result<(), HistoryError> {
        let sql = "UPDATE heals SET ended = ?3, outcome = ?4 WHERE gateway = ?1 AND id = ?2";
        self.transaction.prepare_cached(sql)?.execute((gateway, whole(heal), at, outcome.name()))?;
        Ok(())
    }
}

impl History {
    /// What happened in an incident, the first thing first.
    pub fn timeline(&self, gateway: &str, incident: u64) -> Result<Vec<Entry>, HistoryError> {
        let connection = self.lock();
        let sql = "SELECT at, record FROM timeline WHERE gateway = ?1 AND incident = ?2 ORDER BY id";
        let mut statement = connection.prepare_cached(sql)?;
        let rows =
            statement.query_map((gateway, whole(incident)), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        rows.map(|row| {
            let (at, record) = row?;
            Ok(Entry { at, happening: serde_json::from_str(&record)? })
        })
        .collect()
    }

    /// The newest incidents of a gateway that began before `before` (Unix milliseconds), the newest first.
    pub fn newest_incidents(
        &self,
        gateway: &str,
        before: i64,
        limit: u32,
    ) -> Result<Vec<IncidentSummary>, HistoryError> {
        let connection = self.lock();
        let sql = "SELECT record FROM incidents WHERE gateway = ?1 AND began < ?2 ORDER BY began DESC LIMIT ?3";
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map((gateway, before, limit), |row| row.get::<_, String>(0))?;
        rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
    }

    /// What became of an incident's alerts on each channel, the oldest first.
    pub fn told(&self, gateway: &str, incident: u64) -> Result<Vec<Told>, HistoryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT deliveries.channel, alerts.kind, deliveries.status, deliveries.problem
             FROM alerts JOIN deliveries ON deliveries.alert = alerts.id
             WHERE alerts.gateway = ?1 AND alerts.incident = ?2 ORDER BY deliveries.id",
        )?;
        let rows = statement.query_map((gateway, whole(incident)), |row| {
            Ok(Told { channel: row.get(0)?, kind: row.get(1)?, status: row.get(2)?, problem: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The attempts of a gateway that began in `[from, to)` (Unix milliseconds), the oldest first. The ones that a
    /// person asked for are marked.
    pub fn heals(&self, gateway: &str, from: i64, to: i64) -> Result<Vec<HealRecord>, HistoryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT id, incident, rung, asked, verdict, began, ended, outcome FROM heals
             WHERE gateway = ?1 AND began >= ?2 AND began < ?3 ORDER BY began, id",
        )?;
        let rows = statement.query_map((gateway, from, to), heal)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn heal(row: &Row<'_>) -> rusqlite::Result<HealRecord> {
    Ok(HealRecord {
        id: count(row.get(0)?),
        incident: row.get::<_, Option<i64>>(1)?.map(count),
        rung: row.get(2)?,
        asked: row.get(3)?,
        verdict: row.get(4)?,
        began: row.get(5)?,
        ended: row.get(6)?,
        outcome: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_is_told_in_order_and_every_attempt_is_kept() {
        let history = History::in_memory().unwrap();
        let happenings = [
            Happening::Observed { verdict: Verdict::Gone },
            Happening::ProcessEnded { pid: 7, exit: Exit { code: None, signal: Some(9) } },
            Happening::Changed { verdict: Verdict::NotReady(vec!["discord".to_owned()]), health: Health::Degraded },
            Happening::HealBegan { heal: 3, rung: Rung::Restart, attempt: 1, asked: false },
            Happening::HealEnded { heal: 3, rung: Rung::Restart, outcome: Outcome::ServiceFailed("no".to_owned()) },
            Happening::Told { alert: "down".to_owned() },
            Happening::Over { downtime: 42_000 },
        ];
        let entries: Vec<_> =
            (1..).zip(happenings).map(|(at, happening)| Entry { at: at * 1_000, happening }).collect();
        let running = HealRecord {
            id: 3,
            incident: Some(5),
            rung: "restart".to_owned(),
            asked: true,
            verdict: "gone".to_owned(),
            began: 4_000,
            ended: None,
            outcome: None,
        };
        history
            .change(|change| {
                for entry in &entries {
                    change.add_entry("gateway", 5, entry)?;
                }
                change.save_heal("gateway", &running)
            })
            .unwrap();
        assert_eq!(history.timeline("gateway", 5).unwrap(), entries);
        assert!(history.timeline("gateway", 6).unwrap().is_empty());
        assert_eq!(history.heals("gateway", 0, 4_001).unwrap(), std::slice::from_ref(&running));
        history.change(|change| change.end_heal("gateway", 3, 5_000, &Outcome::Restarted)).unwrap();
        let ended = HealRecord { ended: Some(5_000), outcome: Some("restarted".to_owned()), ..running };
        assert_eq!(history.heals("gateway", 4_000, 4_001).unwrap(), [ended]);
    }
}
