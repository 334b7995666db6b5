//! What `lifeguard import` says.

use std::time::Duration;

use super::words::duration;
use super::{Language, Phrase};

/// Sentences of `lifeguard import`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportPhrase {
    /// No settings and no count of an older watchdog are in this home folder.
    Nothing,
    /// Of its settings, none can be taken over.
    NothingToTake,
    /// Where its settings were found.
    Found(String),
    /// A secret of it would be taken over: its variable, and the key that would name it.
    WouldKeep {
        /// Its name in the old settings.
        variable: String,
        /// Its name in the configuration.
        key: String,
    },
    /// A plain value of it would be taken over.
    WouldSet {
        /// Its name in the old settings.
        variable: String,
        /// Its name in the configuration.
        key: String,
    },
    /// The configuration has a value for this key already.
    StaysAsSet {
        /// Its name in the old settings.
        variable: String,
        /// Its name in the configuration.
        key: String,
    },
    /// Only a shell could say what it is.
    Computed(String),
    /// It does not serve; why.
    Unusable {
        /// Its name in the old settings.
        variable: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The crash counter would be taken over.
    WouldCount {
        /// What it shows.
        crashes: u32,
        /// How long ago the last crash was.
        ago: Duration,
    },
    /// A value is set: its key, and what stands there now, which is no secret.
    Set {
        /// Its name in the configuration.
        key: String,
        /// The value, or the place of the secret.
        value: String,
    },
    /// The crash counter was taken over.
    Counted {
        /// The gateway.
        gateway: String,
        /// What its counter shows.
        crashes: u32,
    },
    /// Lifeguard has counted crashes itself.
    CountsItself {
        /// The gateway.
        gateway: String,
        /// What its counter shows.
        crashes: u32,
    },
    /// The last crash is too long ago to count.
    Forgotten,
    /// The crash counter has to wait: a Lifeguard runs.
    RunsAlready,
    /// Nothing was done yet.
    Preview,
    /// What is left for the person.
    Afterwards,
    /// A file cannot be read or written; why.
    Unreadable {
        /// The file or folder.
        place: String,
        /// What the system said.
        cause: String,
    },
}

impl Phrase for ImportPhrase {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Nothing => (
                "No settings of an older watchdog were found (~/.openclaw/.env, ~/.openclaw/watchdog).".to_owned(),
                "이전 감시 스크립트의 설정이 없습니다(~/.openclaw/.env, ~/.openclaw/watchdog).".to_owned(),
            ),
            Self::NothingToTake => {
                ("There is nothing to take over.".to_owned(), "가져올 것이 없습니다.".to_owned())
            }
            Self::Found(place) => (format!("Settings of an older watchdog: {place}"), format!("이전 감시 스크립트의 설정: {place}")),
            Self::WouldKeep { variable, key } => (
                format!("{variable}: would go into the keychain, or without one into a file that only you can read; {key} would name its place."),
                format!("{variable}: 키체인에 저장하고(없으면 본인만 읽을 수 있는 파일) 그 위치를 {key}에 씁니다."),
            ),
            Self::WouldSet { variable, key } => {
                (format!("{variable}: would become {key}."), format!("{variable}: {key}에 씁니다."))
            }
            Self::StaysAsSet { variable, key } => (
                format!("{variable}: left alone, for {key} is set already."),
                format!("{variable}: {key}이(가) 이미 설정되어 있어 그대로 둡니다."),
            ),
            Self::Computed(variable) => (
                format!("{variable}: left alone, for only a shell could say what it is, and nothing is run here."),
                format!("{variable}: 셸을 실행해야 알 수 있는 값이라 가져오지 않습니다."),
            ),
            Self::Unusable { variable, problem } => (
                format!("{variable}: left alone, for it does not serve: {problem}."),
                format!("{variable}: 쓸 수 없는 값이라 가져오지 않습니다: {problem}"),
            ),
            Self::WouldCount { crashes, ago } => {
                let ago = duration(*ago, language);
                (
                    format!("Its crash counter shows {crashes}, the last crash {ago} ago: would go on Lifeguard's counter."),
                    format!("충돌 횟수 {crashes}회(마지막 충돌 {ago} 전): Lifeguard의 충돌 횟수로 넘깁니다."),
                )
            }
            Self::Set { key, value } => (format!("{key} = \"{value}\""), format!("{key} = \"{value}\"")),
            Self::Counted { gateway, crashes } => (
                format!("The crash counter of {gateway} shows {crashes} now."),
                format!("{gateway}의 충돌 횟수가 {crashes}회가 되었습니다."),
            ),
            Self::CountsItself { gateway, crashes } => (
                format!("Lifeguard has itself counted {crashes} for {gateway}; that stays."),
                format!("Lifeguard가 {gateway}의 충돌을 직접 {crashes}회 세었으므로 그대로 둡니다."),
            ),
            Self::Forgotten => (
                "The old watchdog's last crash is too long ago to count.".to_owned(),
                "이전 감시 스크립트의 마지막 충돌이 오래되어 세지 않습니다.".to_owned(),
            ),
            Self::RunsAlready => (
                "Lifeguard runs, and the crash counter can only be taken over while it does not: quit it, and run this again.".to_owned(),
                "Lifeguard가 실행 중이라 충돌 횟수를 넘길 수 없습니다. 종료한 뒤 다시 실행하세요.".to_owned(),
            ),
            Self::Preview => (
                "Nothing was done yet: `lifeguard import --yes` does it.".to_owned(),
                "아직 아무것도 바꾸지 않았습니다. `lifeguard import --yes`로 실행합니다.".to_owned(),
            ),
            Self::Afterwards => (
                "Nothing of the old watchdog was changed, and it still runs: `lifeguard check` says how to retire it. \
                 Lifeguard takes new channels when it starts; `lifeguard alerts test` tries them."
                    .to_owned(),
                "이전 감시 스크립트는 그대로 실행 중입니다. 없애는 방법은 `lifeguard check`가 알려 줍니다. \
                 새 알림 채널은 Lifeguard를 다시 시작하면 적용되며 `lifeguard alerts test`로 시험할 수 있습니다."
                    .to_owned(),
            ),
            Self::Unreadable { place, cause } => (
                format!("{place} cannot be read or written: {cause}"),
                format!("{place}을(를) 읽거나 쓸 수 없습니다: {cause}"),
            ),
        };
        language.pick(english, korean)
    }
}
