//! OpenClaw's configuration beside the newest one that was good: when a copy is worth keeping, and when a change is
//! to be told.

use serde::{Deserialize, Serialize};

use super::Supervisor;
use super::breaker::Breaker;
use super::event::{Action, AlertKind};
use super::incident::Stage;
use super::ladder::Rung;
use super::moment::Moment;
use super::observation::Observation;
use super::remedy::Remedy;
use super::verdict::Verdict;

/// How OpenClaw's configuration file compares to the newest copy of it that was good.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ConfigStanding {
    /// No copy is kept, or nobody has looked.
    #[default]
    Unknown,
    /// It is the one that was good.
    Good,
    /// It was changed since.
    Changed(ConfigChange),
}

/// A change since the configuration was last good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// When the good copy was taken: Unix milliseconds.
    pub good: i64,
    /// What became of it.
    pub alteration: Alteration,
}

/// What became of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alteration {
    /// The file is gone.
    Missing,
    /// It is no JSON5 any more; where its parser gave up.
    Broken {
        /// From 1; 0 if that is not known.
        line: usize,
        /// From 1; 0 if that is not known.
        column: usize,
    },
    /// These settings differ, as `+ path = value`, `- path = value` or `~ path: before → after`, free of secrets. None:
    /// only its layout and comments do.
    Settings(Vec<String>),
}

impl Supervisor {
    /// How the configuration compares to the one that was last good.
    #[must_use]
    pub fn config_standing(&self) -> &ConfigStanding {
        &self.config
    }

    pub(super) fn is_config_changed(&self) -> bool {
        matches!(self.config, ConfigStanding::Changed(_))
    }

    /// Asks for a copy of a configuration that has proven itself: healthy for a while, and of a generation that began
    /// after the file was changed last. OpenClaw ignores a bad edit for as long as it runs (gateway.md, section 4), so
    /// health alone says nothing of the file.
    pub(super) fn keep_config_if_proven(&self, now: Moment, seen: &Observation, actions: &mut Vec<Action>) {
        let Some((stamp, edited)) = seen.config_stamp.zip(seen.config_edited) else { return };
        let born = self.state.generation.as_ref().and_then(|generation| generation.born_wall);
        let held = self.state.healthy_since.is_some_and(|since| now.awake_since(since) >= self.policy.config_hold);
        let proven = held && self.verdict == Verdict::Healthy && self.state.incident.is_none();
        if proven && self.config != ConfigStanding::Good && born.is_some_and(|born| born > edited) {
            actions.push(Action::KeepConfig { stamp });
        }
    }

    /// Tells that the configuration was changed before it came to this, once per incident.
    pub(super) fn tell_config_change(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let ConfigStanding::Changed(change) = &self.config else { return };
        let Some(incident) = &self.state.incident else { return };
        let rolls_back = matches!(self.remedy(), Remedy::Attempt { rung: Rung::RollBack, .. });
        let suspicious = matches!(self.verdict, Verdict::Refuses | Verdict::CrashLoop | Verdict::Zombie)
            || self.state.breaker != Breaker::Closed
            || rolls_back;
        if incident.config_told || incident.told < Stage::Down || !suspicious {
            return;
        }
        let (verdict, change) = (self.verdict.clone(), change.clone());
        let alert = self.alert(now, AlertKind::ConfigSuspect { verdict, change, rolls_back });
        actions.push(alert);
        if let Some(incident) = &mut self.state.incident {
            incident.config_told = true;
        }
    }
}
