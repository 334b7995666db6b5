//! Alerts, and what became of them on each channel.

use rusqlite::{OptionalExtension, Row};

use super::{Change, History, HistoryError};

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRecord {
    /// Its number.
    pub id: i64,
    /// The gateway's name.
    pub gateway: String,
    /// The incident that it belongs to.
    pub incident: Option<u64>,
    /// The kind's name.
    pub kind: String,
    /// When it happened: Unix milliseconds.
    pub happened: i64,
    /// When it was recorded: Unix milliseconds.
    pub recorded: i64,
    /// The whole alert, in a format of the alerts' own.
    pub record: String,
}

/// One channel's part of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// Its number; grows.
    pub id: i64,
    /// The alert's number.
    pub alert: i64,
    /// The channel's name.
    pub channel: String,
    /// It changes an earlier message.
    pub edit: bool,
    /// When it was to be told first: Unix milliseconds.
    pub queued: i64,
    /// It stands for an earlier alert of the incident.
    pub folded: bool,
    /// A request was on its way, and its end is not known.
    pub claimed: bool,
    /// Attempts made.
    pub attempts: u32,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The receiving side confirmed it.
    Delivered,
    /// Another alert tells it.
    Folded,
    /// It was too old.
    Expired,
    /// The receiving side refused it for good.
    Refused,
}

impl Settled {
    /// The word in the file and in `alerts list`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Folded => "folded",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }
}

/// One line of `alerts list`: an alert and its way on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The alert.
    pub alert: AlertRecord,
    /// The channel, if any was to tell it.
    pub channel: Option<String>,
    /// It changed an earlier message.
    pub edit: bool,
    /// `waiting`, or how it ended.
    pub status: Option<String>,
    /// Attempts made.
    pub attempts: u32,
    /// When it ended: Unix milliseconds.
    pub settled: Option<i64>,
    /// What was wrong last.
    pub problem: Option<String>,
}

impl Change<'_> {
    /// Stores an alert.
    pub fn add_alert(&self, alert: &AlertRecord) -> Result<(), HistoryError> {
        let sql = "INSERT INTO alerts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.transaction.prepare_cached(sql)?.execute((
            alert.id,
            &alert.gateway,
            alert.incident.map(|id| i64::try_from(id).unwrap_or(i64::MAX)),
            &alert.kind,
            alert.happened,
            alert.recorded,
            &alert.record,
        ))?;
        Ok(())
    }

    /// Stores a delivery that waits.
    pub fn add_delivery(&self, delivery: &DeliveryRecord) -> Result<(), HistoryError> {
        let sql = "INSERT INTO deliveries VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, NULL, NULL, NULL, NULL)";
        self.transaction.prepare_cached(sql)?.execute((
            delivery.id,
            delivery.alert,
            &delivery.channel,
            if delivery.edit { "edit" } else { "new" },
            delivery.queued,
            delivery.folded,
            delivery.attempts,
        ))?;
        Ok(())
    }

    /// A request is about to be sent.
    pub fn claim(&self, delivery: i64, now: i64) -> Result<(), HistoryError> {
        let sql = "UPDATE deliveries SET claimed = ?2, attempts = attempts + 1 WHERE id = ?1";
        self.transaction.prepare_cached(sql)?.execute([delivery, now])?;
        Ok(())
    }

    /// An attempt failed. `sure`: it certainly did not arrive.
    pub fn release(&self, delivery: i64, sure: bool, problem: &str) -> Result<(), HistoryError> {
        let sql = "UPDATE deliveries SET claimed = iif(?2, NULL, claimed), problem = ?3 WHERE id = ?1";
        self.transaction.prepare_cached(sql)?.execute((delivery, sure, problem))?;
        Ok(())
    }

    /// A delivery is over.
    pub fn settle(
        &self,
        delivery: i64,
        how: Settled,
        now: i64,
        problem: Option<&str>,
        reference: Option<&str>,
    ) -> Result<(), HistoryError> {
        let sql = "UPDATE deliveries SET status = ?2, settled = ?3, claimed = NULL, problem = ?4, reference = ?5 WHERE id = ?1";
        self.transaction.prepare_cached(sql)?.execute((delivery, how.name(), now, problem, reference))?;
        Ok(())
    }

    /// Stores what a channel remembers.
    pub fn save_channel(&self, channel: &str, record: &str) -> Result<(), HistoryError> {
        let sql = "INSERT INTO channels VALUES (?1, ?2) ON CONFLICT (channel) DO UPDATE SET record = excluded.record";
        self.transaction.prepare_cached(sql)?.execute([channel, record])?;
        Ok(())
    }
}

impl History {
    /// What a channel has still to tell, the oldest first, with the alerts.
    pub fn waiting(&self, channel: &str) -> Result<Vec<(DeliveryRecord, AlertRecord)>, HistoryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT alerts.*, deliveries.id, deliveries.form, deliveries.queued, deliveries.folded,
             deliveries.claimed, deliveries.attempts
             FROM deliveries JOIN alerts ON alerts.id = deliveries.alert
             WHERE deliveries.channel = ?1 AND deliveries.status = 'waiting' ORDER BY deliveries.id",
        )?;
        let rows = statement.query_map([channel], |row| {
            let alert = alert(row)?;
            let delivery = DeliveryRecord {
                id: row.get(7)?,
                alert: alert.id,
                channel: channel.to_owned(),
                edit: row.get::<_, String>(8)? == "edit",
                queued: row.get(9)?,
                folded: row.get(10)?,
                claimed: row.get::<_, Option<i64>>(11)?.is_some(),
                attempts: row.get(12)?,
            };
            Ok((delivery, alert))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first message of each incident on a channel that names its messages: gateway, incident, reference; the
    /// newest `limit`, the oldest first.
    pub fn messages(&self, channel: &str, limit: u32) -> Result<Vec<(String, u64, String)>, HistoryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT alerts.gateway, alerts.incident, deliveries.reference, min(deliveries.id)
             FROM deliveries JOIN alerts ON alerts.id = deliveries.alert
             WHERE deliveries.channel = ?1 AND deliveries.form = 'new' AND deliveries.reference IS NOT NULL
             AND alerts.incident IS NOT NULL
             GROUP BY alerts.gateway, alerts.incident ORDER BY 4 DESC LIMIT ?2",
        )?;
        let rows = statement.query_map((channel, limit), |row| {
            Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0), row.get(2)?))
        })?;
        let mut messages = rows.collect::<Result<Vec<_>, _>>()?;
        messages.reverse();
        Ok(messages)
    }

    /// Whether another channel's receiving side has confirmed an alert.
    pub fn receipted_elsewhere(&self, alert: i64, channel: &str) -> Result<bool, HistoryError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM deliveries
                   WHERE alert = ?1 AND channel <> ?2 AND form = 'new' AND status = 'delivered')";
        Ok(self.lock().query_row(sql, (alert, channel), |row| row.get(0))?)
    }

    /// What a channel remembers.
    pub fn channel(&self, channel: &str) -> Result<Option<String>, HistoryError> {
        let sql = "SELECT record FROM channels WHERE channel = ?1";
        Ok(self.lock().query_row(sql, [channel], |row| row.get(0)).optional()?)
    }

    /// The newest delivery on a channel that ended so: when, and the alert's kind.
    pub fn newest(&self, channel: &str, how: Settled) -> Result<Option<(i64, String)>, HistoryError> {
        let sql = "SELECT deliveries.settled, alerts.kind FROM deliveries JOIN alerts ON alerts.id = deliveries.alert
                   WHERE deliveries.channel = ?1 AND deliveries.status = ?2 ORDER BY deliveries.settled DESC LIMIT 1";
        Ok(self.lock().query_row(sql, [channel, how.name()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    /// The newest alerts and their way on each channel, the newest first.
    pub fn passed(&self, limit: u32) -> Result<Vec<Passed>, HistoryError> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT alerts.*, deliveries.channel, deliveries.form, deliveries.status, deliveries.attempts,
             deliveries.settled, deliveries.problem
             FROM alerts LEFT JOIN deliveries ON deliveries.alert = alerts.id
             WHERE alerts.id IN (SELECT id FROM alerts ORDER BY id DESC LIMIT ?1)
             ORDER BY alerts.id DESC, deliveries.id",
        )?;
        let rows = statement.query_map([limit], |row| {
            Ok(Passed {
                alert: alert(row)?,
                channel: row.get(7)?,
                edit: row.get::<_, Option<String>>(8)?.as_deref() == Some("edit"),
                status: row.get(9)?,
                attempts: row.get::<_, Option<u32>>(10)?.unwrap_or(0),
                settled: row.get(11)?,
                problem: row.get(12)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn alert(row: &Row<'_>) -> rusqlite::Result<AlertRecord> {
    Ok(AlertRecord {
        id: row.get(0)?,
        gateway: row.get(1)?,
        incident: row.get::<_, Option<i64>>(2)?.and_then(|id| u64::try_from(id).ok()),
        kind: row.get(3)?,
        happened: row.get(4)?,
        recorded: row.get(5)?,
        record: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(id: i64, incident: u64) -> AlertRecord {
        AlertRecord {
            id,
            gateway: "gateway".to_owned(),
            incident: Some(incident),
            kind: "down".to_owned(),
            happened: 1_000,
            recorded: 1_001,
            record: "{}".to_owned(),
        }
    }

    fn delivery(id: i64, alert: i64) -> DeliveryRecord {
        DeliveryRecord {
            id,
            alert,
            channel: "discord".to_owned(),
            edit: false,
            queued: 1_001,
            folded: false,
            claimed: false,
            attempts: 0,
        }
    }

    fn stored() -> History {
        let history = History::in_memory().unwrap();
        history
            .change(|change| {
                for id in [1, 2] {
                    change.add_alert(&alert(id, 7))?;
                    change.add_delivery(&delivery(id, id))?;
                }
                Ok(())
            })
            .unwrap();
        history
    }

    #[test]
    fn a_delivery_waits_until_it_is_settled() {
        let history = stored();
        let mut claimed = delivery(1, 1);
        assert_eq!(history.waiting("discord").unwrap()[0], (claimed.clone(), alert(1, 7)));
        assert!(history.waiting("native").unwrap().is_empty());
        history.change(|change| change.claim(1, 2_000)).unwrap();
        claimed.claimed = true;
        claimed.attempts = 1;
        assert_eq!(history.waiting("discord").unwrap()[0].0, claimed);
        history.change(|change| change.release(1, false, "cut")).unwrap();
        assert!(history.waiting("discord").unwrap()[0].0.claimed, "it may have arrived");
        history.change(|change| change.release(1, true, "refused")).unwrap();
        assert!(!history.waiting("discord").unwrap()[0].0.claimed);
        history.change(|change| change.settle(1, Settled::Delivered, 3_000, None, Some("m1"))).unwrap();
        assert_eq!(history.waiting("discord").unwrap().len(), 1);
        assert_eq!(history.newest("discord", Settled::Delivered).unwrap(), Some((3_000, "down".to_owned())));
        assert_eq!(history.newest("discord", Settled::Refused).unwrap(), None);
        let passed = history.passed(10).unwrap();
        assert_eq!(
            passed.iter().map(|line| line.status.as_deref()).collect::<Vec<_>>(),
            [Some("waiting"), Some("delivered")]
        );
    }

    #[test]
    fn the_first_message_of_an_incident_is_the_one_that_moves() {
        let history = stored();
        for id in [1, 2] {
            history
                .change(|change| change.settle(id, Settled::Delivered, 3_000, None, Some(&format!("m{id}"))))
                .unwrap();
        }
        assert_eq!(history.messages("discord", 5).unwrap(), [("gateway".to_owned(), 7, "m1".to_owned())]);
    }

    #[test]
    fn what_is_old_is_forgotten_with_its_deliveries() {
        let history = stored();
        history.prune(1_001 + 30 * super::super::DAY).unwrap();
        assert_eq!(history.passed(10).unwrap().len(), 2);
        history.prune(1_002 + 30 * super::super::DAY).unwrap();
        assert!(history.passed(10).unwrap().is_empty());
        assert!(history.waiting("discord").unwrap().is_empty());
    }
}
