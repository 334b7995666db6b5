//! The rooms of Lifeguard that the simulator runs, and no other: the core, the history, the books of the alerts.
#![allow(unused, reason = "what else uses these rooms is not here")]

pub mod history;
pub mod snapshot;
pub mod supervisor;

/// What a person can ask of the books.
pub mod request {
    /// The same as in the program.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Mute {
        pub until: Option<i64>,
    }
}

/// Telling people, without the channels themselves.
pub mod alert {
    use serde::{Deserialize, Serialize};

    use crate::supervisor::event::Alert;

    pub mod channel;
    pub mod gather;
    pub mod hush;
    pub mod ledger;
    pub mod outbox;
    pub mod route;

    /// The same as in the program.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub struct GatewayAlert {
        #[serde(default)]
        pub id: i64,
        pub gateway: String,
        pub address: String,
        pub practice: bool,
        pub alert: Alert,
    }
}

/// What the books need of the texts.
pub mod text {
    /// The same as in the program.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Language {
        English,
    }

    /// The same as in the program.
    pub trait Phrase {
        fn say(&self, language: Language) -> String;
    }

    pub mod problem {
        use super::{Language, Phrase};

        /// Of the program's problems the one that the simulator has.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Problem {
            Remote { service: &'static str, problem: RemoteProblem },
        }

        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum RemoteProblem {
            Unreachable,
        }

        impl Phrase for Problem {
            fn say(&self, _: Language) -> String {
                format!("{self:?}")
            }
        }
    }
}
