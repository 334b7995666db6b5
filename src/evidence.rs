//! Evidence: what is stored of an incident before an attempt may destroy it.
//!
//! A bundle is a folder `<incident>-<time>`: `report.json`, `log-tail.txt`, and on macOS `sample.txt`. Nothing in it is
//! larger than [`LARGEST_FILE`], everything is free of secrets as far as `redact` knows them, and only the owner can
//! read it.

mod log;
mod processes;
pub mod report;
mod sample;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

use crate::platform::private::{create_folder, file_name, write};
use crate::supervisor::observation::Identity;
use report::Report;

/// How long collecting may hold up an attempt.
pub const LIMIT: Duration = Duration::from_secs(5);

/// How long the mark of the log's end may hold up an attempt.
const MARK_LIMIT: Duration = Duration::from_millis(500);

/// The largest file of a bundle, in bytes.
pub const LARGEST_FILE: usize = 256 * 1024;

/// Incidents of one gateway whose bundles are kept.
pub const KEPT_INCIDENTS: usize = 20;

/// Last lines of the gateway's log that are kept.
pub const LOG_LINES: usize = 200;

/// The report of a bundle.
pub const REPORT: &str = "report.json";

/// The end of the gateway's log in a bundle.
pub const LOG_TAIL: &str = "log-tail.txt";

/// Where the gateway's process spends its time, as `sample` of macOS sees it.
pub const SAMPLE: &str = "sample.txt";

/// How the time stands in a bundle's name: in UTC.
const NAME_TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Why a bundle could not be stored, or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// It took too long; what was written by then is there.
    #[error("it was not complete within {} s; the attempt goes on without the rest", LIMIT.as_secs())]
    TooSlow,
    /// The system refused.
    #[error("{}: {cause}; make the folder writable, or free some space", place.display())]
    Unusable {
        /// The file or folder.
        place: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The report is not one.
    #[error("{} is damaged: {cause}", place.display())]
    Damaged {
        /// The file.
        place: PathBuf,
        /// What is wrong.
        cause: serde_json::Error,
    },
}

impl EvidenceError {
    fn at(place: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let place = place.to_owned();
        move |cause| Self::Unusable { place: place.clone(), cause }
    }
}

/// A stored bundle, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Number of the incident.
    pub incident: u64,
    /// When it was taken: Unix milliseconds.
    pub taken: i64,
    /// Where it is.
    pub folder: PathBuf,
}

impl Bundle {
    fn of(folder: PathBuf) -> Option<Self> {
        let name = folder.file_name()?.to_str()?;
        let (incident, time) = name.split_once('-')?;
        let time = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", time).ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(Self { incident: incident.parse().ok()?, taken: time.timestamp().as_millisecond(), folder })
    }

    /// Its report.
    pub fn report(&self) -> Result<Report, EvidenceError> {
        let place = self.folder.join(REPORT);
        let text = std::fs::read(&place).map_err(EvidenceError::at(&place))?;
        serde_json::from_slice(&text).map_err(|cause| EvidenceError::Damaged { place, cause })
    }

    /// The end of the gateway's log; `None` if it is not in the bundle.
    #[must_use]
    pub fn log_tail(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.join(LOG_TAIL)).ok()
    }
}

/// What is to be looked at for a bundle, beside what the report says already.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The gateway's process, if one runs.
    pub process: Option<Identity>,
    /// The gateway's log, where it is known.
    pub log: Option<PathBuf>,
    /// Where the log ended when the attempt began, in bytes: what a new process writes after that proves nothing.
    pub log_end: Option<u64>,
}

impl Sources {
    /// Notes where the log ends now.
    pub async fn mark_log_end(&mut self) {
        let Some(log) = self.log.clone() else { return };
        // A disk that does not answer must not hold up the attempt.
        if let Ok(Ok(metadata)) = timeout(MARK_LIMIT, tokio::fs::metadata(log)).await {
            self.log_end = Some(metadata.len());
        }
    }
}

/// Where the bundles of one gateway are.
#[derive(Debug, Clone)]
pub struct EvidenceStore {
    folder: PathBuf,
    newest: Arc<Mutex<Option<PathBuf>>>,
}

impl EvidenceStore {
    /// The bundles of the gateway `name` in Lifeguard's state folder.
    #[must_use]
    pub fn new(state_dir: &Path, name: &str) -> Self {
        let folder = state_dir.join("incidents").join(file_name(name));
        let newest = bundles(&folder).into_iter().next().map(|bundle| bundle.folder);
        Self { folder, newest: Arc::new(Mutex::new(newest)) }
    }

    /// The newest bundle's folder, as far as it was stored or found by this process.
    #[must_use]
    pub fn newest(&self) -> Option<PathBuf> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every bundle, the newest first.
    #[must_use]
    pub fn bundles(&self) -> Vec<Bundle> {
        bundles(&self.folder)
    }

    /// Stores a bundle within [`LIMIT`]; gives its folder. What could not be had in time is left out.
    pub async fn collect(&self, report: Report, sources: Sources) -> Result<PathBuf, EvidenceError> {
        let deadline = Instant::now() + LIMIT;
        let folder = self.folder.join(name_of(&report));
        let (process, own, place) = (sources.process.clone(), self.folder.clone(), folder.clone());
        let written = spawn_blocking(move || {
            let written = store(&place, report, &sources);
            rotate(&own, KEPT_INCIDENTS);
            written
        });
        match timeout_at(deadline, written).await {
            Ok(Ok(written)) => written?,
            Ok(Err(ended)) => return Err(EvidenceError::at(&folder)(io::Error::other(ended))),
            Err(_) => return Err(EvidenceError::TooSlow),
        }
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.clone());
        if let Some(process) = process.filter(|_| cfg!(target_os = "macos")) {
            let left = deadline.saturating_duration_since(Instant::now());
            sample::take(sample::PROGRAM, process.pid, &folder.join(SAMPLE), left).await;
        }
        Ok(folder)
    }
}

fn name_of(report: &Report) -> String {
    let taken = Timestamp::from_millisecond(report.taken).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{}-{}", report.incident, taken.strftime(NAME_TIME))
}

fn store(folder: &Path, mut report: Report, sources: &Sources) -> Result<(), EvidenceError> {
    create_folder(folder).map_err(EvidenceError::at(folder))?;
    report.process = sources.process.as_ref().and_then(processes::facts);
    report.tidy();
    let place = folder.join(REPORT);
    let text =
        serde_json::to_vec_pretty(&report).map_err(|cause| EvidenceError::Damaged { place: place.clone(), cause })?;
    write(&place, &text).map_err(EvidenceError::at(&place))?;
    if let Some(log) = &sources.log {
        let place = folder.join(LOG_TAIL);
        let tail =
            log::tail(log, LOG_LINES, sources.log_end).unwrap_or_else(|cause| format!("{}: {cause}\n", log.display()));
        write(&place, tail.as_bytes()).map_err(EvidenceError::at(&place))?;
    }
    Ok(())
}

/// The bundles in a folder, the newest first; whatever else is there is passed over.
fn bundles(folder: &Path) -> Vec<Bundle> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Bundle> = entries.filter_map(|entry| Bundle::of(entry.ok()?.path())).collect();
    found.sort_by_key(|bundle| std::cmp::Reverse((bundle.taken, bundle.incident)));
    found
}

/// Removes the bundles of all but the newest `kept` incidents.
fn rotate(folder: &Path, kept: usize) {
    let mut incidents = Vec::new();
    for bundle in bundles(folder) {
        if !incidents.contains(&bundle.incident) {
            incidents.push(bundle.incident);
        }
        if incidents.len() > kept
            && !incidents[..kept].contains(&bundle.incident)
            && let Err(cause) = std::fs::remove_dir_all(&bundle.folder)
        {
            tracing::warn!(bundle = %bundle.folder.display(), %cause, "an old bundle could not be removed");
        }
    }
}

/// The text cut to so many bytes, at the beginning, since the end of a log says most.
fn end_of(text: &str, most: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(most))..]
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::supervisor::observation::Exit;

    const AT: i64 = 1_795_356_202_007;

    fn report(incident: u64, taken: i64) -> Report {
        Report { incident, taken, gateway: "home".to_owned(), ..Report::default() }
    }

    fn me() -> Identity {
        let me = crate::platform::process::identify(std::process::id()).unwrap();
        Identity { pid: me.key.pid, started: me.key.started, command: me.command() }
    }

    #[tokio::test]
    async fn a_bundle_is_private_whole_and_free_of_secrets() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("gateway.log");
        let lines: Vec<String> =
            (0..1_000).map(|number| format!("line {number} token=abcdefghijkl\u{1b}[0m")).collect();
        std::fs::write(&log, lines.join("\n")).unwrap();
        let store = EvidenceStore::new(home.path(), "home/1");
        assert_eq!(store.newest(), None);
        let mut written = report(7, AT);
        written.exit = Some(Exit { code: Some(1), signal: None });
        written.summary = "failed with token=abcdefghijkl".to_owned();
        let folder =
            store.collect(written, Sources { process: Some(me()), log: Some(log), log_end: None }).await.unwrap();
        assert_eq!(store.newest(), Some(folder.clone()));
        assert!(folder.ends_with("incidents/home-1/7-20261122T140322.007Z"), "{}", folder.display());
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(REPORT)), mode(&folder.join(LOG_TAIL))), (0o700, 0o600, 0o600));

        let [bundle] = &store.bundles()[..] else { panic!("{:?}", store.bundles()) };
        assert_eq!((bundle.incident, bundle.taken), (7, AT));
        let report = bundle.report().unwrap();
        assert_eq!(report.summary, "failed with token=[hidden]");
        let process = report.process.unwrap();
        assert_eq!(process.pid, std::process::id());
        assert!(process.open_files.unwrap() > 3 && process.memory.unwrap() > 1_000_000, "{process:?}");
        let tail = bundle.log_tail().unwrap();
        let tail: Vec<&str> = tail.lines().collect();
        assert_eq!((tail.len(), tail[0], tail[199]), (200, "line 800 token=[hidden]", "line 999 token=[hidden]"));
    }

    #[tokio::test]
    async fn a_log_that_is_not_there_and_a_process_that_is_gone_are_no_reason_to_store_nothing() {
        let home = tempfile::tempdir().unwrap();
        let store = EvidenceStore::new(home.path(), "home");
        let gone = Identity { started: 1, ..me() };
        let log = home.path().join("none.log");
        store.collect(report(1, AT), Sources { process: Some(gone), log: Some(log), log_end: None }).await.unwrap();
        let bundle = &store.bundles()[0];
        assert_eq!(bundle.report().unwrap().process, None);
        assert!(bundle.log_tail().unwrap().contains("none.log"), "{:?}", bundle.log_tail());
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_used_is_told() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("incidents"), "a file").unwrap();
        let store = EvidenceStore::new(home.path(), "home");
        let error = store.collect(report(1, AT), Sources::default()).await.unwrap_err();
        assert!(error.to_string().contains("make the folder writable"), "{error}");
        assert_eq!(store.newest(), None);
    }

    #[tokio::test]
    async fn the_newest_incidents_are_kept_with_all_their_bundles() {
        let home = tempfile::tempdir().unwrap();
        let store = EvidenceStore::new(home.path(), "home");
        let stranger = home.path().join("incidents/home/notes");
        std::fs::create_dir_all(&stranger).unwrap();
        for incident in 1..=25 {
            // The numbers begin anew when the state is lost: the time tells which is newest.
            for bundle in 0..2 {
                let taken = AT + 1_000 * (2 * incident + bundle);
                store.collect(report(u64::try_from(30 - incident).unwrap(), taken), Sources::default()).await.unwrap();
            }
        }
        let kept: Vec<u64> = store.bundles().iter().map(|bundle| bundle.incident).collect();
        let expected: Vec<u64> = (5..=24).flat_map(|incident| [incident, incident]).collect();
        assert_eq!(kept, expected);
        assert!(stranger.exists());
        let again = EvidenceStore::new(home.path(), "home");
        assert_eq!(again.newest(), Some(store.bundles()[0].folder.clone()));
    }

    #[test]
    fn the_end_of_a_text_begins_at_a_letter() {
        assert_eq!(end_of("가나다", 4), "다");
        assert_eq!(end_of("가나다", 100), "가나다");
    }
}
