//! The count of unclean ends, by which the gateway holds its channels back after a crash loop.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::platform::clock;

/// Unclean ends within the window that trip it; measured on 2026.9.6.
const TRIPPING: usize = 3;

/// One start.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Boot {
    /// Unix milliseconds.
    began: i64,
    clean: bool,
}

/// The starts of the last window, in `<state>/practice-boots.json` (the real one keeps them in SQLite).
#[derive(Debug)]
pub(super) struct Boots {
    path: PathBuf,
    window: i64,
    /// The last one is this start.
    starts: Vec<Boot>,
    tripped: bool,
}

impl Boots {
    /// Records a start that has not ended yet.
    pub(super) fn begin(state_dir: &Path, window: Duration) -> io::Result<Self> {
        let path = state_dir.join("practice-boots.json");
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        let mut boots: Vec<Boot> = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let now = clock::wall();
        boots.retain(|boot| now - boot.began < window);
        let tripped = boots.iter().filter(|boot| !boot.clean).count() >= TRIPPING;
        boots.push(Boot { began: now, clean: false });
        let this = Self { path, window, starts: boots, tripped };
        this.save()?;
        Ok(this)
    }

    /// Whether the channels are held back now: from a start that found too many unclean ends until the window
    /// holds none of them.
    pub(super) fn tripped(&self) -> bool {
        let now = clock::wall();
        let earlier = self.starts.split_last().map_or(&[][..], |(_, earlier)| earlier);
        self.tripped && earlier.iter().any(|boot| !boot.clean && now - boot.began < self.window)
    }

    /// Records that this start ended in order.
    pub(super) fn end_clean(&mut self) -> io::Result<()> {
        if let Some(boot) = self.starts.last_mut() {
            boot.clean = true;
        }
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        fs::write(&self.path, serde_json::to_vec(&self.starts)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_unclean_ends_trip_it_and_clean_ones_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let begin = || Boots::begin(folder.path(), Duration::from_mins(5)).unwrap();
        for _ in 0..2 {
            assert!(!begin().tripped());
            begin().end_clean().unwrap();
        }
        assert!(!begin().tripped(), "two unclean ends before this start");
        assert!(begin().tripped(), "three unclean ends before this start");
    }

    #[test]
    fn it_lets_go_when_the_window_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let begin = || Boots::begin(folder.path(), Duration::from_mins(5)).unwrap();
        for _ in 0..3 {
            begin();
        }
        let mut boots = begin();
        assert!(boots.tripped());
        boots.window = 0;
        assert!(!boots.tripped());
    }
}
