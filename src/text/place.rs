//! What is said about files, folders, variables and the keychain.

use super::{Language, Phrase, words};
use crate::platform::keychain::KeychainError;

/// What is wrong with a file, a folder or a variable. Never shows what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceProblem {
    /// There is no home folder.
    NoHome,
    /// A variable that is named in the configuration is not set.
    NotSet(String),
    /// A folder or file of Lifeguard's own cannot be used.
    Unusable {
        /// The place.
        place: String,
        /// What the system said.
        cause: String,
    },
    /// A folder belongs to another user.
    Foreign(String),
    /// Others may write to a folder.
    FolderTooOpen {
        /// The folder.
        place: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A file with a secret cannot be read.
    Unreadable {
        /// The file.
        place: String,
        /// What the system said.
        cause: String,
    },
    /// Others may read a file with a secret.
    FileTooOpen {
        /// The file.
        place: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A file with a secret is empty.
    Empty(String),
    /// The keychain cannot be used.
    Keychain(KeychainError),
    /// The keychain has no secret of this name.
    NotInKeychain(String),
    /// The keychain's secret of this name is not one that serves here.
    WrongInKeychain(String),
    /// No name for a secret.
    BadSecretName,
}

/// The system's keychain, and what to do where it cannot be used.
impl Phrase for KeychainError {
    fn say(&self, language: Language) -> String {
        match (self, language) {
            (Self::Missing(reason), Language::English) => format!(
                "there is no keychain here ({reason}): put the secret into a file that only you can read (chmod 600) and name it as \"file:PATH\""
            ),
            (Self::Missing(reason), Language::Korean) => format!(
                "키체인이 없습니다({reason}). 본인만 읽을 수 있는 파일(chmod 600)에 넣고 \"file:경로\"로 지정하세요."
            ),
            (Self::Locked, Language::English) => "the keychain is locked: unlock it".to_owned(),
            (Self::Locked, Language::Korean) => "키체인이 잠겨 있습니다. 잠금을 해제하세요.".to_owned(),
            (Self::TimedOut(limit), _) => {
                let limit = words::duration(*limit, language);
                language.pick(
                    format!("the keychain did not answer within {limit}: does it wait for you somewhere?"),
                    format!("키체인이 {limit} 안에 응답하지 않았습니다. 입력을 기다리는 창이 있는지 확인하세요."),
                )
            }
            (Self::Refused(reason), Language::English) => format!("the keychain refused: {reason}"),
            (Self::Refused(reason), Language::Korean) => format!("키체인이 거부했습니다: {reason}"),
        }
    }
}

impl Phrase for PlaceProblem {
    fn say(&self, language: Language) -> String {
        match (self, language) {
            (Self::NoHome, Language::English) => {
                "there is no home folder; set HOME, or LIFEGUARD_CONFIG and LIFEGUARD_STATE_DIR".to_owned()
            }
            (Self::NoHome, Language::Korean) => {
                "홈 폴더가 없습니다. HOME을 설정하거나 LIFEGUARD_CONFIG와 LIFEGUARD_STATE_DIR를 설정하세요.".to_owned()
            }
            (Self::NotSet(name), Language::English) => {
                format!("the environment variable {name} is not set; set it, or name another source")
            }
            (Self::NotSet(name), Language::Korean) => {
                format!("환경 변수 {name}이(가) 없습니다. 설정하거나 다른 출처를 지정하세요.")
            }
            (Self::Unusable { place, cause }, Language::English) => {
                format!(
                    "{place} cannot be used: {cause}; make it writable, or set LIFEGUARD_STATE_DIR to another folder"
                )
            }
            (Self::Unusable { place, cause }, Language::Korean) => {
                format!(
                    "{place}을(를) 쓸 수 없습니다: {cause}. 쓰기 권한을 주거나 LIFEGUARD_STATE_DIR를 다른 폴더로 설정하세요."
                )
            }
            (Self::Foreign(place), Language::English) => {
                format!(
                    "the folder {place} belongs to another user; remove it, or set LIFEGUARD_STATE_DIR to another one"
                )
            }
            (Self::Foreign(place), Language::Korean) => {
                format!("{place} 폴더는 다른 사용자의 것입니다. 지우거나 LIFEGUARD_STATE_DIR를 다른 폴더로 설정하세요.")
            }
            (Self::FolderTooOpen { place, mode }, Language::English) => {
                format!("others may write to the folder {place} (mode {mode:04o}); run: chmod 700 {place}")
            }
            (Self::FolderTooOpen { place, mode }, Language::Korean) => {
                format!("다른 사용자가 {place} 폴더에 쓸 수 있습니다(권한 {mode:04o}). 실행: chmod 700 {place}")
            }
            (Self::Unreadable { place, cause }, Language::English) => format!("{place} cannot be read: {cause}"),
            (Self::Unreadable { place, cause }, Language::Korean) => format!("{place}을(를) 읽을 수 없습니다: {cause}"),
            (Self::FileTooOpen { place, mode }, Language::English) => {
                format!("{place} can be read by others (mode {mode:04o}); run: chmod 600 {place}")
            }
            (Self::FileTooOpen { place, mode }, Language::Korean) => {
                format!("다른 사용자가 {place}을(를) 읽을 수 있습니다(권한 {mode:04o}). 실행: chmod 600 {place}")
            }
            (Self::Keychain(error), _) => error.say(language),
            (Self::NotInKeychain(name), Language::English) => {
                format!("the keychain has no secret \"{name}\": run `lifeguard secrets set {name}`")
            }
            (Self::NotInKeychain(name), Language::Korean) => {
                format!("키체인에 \"{name}\" 값이 없습니다. 실행: `lifeguard secrets set {name}`")
            }
            (Self::WrongInKeychain(name), Language::English) => {
                format!("the keychain's \"{name}\" is not what is needed here: run `lifeguard secrets set {name}`")
            }
            (Self::WrongInKeychain(name), Language::Korean) => {
                format!("키체인의 \"{name}\" 값을 여기에 쓸 수 없습니다. 실행: `lifeguard secrets set {name}`")
            }
            (Self::BadSecretName, Language::English) => {
                "a secret's name has up to 64 Latin letters, digits, dots, dashes and underlines".to_owned()
            }
            (Self::BadSecretName, Language::Korean) => {
                "비밀 값의 이름은 영문자, 숫자, 점, 붙임표, 밑줄 64자까지입니다".to_owned()
            }
            (Self::Empty(place), Language::English) => format!("{place} is empty; put the secret into it"),
            (Self::Empty(place), Language::Korean) => format!("{place}이(가) 비어 있습니다. 비밀 값을 넣으세요."),
        }
    }
}
