//! What differs between the OpenClaw releases that can be imitated, as measured on each.

use clap::ValueEnum;

/// A release to imitate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Version {
    /// No health endpoints at all: each answers 200 with the web page.
    #[value(name = "2026.2.26")]
    V2026_2_26,
    /// `/health` and `/ready`, but not `/startupz`.
    #[value(name = "2026.6.11")]
    V2026_6_11,
    /// All six probe paths; SIGUSR2 restarts.
    #[value(name = "2026.9.6")]
    V2026_9_6,
}

impl Version {
    /// As it stands in `/startupz`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V2026_2_26 => "2026.2.26",
            Self::V2026_6_11 => "2026.6.11",
            Self::V2026_9_6 => "2026.9.6",
        }
    }

    /// Whether `/health`, `/ready` and their twins exist.
    pub(super) fn has_health(self) -> bool {
        self != Self::V2026_2_26
    }

    /// Whether `/startup` and `/startupz` exist.
    pub(super) fn has_startup(self) -> bool {
        self == Self::V2026_9_6
    }

    /// Exit code for a configuration that cannot be used.
    pub(super) fn bad_config_code(self) -> i32 {
        if self == Self::V2026_2_26 { 1 } else { 78 }
    }

    /// Exit code when another gateway has the same state folder.
    pub(super) fn second_instance_code(self) -> i32 {
        match self {
            Self::V2026_2_26 => 1,
            Self::V2026_6_11 => 0,
            Self::V2026_9_6 => 78,
        }
    }
}
