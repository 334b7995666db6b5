//! What the system will do at the next login.

use super::{Language, Phrase};
use crate::platform::desktop::login_item::LoginItem;

impl Phrase for LoginItem {
    fn say(&self, language: Language) -> String {
        let text = match self {
            Self::On => language.pick("Lifeguard starts at login.", "로그인할 때 Lifeguard가 시작됩니다."),
            Self::Off => language.pick("Lifeguard does not start at login.", "로그인할 때 Lifeguard가 시작되지 않습니다."),
            Self::NeedsApproval => language.pick(
                "Lifeguard starts at login once you allow it in System Settings > General > Login Items.",
                "시스템 설정 > 일반 > 로그인 항목에서 허용하면 로그인할 때 Lifeguard가 시작됩니다.",
            ),
            Self::SwitchedOff => language.pick(
                "Lifeguard does not start at login: its entry is switched off in the desktop's settings.",
                "데스크톱 설정에서 항목이 꺼져 있어 로그인할 때 Lifeguard가 시작되지 않습니다.",
            ),
            Self::AnotherCopy(path) => {
                return match language {
                    Language::English => format!("Another copy of Lifeguard starts at login: {}.", path.display()),
                    Language::Korean => format!("로그인할 때 다른 위치의 Lifeguard가 시작됩니다: {}", path.display()),
                };
            }
            Self::Agent => language.pick(
                "Lifeguard's own agent starts it at login, and again if it dies.",
                "Lifeguard 에이전트가 로그인할 때와 비정상 종료 후에 Lifeguard를 시작합니다.",
            ),
            Self::Unavailable => language.pick(
                "Starting at login cannot be set here: on macOS it needs Lifeguard.app, elsewhere a home folder.",
                "여기서는 로그인 시 시작을 설정할 수 없습니다. macOS에서는 Lifeguard.app이, 그 밖에는 홈 폴더가 필요합니다.",
            ),
        };
        text.to_owned()
    }
}
