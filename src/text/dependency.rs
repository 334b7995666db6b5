//! What a gateway needs and lacks, and what to do about it.

use super::{Language, Phrase, words};
use crate::supervisor::dependency::{Dependency, DependencyState, Trouble};

impl Phrase for Dependency {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Docker => "Docker".to_owned(),
            Self::Network { host } => match language {
                Language::English => format!("the way to {host}"),
                Language::Korean => format!("{host} 연결"),
            },
            Self::Disk => language.pick("the disk of its state folder", "상태 폴더의 디스크").to_owned(),
            Self::Configuration => language.pick("OpenClaw's configuration", "OpenClaw 설정").to_owned(),
            Self::Program { name } => match language {
                Language::English => format!("the program {name}"),
                Language::Korean => format!("{name} 프로그램"),
            },
            Self::ServiceManager => language.pick("its service manager", "서비스 관리자").to_owned(),
        }
    }
}

impl Phrase for Trouble {
    fn say(&self, language: Language) -> String {
        match self {
            Self::NotRunning => language.pick("does not run: start it", "실행되지 않음: 시작하세요").to_owned(),
            Self::Starting => language.pick("is starting", "시작하는 중").to_owned(),
            Self::Silent => language.pick("does not answer", "응답하지 않음").to_owned(),
            Self::Missing => language.pick("is not there", "없음").to_owned(),
            Self::Unresolved => language
                .pick("its name does not resolve: look at the network", "이름을 찾을 수 없음: 네트워크를 확인하세요")
                .to_owned(),
            Self::Unreachable(reason) => match language {
                Language::English => format!("cannot be reached ({reason})"),
                Language::Korean => format!("연결할 수 없음({reason})"),
            },
            Self::Unclear(reason) => match language {
                Language::English => format!("gives no clear answer ({reason})"),
                Language::Korean => format!("명확한 답을 주지 않음({reason})"),
            },
            Self::NearlyFull { free } => {
                let free = words::size(*free);
                match language {
                    Language::English => format!("is nearly full ({free} free): make room"),
                    Language::Korean => format!("거의 가득 참({free} 남음): 공간을 확보하세요"),
                }
            }
            Self::Invalid(reason) => match language {
                Language::English => format!("cannot be used: {reason}"),
                Language::Korean => format!("사용할 수 없음: {reason}"),
            },
        }
    }
}

/// The troubled ones in one line.
#[must_use]
pub fn list(states: &[DependencyState], language: Language) -> String {
    let told = states.iter().filter_map(|state| {
        let trouble = state.trouble.as_ref()?.say(language);
        let what = state.dependency.say(language);
        Some(match language {
            Language::English => format!("{what} {trouble}"),
            Language::Korean => format!("{what}: {trouble}"),
        })
    });
    told.collect::<Vec<_>>().join("; ")
}
