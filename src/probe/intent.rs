//! What somebody has done to the gateway on purpose, as its own records and the process table tell.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::platform::clock;
use crate::platform::process::{arguments_of_user, own_uid};
use crate::service::GatewaySetup;
use crate::supervisor::intent::{Intent, IntentSeen};
use crate::supervisor::observation::ServiceState;

/// Limit for a look through the process table.
const LOOK_LIMIT: Duration = Duration::from_millis(500);

/// So much of the record's end is read, in bytes: some hundred deeds.
const TAIL: u64 = 16 * 1024;

/// Distance of two looks through the process table for an update.
const UPDATE_LOOK: Duration = Duration::from_secs(10);

/// Looks for deeds.
#[derive(Debug, Clone)]
pub struct IntentProbe {
    record: PathBuf,
    update: Arc<Mutex<Update>>,
}

#[derive(Debug, Default)]
struct Update {
    looked: Option<Instant>,
    /// When the update that runs was first seen: Unix milliseconds.
    seen: Option<i64>,
}

impl IntentProbe {
    /// Deeds to the gateway of this setup: `<state>/logs/gateway-restart.log` (gateway.md, section 2).
    #[must_use]
    pub fn new(setup: &GatewaySetup) -> Self {
        Self { record: setup.state_dir.join("logs/gateway-restart.log"), update: Arc::default() }
    }

    /// What reads the newest deed from the record. It blocks.
    pub fn read_record(&self) -> impl FnOnce() -> Option<IntentSeen> + Send + use<> {
        let record = self.record.clone();
        move || tail(&record).and_then(|text| newest(&text))
    }

    /// The newest deed that may explain what is seen, beside the one of the record; `suspicious`: the gateway does not
    /// answer, and it is worth looking through the process table.
    pub async fn look(&self, recorded: Option<IntentSeen>, suspicious: bool) -> Option<IntentSeen> {
        let update_is_due = suspicious && {
            let mut update = self.update();
            let due = update.looked.is_none_or(|looked| looked.elapsed() >= UPDATE_LOOK);
            if due {
                update.looked = Some(Instant::now());
            }
            due
        };
        let updating = if update_is_due { is_updating().await } else { None };
        let mut update = self.update();
        match updating {
            Some(true) => {
                update.seen.get_or_insert_with(clock::wall);
            }
            Some(false) => update.seen = None,
            None if !suspicious => update.seen = None,
            None => {}
        }
        match update.seen {
            Some(at) => Some(IntentSeen { intent: Intent::Update, at }),
            None => recorded,
        }
    }

    fn update(&self) -> std::sync::MutexGuard<'_, Update> {
        self.update.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether OpenClaw updates itself; `None` if that could not be found out in time.
async fn is_updating() -> Option<bool> {
    let looked = spawn_blocking(|| arguments_of_user(own_uid()).iter().any(|(_, argv)| is_update(argv)));
    match timeout(LOOK_LIMIT, looked).await {
        Ok(Ok(found)) => Some(found),
        Ok(Err(error)) => {
            tracing::error!(%error, "looking for an update ended badly");
            None
        }
        Err(_) => None,
    }
}

/// A service that is switched off right after its gateway ended with exit code 78 was parked by OpenClaw itself; a
/// person who switches it off stops a gateway that runs (gateway.md, section 5).
#[must_use]
pub fn is_parked(service: &ServiceState, last_exit: Option<i32>) -> bool {
    *service == ServiceState::Disabled && last_exit == Some(crate::supervisor::REFUSES)
}

fn tail(path: &Path) -> Option<String> {
    let mut file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let skipped = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(skipped)).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The first line may have lost its beginning.
    if skipped > 0 { text.split_once('\n').map(|(_, rest)| rest.to_owned()) } else { Some(text) }
}

/// The newest whole line that tells of a stop or a restart by a person's command.
#[must_use]
pub fn newest(text: &str) -> Option<IntentSeen> {
    text.rsplit_terminator('\n').find_map(deed)
}

/// `[2026-11-23T08:52:12.653Z] openclaw gateway lifecycle source=cli action=restart mode=rpc pid=13182 interactive=0`,
/// as OpenClaw 2026.9.6 writes it.
fn deed(line: &str) -> Option<IntentSeen> {
    let (stamp, rest) = line.trim_end().strip_prefix('[')?.split_once(']')?;
    let value = |name: &str| rest.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    if value("source") != Some("cli") {
        return None;
    }
    let intent = match value("action")? {
        "stop" => Intent::Stop,
        "restart" => Intent::Restart,
        _ => return None,
    };
    let at = stamp.parse::<Timestamp>().ok()?.as_millisecond();
    Some(IntentSeen { intent, at })
}

/// `openclaw update`, however it is started.
fn is_update(argv: &[String]) -> bool {
    let is_openclaw = |word: &String| {
        matches!(Path::new(word).file_name().and_then(|name| name.to_str()), Some("openclaw" | "openclaw.mjs"))
    };
    let Some(position) = argv.iter().take(3).position(is_openclaw) else { return false };
    let mut words = argv[position + 1..].iter().filter(|word| !word.starts_with('-'));
    words.next().is_some_and(|word| word == "update") && words.next().is_none_or(|word| word != "status")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RESTART: &str = "[2026-11-23T08:52:12.653Z] openclaw gateway lifecycle source=cli action=restart mode=rpc pid=13182 interactive=0\n";

    #[test]
    fn the_newest_deed_of_a_person_counts() {
        let seen = newest(RESTART).unwrap();
        assert_eq!(seen, IntentSeen { intent: Intent::Restart, at: 1_795_423_932_653 });
        let stop = RESTART.replace("action=restart", "action=stop").replace("08:52", "08:55");
        assert_eq!(newest(&format!("{RESTART}{stop}")).unwrap().intent, Intent::Stop);
        let other = RESTART.replace("source=cli", "source=gateway").replace("08:52", "08:59");
        assert_eq!(newest(&format!("{RESTART}{other}")).unwrap(), seen);
    }

    #[test]
    fn what_is_not_understood_says_nothing() {
        for line in ["", "\n", "[", "[]", "[x] source=cli action=stop", "source=cli action=stop", "\u{fffd}\0"] {
            assert_eq!(newest(line), None, "{line:?}");
        }
        let half = &RESTART[..60];
        assert_eq!(newest(half), None);
        assert_eq!(newest(&format!("{RESTART}{half}")).map(|seen| seen.intent), Some(Intent::Restart));
    }

    #[test]
    fn only_the_end_of_a_huge_record_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway-restart.log");
        std::fs::write(&path, format!("{}{RESTART}", "x".repeat(3_000_000))).unwrap();
        let text = tail(&path).unwrap();
        assert!(text.len() <= 16 * 1024);
        assert_eq!(newest(&text), None, "its one line has no beginning any more");
        std::fs::write(&path, format!("{}\n{RESTART}", "x".repeat(3_000_000))).unwrap();
        assert!(newest(&tail(&path).unwrap()).is_some());
        assert_eq!(tail(&folder.path().join("missing")), None);
    }

    #[test]
    fn an_update_is_told_from_other_commands() {
        let is = |line: &str| is_update(&line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>());
        for line in [
            "openclaw update",
            "node /opt/openclaw/openclaw.mjs update --yes",
            "/usr/bin/node /usr/bin/openclaw --profile=x update",
        ] {
            assert!(is(line), "{line}");
        }
        for line in [
            "openclaw update status --json",
            "openclaw gateway run",
            "vim openclaw update.md",
            "apt update",
            "openclaw",
        ] {
            assert!(!is(line), "{line}");
        }
    }

    #[test]
    fn a_service_is_parked_only_after_exit_78() {
        assert!(is_parked(&ServiceState::Disabled, Some(78)));
        assert!(!is_parked(&ServiceState::Disabled, Some(0)));
        assert!(!is_parked(&ServiceState::Disabled, None));
        assert!(!is_parked(&ServiceState::NotLoaded, Some(78)));
    }

    proptest! {
        #[test]
        fn any_record_is_read(
            text in "(\\[2026-11-23T08:52:12.653Z\\]|\\[|\\]| source=cli| action=(stop|restart|x)| |=|\n|.){0,40}",
            noise in any::<Vec<u8>>(),
            argv in prop::collection::vec("(openclaw|openclaw.mjs|update|status|-.?|.{0,5})", 0..6),
        ) {
            let _ = newest(&text);
            let _ = newest(&String::from_utf8_lossy(&noise));
            is_update(&argv);
        }
    }

    #[test]
    fn a_huge_record_costs_its_end_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway-restart.log");
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let begin = std::time::Instant::now();
        let end = tail(&path).unwrap_or_default();
        assert!(end.len() as u64 <= TAIL && begin.elapsed() < Duration::from_secs(5));
        assert_eq!(newest(&end), None);
    }
}
