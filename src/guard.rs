//! The config guard: copies of OpenClaw's configuration that were good, what was changed since, and the way back.
//!
//! A copy is a file `<time>.json` in Lifeguard's own state folder, mode 0600. Which configuration is good is for the
//! core to say; this room looks, keeps and puts back. The person's edit is never destroyed. [`backup`] copies the rest of
//! OpenClaw's state before its own doctor changes it.

pub mod backup;
mod difference;
pub mod document;
mod place;

use std::hash::Hasher;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::platform::private::{create_folder, file_name, write};
use crate::supervisor::configuration::{Alteration, ConfigChange, ConfigStanding};

/// Copies that are kept.
pub const KEPT_COPIES: usize = 10;

/// The largest configuration that is read, in bytes. Real ones have a few thousand.
pub const LARGEST: u64 = 4 * 1024 * 1024;

/// Limit for one look: reading a small file, seldom two.
const LOOK_LIMIT: Duration = Duration::from_millis(500);

/// How the time stands in a copy's name: in UTC.
const NAME_TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

/// Why the config guard could not do its work. The text is shown to people.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The system refused.
    #[error("{}: {cause}; check that it can be read and written", place.display())]
    Unusable {
        /// The file or folder.
        place: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Copies hold secrets: within a git tree somebody would commit them.
    #[error("{} lies in a git tree, where no copy is kept; set LIFEGUARD_STATE_DIR to another folder", .0.display())]
    InGitTree(PathBuf),
    /// It is far larger than any real one.
    #[error("{} has more than {} MiB, which no configuration has", .0.display(), LARGEST / (1024 * 1024))]
    TooLarge(PathBuf),
    /// More state than can be copied.
    #[error("{} is too large to be copied first; run `openclaw doctor --fix` yourself", .0.display())]
    TooMuchState(PathBuf),
    /// It was edited a moment ago.
    #[error("{} was edited a moment ago and is left as it is; try again", .0.display())]
    JustEdited(PathBuf),
    /// There is nothing to put back.
    #[error("no good configuration of this gateway is kept yet")]
    NoCopy,
    /// The newest copy is what is there already.
    #[error("the configuration is the one that was good: there is nothing to put back")]
    Unchanged,
    /// A link that leads out of the configuration's folder: what lies there is not this gateway's alone.
    #[error(
        "{} is a link to {}, outside of its folder, and is left as it is; put {} there yourself",
        config.display(), target.display(), copy.display()
    )]
    LeadsElsewhere {
        /// The configuration.
        config: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// The copy that was to be put back.
        copy: PathBuf,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to another user and is left as it is", .0.display())]
    Foreign(PathBuf),
}

impl GuardError {
    fn at(place: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let place = place.to_owned();
        move |cause| Self::Unusable { place: place.clone(), cause }
    }
}

/// A copy that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// When it was taken: Unix milliseconds.
    pub taken: i64,
    /// Where it is.
    pub path: PathBuf,
}

impl Copy {
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
        let time = DateTime::strptime("%Y%m%dT%H%M%S%.fZ", name).ok()?.to_zoned(TimeZone::UTC).ok()?;
        Some(Self { taken: time.timestamp().as_millisecond(), path })
    }
}

/// What a look at the configuration found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Fingerprint of its content; `None` if there is none.
    pub stamp: Option<u64>,
    /// When it was changed last: Unix milliseconds.
    pub edited: Option<i64>,
    /// How it compares to the newest copy.
    pub standing: ConfigStanding,
}

/// What was put back, and where the person's edit is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBack {
    /// When the copy was taken: Unix milliseconds.
    pub good: i64,
    /// The configuration that was there; `None` if none was.
    pub kept_beside: Option<PathBuf>,
}

/// The config guard of one gateway.
#[derive(Debug, Clone)]
pub struct ConfigGuard {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    config: PathBuf,
    /// Whether copies are kept and compared.
    keeps: bool,
    /// One look at a time: a disk that does not answer holds up one thread.
    looking: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
}

/// What the last look found, and of which state of the file.
#[derive(Debug, Default)]
struct Known {
    state: Option<FileState>,
    look: Look,
}

/// A file's length and times. A file that changes has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    length: u64,
    inode: u64,
    edited: i64,
}

impl ConfigGuard {
    /// The guard of the gateway `name` in Lifeguard's state folder, whose configuration is `config`. Without `keeps`
    /// it only looks.
    #[must_use]
    pub fn new(state_dir: &Path, name: &str, config: &Path, keeps: bool) -> Self {
        let folder = state_dir.join("configs").join(file_name(name));
        let (looking, known) = (Arc::default(), Mutex::default());
        Self { shared: Arc::new(Shared { folder, config: config.to_owned(), keeps, looking, known }) }
    }

    /// The configuration that it guards.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.shared.config
    }

    /// Every copy, the newest first.
    #[must_use]
    pub fn copies(&self) -> Vec<Copy> {
        copies(&self.shared.folder)
    }

    /// Looks at the configuration, within half a second. A file that cannot be read counts as not looked at.
    pub async fn look(&self) -> Look {
        self.look_and(|| ()).await.0
    }

    /// Looks at the configuration, and does something else on the same disk and the same thread; both within half a
    /// second. `None`: it was not done in time.
    pub async fn look_and<T: Send + 'static>(&self, also: impl FnOnce() -> T + Send + 'static) -> (Look, Option<T>) {
        let shared = Arc::clone(&self.shared);
        let Ok(turn) = Arc::clone(&shared.looking).try_lock_owned() else { return (Look::default(), None) };
        let looked = spawn_blocking(move || {
            let _turn = turn;
            (shared.look(), also())
        });
        match timeout(LOOK_LIMIT, looked).await {
            Ok(Ok((Ok(look), done))) => (look, Some(done)),
            Ok(Ok((Err(error), done))) => {
                tracing::debug!(%error, "the configuration cannot be looked at");
                (Look::default(), Some(done))
            }
            // A disk that does not answer is told by the look at the disk.
            Ok(Err(_)) | Err(_) => (Look::default(), None),
        }
    }

    /// Keeps a copy of the configuration, if it still has this fingerprint and none is kept of it.
    pub async fn keep(&self, stamp: u64, now: i64) -> Result<(), GuardError> {
        let shared = Arc::clone(&self.shared);
        self.work(move || shared.keep(stamp, now)).await
    }

    /// Puts the newest copy in the configuration's place; what is there is kept beside it.
    pub async fn roll_back(&self, now: i64) -> Result<RolledBack, GuardError> {
        let shared = Arc::clone(&self.shared);
        self.work(move || shared.roll_back(now)).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, GuardError> + Send + 'static,
    ) -> Result<T, GuardError> {
        spawn_blocking(work)
            .await
            .unwrap_or_else(|ended| Err(GuardError::at(&self.shared.folder)(io::Error::other(ended))))
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) -> Result<Look, GuardError> {
        let state = state_of(&self.config).map_err(GuardError::at(&self.config))?;
        {
            let known = self.known();
            if state.is_some() && known.state == state {
                return Ok(known.look.clone());
            }
        }
        let content = read(&self.config)?;
        let look = Look {
            stamp: content.as_deref().map(fingerprint),
            edited: state.map(|state| state.edited),
            standing: self.compare(content.as_deref())?,
        };
        *self.known() = Known { state, look: look.clone() };
        Ok(look)
    }

    fn compare(&self, content: Option<&[u8]>) -> Result<ConfigStanding, GuardError> {
        let Some(newest) = copies(&self.folder).into_iter().next().filter(|_| self.keeps) else {
            return Ok(ConfigStanding::Unknown);
        };
        let Some(good) = read(&newest.path)? else { return Ok(ConfigStanding::Unknown) };
        let alteration = match content {
            None => Alteration::Missing,
            Some(content) if content == good => return Ok(ConfigStanding::Good),
            Some(content) => difference::between(&good, content),
        };
        Ok(ConfigStanding::Changed(ConfigChange { good: newest.taken, alteration }))
    }

    fn keep(&self, stamp: u64, now: i64) -> Result<(), GuardError> {
        if !self.keeps {
            return Ok(());
        }
        let content = read(&self.config)?.filter(|content| fingerprint(content) == stamp);
        let content = content.ok_or_else(|| GuardError::JustEdited(self.config.clone()))?;
        let newest = copies(&self.folder).into_iter().next();
        let known = newest.map(|newest| read(&newest.path)).transpose()?.flatten();
        if known.is_some_and(|known| known == content) {
            return Ok(());
        }
        if is_in_git_tree(&self.folder) {
            return Err(GuardError::InGitTree(self.folder.clone()));
        }
        create_folder(&self.folder).map_err(GuardError::at(&self.folder))?;
        let copy = self.folder.join(format!("{}.json", stamped(now)));
        write(&copy, &content).map_err(GuardError::at(&copy))?;
        for old in copies(&self.folder).into_iter().skip(KEPT_COPIES) {
            std::fs::remove_file(&old.path).map_err(GuardError::at(&old.path))?;
        }
        *self.known() = Known::default();
        Ok(())
    }

    fn roll_back(&self, now: i64) -> Result<RolledBack, GuardError> {
        let newest = copies(&self.folder).into_iter().next().ok_or(GuardError::NoCopy)?;
        let good = read(&newest.path)?.ok_or(GuardError::NoCopy)?;
        let kept_beside = place::put_back(&self.config, &newest.path, &good, &stamped(now))?;
        *self.known() = Known::default();
        Ok(RolledBack { good: newest.taken, kept_beside })
    }
}

fn stamped(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH).strftime(NAME_TIME).to_string()
}

/// The copies in a folder, the newest first; whatever else is there is passed over.
fn copies(folder: &Path) -> Vec<Copy> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Copy> = entries.filter_map(|entry| Copy::of(entry.ok()?.path())).collect();
    found.sort_by_key(|copy| std::cmp::Reverse(copy.taken));
    found
}

/// A file's content; `None` if there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, GuardError> {
    if state_of(path).map_err(GuardError::at(path))?.is_none() {
        return Ok(None);
    }
    let mut content = Vec::new();
    match std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut content)) {
        Ok(_) if content.len() as u64 > LARGEST => Err(GuardError::TooLarge(path.to_owned())),
        Ok(_) => Ok(Some(content)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(GuardError::at(path)(cause)),
    }
}

/// Length and times of a file, or of the link that leads to it where that is newer; `None` if there is no such file.
/// The time of the last change of its entry counts as well: a file that is moved here brings its old time along.
fn state_of(path: &Path) -> io::Result<Option<FileState>> {
    let metadata = match std::fs::metadata(path) {
        // To open a pipe would wait for its other end.
        Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("it is no ordinary file")),
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    let link = std::fs::symlink_metadata(path)?;
    let milliseconds =
        |seconds: i64, nanoseconds: i64| seconds.saturating_mul(1000).saturating_add(nanoseconds.div_euclid(1_000_000));
    let times = [&metadata, &link].map(|metadata| {
        let changed = milliseconds(metadata.ctime(), metadata.ctime_nsec());
        changed.max(milliseconds(metadata.mtime(), metadata.mtime_nsec()))
    });
    let edited = times[0].max(times[1]);
    Ok(Some(FileState { length: metadata.len(), inode: metadata.ino(), edited }))
}

/// Fingerprint of a file's bytes: to see a change, not to withstand an attack.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> u64 {
    // Its keys are fixed, so that the same bytes give the same number in every run.
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Whether a folder, there already or not, lies in a work tree of git.
fn is_in_git_tree(folder: &Path) -> bool {
    let real = folder.ancestors().find_map(|above| above.canonicalize().ok());
    let real = real.as_deref().unwrap_or(folder);
    [folder, real].iter().any(|folder| folder.ancestors().any(|above| above.join(".git").exists()))
}

#[cfg(test)]
mod tests;
