//! What `lifeguard watch` prints: one line for each change.

use super::{Language, Phrase};
use crate::supervisor::ladder::Rung;
use crate::supervisor::verdict::{Health, Verdict};

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The first one.
    Begin,
    /// How a gateway is now.
    State {
        /// The state.
        health: Health,
        /// What is the matter.
        verdict: Verdict,
        /// The practice gateway.
        practice: bool,
        /// Where it listens.
        address: String,
        /// Who runs it.
        service: String,
        /// Its process.
        pid: Option<u32>,
        /// The crash counter and its limit.
        crashes: (u32, u32),
        /// The attempt that is running.
        rung: Option<Rung>,
        /// Local time of the next attempt.
        next_attempt: Option<String>,
        /// Something about Lifeguard itself.
        notice: Option<String>,
    },
}

impl Phrase for Line {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Begin => language
                .pick(
                    "Lifeguard is watching. Ctrl-C ends it; the gateway keeps running.",
                    "Lifeguard가 감시 중입니다. Ctrl-C로 종료합니다. 게이트웨이는 계속 실행됩니다.",
                )
                .to_owned(),
            Self::State { health, verdict, practice, address, service, pid, crashes, rung, next_attempt, notice } => {
                let mut line = health.say(language);
                if !matches!(health, Health::Healthy | Health::NotInstalled) {
                    line = format!("{line}: {}", verdict.say(language));
                }
                let mut facts = Vec::new();
                if *practice {
                    facts.push(language.pick("practice gateway", "연습용 게이트웨이").to_owned());
                }
                facts.push(format!("{address}, {service}"));
                if let Some(pid) = pid {
                    facts.push(format!("pid {pid}"));
                }
                if crashes.0 > 0 {
                    facts.push(match language {
                        Language::English => format!("crashes {} of {}", crashes.0, crashes.1),
                        Language::Korean => format!("충돌 {}/{}", crashes.0, crashes.1),
                    });
                }
                if let Some(rung) = rung {
                    facts.push(rung.say(language));
                }
                if let Some(at) = next_attempt {
                    facts.push(format!("{} {at}", language.pick("next attempt", "다음 시도")));
                }
                if let Some(notice) = notice {
                    facts.push(notice.clone());
                }
                format!("{line} ({})", facts.join("; "))
            }
        }
    }
}
