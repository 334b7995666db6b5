//! Keeps what is measured until it is written, many looks at a time: whoever measures never waits for the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::samples::Sample;
use super::{History, HistoryError};

/// Distance of two writes: what a crash of Lifeguard may lose.
pub const WRITE_EVERY: Duration = Duration::from_secs(30);

/// Writes between two rounds of forgetting: an hour.
const WRITES_BEFORE_PRUNING: u32 = 120;

/// Looks that wait at most, while the history cannot be written: two hours of one gateway.
const MOST_WAITING: usize = 1_000;

/// Collects looks and writes them. Shared by all tasks.
#[derive(Debug)]
pub struct Recorder {
    history: Arc<History>,
    limit: u64,
    waiting: Mutex<Vec<Sample>>,
    writes: Mutex<u32>,
}

impl Recorder {
    /// Writes to `history`, of which at most `limit` bytes are to be in use: it is brought to that size at once.
    #[must_use]
    pub fn open(history: Arc<History>, limit: u64) -> Self {
        if !history.is_read_only()
            && let Err(error) = history.shrink(limit).and_then(|_| history.compact(limit))
        {
            tracing::warn!(%error, limit, "the history could not be made smaller");
        }
        Self { history, limit, waiting: Mutex::default(), writes: Mutex::new(0) }
    }

    /// Takes a look in. Never waits for the disk. Past the limit the oldest is lost.
    pub fn note(&self, sample: Sample) {
        let mut waiting = self.waiting();
        if waiting.len() >= MOST_WAITING {
            waiting.remove(0);
        }
        waiting.push(sample);
    }

    /// Writes what waits, in one transaction, and once an hour forgets what is old (`now` in Unix milliseconds). What
    /// could not be written goes on waiting.
    pub fn write(&self, now: i64) -> Result<(), HistoryError> {
        let batch = std::mem::take(&mut *self.waiting());
        if let Err(error) = self.store(&batch) {
            let mut waiting = self.waiting();
            let newer = std::mem::replace(&mut *waiting, batch);
            waiting.extend(newer);
            let surplus = waiting.len().saturating_sub(MOST_WAITING);
            waiting.drain(..surplus);
            return Err(error);
        }
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        *writes += 1;
        if *writes >= WRITES_BEFORE_PRUNING {
            *writes = 0;
            self.history.prune(now)?;
            self.history.shrink(self.limit)?;
        }
        Ok(())
    }

    fn store(&self, batch: &[Sample]) -> Result<(), HistoryError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut since: BTreeMap<&str, i64> = BTreeMap::new();
        for sample in batch {
            let first = since.entry(&sample.gateway).or_insert(sample.at);
            *first = sample.at.min(*first);
        }
        self.history.change(|change| {
            for sample in batch {
                change.add_sample(sample)?;
            }
            since.iter().try_for_each(|(gateway, since)| change.take_together(gateway, *since))
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::Level;
    use super::*;
    use crate::supervisor::verdict::Health;

    fn sample(gateway: &str, at: i64) -> Sample {
        Sample {
            gateway: gateway.to_owned(),
            at,
            health: Health::Healthy,
            up: Some(true),
            spent: 10_000,
            latency: None,
            memory: None,
            processor: None,
            files: None,
        }
    }

    #[test]
    fn looks_wait_until_they_are_written_and_are_written_once() {
        let history = Arc::new(History::in_memory().unwrap());
        let recorder = Recorder::open(Arc::clone(&history), u64::MAX);
        for (gateway, at) in [("a", 1_000), ("b", 1_500), ("a", 11_000)] {
            recorder.note(sample(gateway, at));
        }
        let stored = || history.points("a", 0, i64::MAX, Level::Looks).unwrap().len();
        assert_eq!(stored(), 0);
        recorder.write(12_000).unwrap();
        recorder.write(12_000).unwrap();
        assert_eq!(stored(), 2);
        let hour = history.uptime("a", 0, 1, Level::Hour).unwrap();
        assert_eq!(hour.up, Duration::from_secs(20));
    }

    #[test]
    fn what_could_not_be_written_waits_and_the_newest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        drop(History::open(folder.path(), None, super::super::tests::at(1)).unwrap());
        let history = Arc::new(History::look(folder.path(), None).unwrap());
        let recorder = Recorder::open(history, u64::MAX);
        for at in 0..1_200 {
            recorder.note(sample("a", at));
        }
        assert!(recorder.write(0).is_err());
        let waiting = recorder.waiting();
        assert_eq!((waiting.len(), waiting.last().unwrap().at), (MOST_WAITING, 1_199));
    }
}
