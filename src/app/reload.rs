//! The configuration file, watched while Lifeguard runs: what can be changed safely is changed at once, and a file
//! that cannot be used is told while the old one stays in force.

use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tracing::{info, warn};

use super::board::Board;
use super::{KeptSetting, assemble};
use crate::config::load::load;
use crate::config::{Config, HealConfig};
use crate::engine::Tuning;
use crate::supervisor::policy::Manager;
use crate::text::config::reloaded;

/// How often to look while nothing changes.
const LOOK: Duration = Duration::from_secs(5);

/// How long after a look that found another file to look again. Two looks in a row must find the same file: an editor
/// may write it in pieces.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A file as a look finds it: its time of change and its length; `None`: there is none.
type Stamp = Option<(SystemTime, u64)>;

/// Follows the file for as long as Lifeguard runs.
pub(super) async fn follow(kept: KeptSetting, board: Board, tunings: watch::Sender<Option<Tuning>>) {
    let mut taken = look(&kept);
    let mut before = taken;
    let mut in_force = kept.config.clone();
    loop {
        tokio::time::sleep(if before == taken { LOOK } else { LOOK_AGAIN }).await;
        let now = look(&kept);
        let settled = now == before;
        before = now;
        if now == taken || !settled {
            continue;
        }
        taken = now;
        match load(&kept.paths, &kept.environment) {
            // What was begun without a good configuration keeps its hands off until it is begun anew.
            Ok(_) if kept.notice.is_some() => board.say_configuration(Some(reloaded::needs_start(kept.language))),
            Ok(config) => {
                let tuned = tuned(&kept.config, &config);
                if tuned != in_force {
                    info!("the configuration has changed: probe, heal and memory hold from now on");
                    let policy = tuned.policy(Manager::Ourselves);
                    tunings.send_replace(Some(Tuning { policy, limits: assemble::limits(&tuned) }));
                    in_force = tuned.clone();
                }
                let rest = tuned != config;
                if rest {
                    info!("some of the changed configuration holds after the next start of Lifeguard");
                }
                board.say_configuration(rest.then(|| reloaded::needs_start(kept.language)));
            }
            Err(error) => {
                warn!(%error, "the changed configuration cannot be used; the old one stays in force");
                board.say_configuration(Some(reloaded::refused(&error.brief(kept.language), kept.language)));
            }
        }
    }
}

/// What Lifeguard was started with, and of the new configuration what can be taken while it runs.
fn tuned(started: &Config, new: &Config) -> Config {
    // Each service has the length of a drain from its beginning on, and each gateway its guard and its hook.
    let heal = HealConfig {
        drain_limit: started.heal.drain_limit,
        config_guard: started.heal.config_guard,
        hook: started.heal.hook.clone(),
        hook_timeout: started.heal.hook_timeout,
        ..new.heal.clone()
    };
    Config { probe: new.probe.clone(), heal, memory: new.memory.clone(), ..started.clone() }
}

fn look(kept: &KeptSetting) -> Stamp {
    let metadata = kept.paths.config_file.metadata().ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_at_once_and_the_rest_at_the_next_start() {
        let started = Config::default();
        let mut new = Config::default();
        new.heal.crash_limit = 4;
        assert_eq!(tuned(&started, &new), new, "all of it");
        new.alerts.native.enabled = false;
        let part = tuned(&started, &new);
        assert_ne!(part, new);
        assert_eq!((part.heal.crash_limit, part.alerts.native.enabled), (4, true));
    }
}
