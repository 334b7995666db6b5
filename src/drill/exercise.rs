//! The drills: what goes wrong in each, and what is known to put it right.

use clap::ValueEnum;

/// A drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Exercise {
    /// The gateway's process is killed.
    Kill,
    /// It accepts connections and answers nothing.
    Hang,
    /// It answers, but far too late.
    Slow,
    /// It is killed, and another program takes its port.
    Port,
    /// Its configuration is broken, and it is killed.
    Config,
    /// It takes more memory than it may.
    Memory,
    /// It is killed while a host that it needs cannot be reached.
    Dependency,
    /// It is killed while the receiver of the alerts refuses them.
    Webhook,
    /// It is killed while its disk has too little room.
    Disk,
}

impl Exercise {
    /// Every drill, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Kill,
        Self::Hang,
        Self::Slow,
        Self::Port,
        Self::Config,
        Self::Memory,
        Self::Dependency,
        Self::Webhook,
        Self::Disk,
    ];

    /// The drill's name on the command line, in the scoreboard and in docs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::Port => "port",
            Self::Config => "config",
            Self::Memory => "memory",
            Self::Dependency => "dependency",
            Self::Webhook => "webhook",
            Self::Disk => "disk",
        }
    }

    /// Whether Lifeguard cannot end the fault: it tells, waits for the end, and goes on by itself then. The drill ends
    /// the fault once Lifeguard has told.
    #[must_use]
    pub fn is_lifted(self) -> bool {
        matches!(self, Self::Slow | Self::Port | Self::Dependency | Self::Webhook | Self::Disk)
    }

    /// Whether it may be done to a person's own gateway: it needs nothing but a signal to one process, and leaves
    /// nothing behind.
    #[must_use]
    pub fn is_safe_for_real(self) -> bool {
        matches!(self, Self::Kill | Self::Hang)
    }

    /// The kind of the alert that closes the story.
    #[must_use]
    pub fn last_alert(self) -> &'static str {
        if self == Self::Memory { "renewed" } else { "recovered" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_and_the_scoreboard_use_the_same_names() {
        for exercise in Exercise::ALL {
            let value = exercise.to_possible_value().unwrap();
            assert_eq!(value.get_name(), exercise.name());
        }
        assert_eq!(Exercise::value_variants(), Exercise::ALL);
    }
}
