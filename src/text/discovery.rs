//! What is said about what was found out of OpenClaw's own configuration.

use super::{Language, Phrase};

/// What discovery could not find out, and what it took instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiscoveryNote {
    /// OpenClaw's config cannot be read.
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// OpenClaw's config is no JSON5. The parser's words are left out: they could quote a secret.
    NotJson {
        /// The file.
        file: String,
        /// Line and column.
        place: String,
    },
    /// OpenClaw's config has a port that is none.
    BadPort(String),
    /// OpenClaw's config includes other files, which are not followed.
    Includes(String),
    /// The environment names a port that is none.
    BadPortVariable,
    /// OpenClaw's config says that the gateway runs on another machine.
    Remote(String),
    /// Another gateway of the configuration has the same port.
    SamePort {
        /// The port.
        port: u16,
        /// The other gateway's name.
        other: String,
    },
    /// The plist of its launchd agent cannot be used; what the system or the reader said.
    BadAgent(String),
    /// There is no `openclaw` program.
    NoProgram,
    /// There is no home folder.
    NoHome,
}

impl Phrase for DiscoveryNote {
    fn say(&self, language: Language) -> String {
        match (self, language) {
            (Self::Unreadable { file, cause }, Language::English) => {
                format!("{file} cannot be read ({cause}); defaults are assumed.")
            }
            (Self::Unreadable { file, cause }, Language::Korean) => {
                format!("{file}을(를) 읽을 수 없어({cause}) 기본값을 씁니다.")
            }
            (Self::NotJson { file, place }, Language::English) => {
                format!("{file} is broken{place}; defaults are assumed. `openclaw config validate` says more.")
            }
            (Self::NotJson { file, place }, Language::Korean) => {
                format!("{file}의 형식이 잘못되어{place} 기본값을 씁니다. `openclaw config validate`로 확인하세요.")
            }
            (Self::BadPort(file), Language::English) => {
                format!("gateway.port in {file} is not a port; the default is assumed.")
            }
            (Self::BadPort(file), Language::Korean) => {
                format!("{file}의 gateway.port가 포트가 아니어서 기본값을 씁니다.")
            }
            (Self::Includes(file), Language::English) => {
                format!("{file} includes other files, which are not followed; set `port` if it is not the right one.")
            }
            (Self::Includes(file), Language::Korean) => {
                format!("{file}에 포함된 다른 파일은 읽지 않습니다. 포트가 다르면 `port`를 설정하세요.")
            }
            (Self::BadPortVariable, Language::English) => {
                "OPENCLAW_GATEWAY_PORT is not a port and is passed over.".to_owned()
            }
            (Self::BadPortVariable, Language::Korean) => {
                "OPENCLAW_GATEWAY_PORT가 포트가 아니어서 무시합니다.".to_owned()
            }
            (Self::Remote(file), Language::English) => {
                format!("{file} says that the gateway runs on another machine (gateway.mode = remote).")
            }
            (Self::Remote(file), Language::Korean) => {
                format!("{file}에 따르면 게이트웨이는 다른 컴퓨터에서 실행됩니다 (gateway.mode = remote).")
            }
            (Self::SamePort { port, other }, Language::English) => {
                format!("The gateway \"{other}\" has port {port}, too; set `port` for one of them.")
            }
            (Self::SamePort { port, other }, Language::Korean) => {
                format!("\"{other}\" 게이트웨이도 포트 {port}을(를) 씁니다. 둘 중 하나의 `port`를 설정하세요.")
            }
            (Self::BadAgent(why), Language::English) => format!("The launchd agent is passed over: {why}."),
            (Self::BadAgent(why), Language::Korean) => format!("launchd 에이전트 설정을 쓸 수 없습니다: {why}."),
            (Self::NoProgram, Language::English) => {
                "The openclaw program was not found; set `command` in the configuration if it is somewhere else."
                    .to_owned()
            }
            (Self::NoProgram, Language::Korean) => {
                "openclaw 프로그램을 찾지 못했습니다. 다른 곳에 있으면 설정의 `command`에 지정하세요.".to_owned()
            }
            (Self::NoHome, Language::English) => "There is no home folder; set HOME.".to_owned(),
            (Self::NoHome, Language::Korean) => "홈 폴더가 없습니다. HOME을 설정하세요.".to_owned(),
        }
    }
}
