//! What `lifeguard watch` prints: one line for each change.

use super::{Language, Phrase};
use crate::supervisor::ladder::Rung;
use crate::supervisor::verdict::{Health, Verdict};

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The first one.
    Begin {
        /// The practice gateway runs, and ends with Lifeguard.
        practice: bool,
    },
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
            Self::Begin { practice: true } => language
                .pick(
                    "Lifeguard is watching. Ctrl-C ends it, and the practice gateway with it.",
                    "Lifeguard가 감시 중입니다. Ctrl-C를 누르면 연습용 게이트웨이와 함께 종료합니다.",
                )
                .to_owned(),
            Self::Begin { practice: false } => language
                .pick(
                    "Lifeguard is watching. Ctrl-C ends it; the gateway keeps running.",
                    "Lifeguard가 감시 중입니다. Ctrl-C로 종료합니다. 게이트웨이는 계속 실행됩니다.",
                )
                .to_owned(),
            Self::State { health, verdict, practice, address, service, pid, crashes, rung, next_attempt, notice } => {
                let what = match (health, rung, verdict) {
                    (Health::Healthy | Health::NotInstalled, ..) | (Health::Starting, Some(_), _) => None,
                    (Health::Healing, Some(rung), _) => Some(rung.say(language)),
                    (Health::Healing, None, Verdict::Healthy) => Some(
                        language
                            .pick("up again, watching whether it lasts", "다시 동작 중, 유지되는지 확인 중")
                            .to_owned(),
                    ),
                    _ => Some(verdict.say(language)),
                };
                let mut line = health.say(language);
                if let Some(what) = what {
                    line = format!("{line}: {what}");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(health: Health, verdict: Verdict, rung: Option<Rung>) -> Line {
        Line::State {
            health,
            verdict,
            practice: true,
            address: "127.0.0.1:18789".to_owned(),
            service: "child".to_owned(),
            pid: Some(7),
            crashes: (1, 6),
            rung,
            next_attempt: None,
            notice: None,
        }
    }

    #[test]
    fn a_line_says_what_is_being_done_or_what_is_the_matter() {
        let lines = [
            line(Health::Healthy, Verdict::Healthy, None),
            line(Health::Starting, Verdict::Gone, Some(Rung::Start)),
            line(Health::Healing, Verdict::Gone, Some(Rung::Start)),
            line(Health::Healing, Verdict::Healthy, None),
            line(Health::Down, Verdict::Hung, None),
        ];
        let all: Vec<String> =
            Language::ALL.iter().flat_map(|language| lines.iter().map(|line| line.say(*language))).collect();
        insta::assert_snapshot!(all.join("\n"), @"
        Up and ready (practice gateway; 127.0.0.1:18789, child; pid 7; crashes 1 of 6)
        Starting (practice gateway; 127.0.0.1:18789, child; pid 7; crashes 1 of 6)
        Healing: start (practice gateway; 127.0.0.1:18789, child; pid 7; crashes 1 of 6)
        Healing: up again, watching whether it lasts (practice gateway; 127.0.0.1:18789, child; pid 7; crashes 1 of 6)
        Down: it hangs: it accepts connections and answers nothing (practice gateway; 127.0.0.1:18789, child; pid 7; crashes 1 of 6)
        정상 (연습용 게이트웨이; 127.0.0.1:18789, child; pid 7; 충돌 1/6)
        시작 중 (연습용 게이트웨이; 127.0.0.1:18789, child; pid 7; 충돌 1/6)
        복구 중: 시작 (연습용 게이트웨이; 127.0.0.1:18789, child; pid 7; 충돌 1/6)
        복구 중: 다시 동작 중, 유지되는지 확인 중 (연습용 게이트웨이; 127.0.0.1:18789, child; pid 7; 충돌 1/6)
        중단됨: 멈춤: 연결은 되지만 응답이 없음 (연습용 게이트웨이; 127.0.0.1:18789, child; pid 7; 충돌 1/6)
        ");
    }
}
