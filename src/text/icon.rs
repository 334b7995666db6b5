//! What is said of an icon that nobody can see.

use super::{Language, Phrase};

/// Sentences of the one notification about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconPhrase {
    /// The headline.
    Hidden,
    /// What to do.
    Guidance,
}

impl Phrase for IconPhrase {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Hidden => language.pick(
                "macOS does not show Lifeguard's icon",
                "macOS가 Lifeguard 아이콘을 표시하지 않습니다",
            ),
            Self::Guidance => language.pick(
                "Allow it under System Settings > Menu Bar, or make room beside the notch. Lifeguard watches on; opening the app again shows its status page.",
                "시스템 설정 > 메뉴 막대에서 허용하거나 노치 옆에 자리를 만드세요. 감시는 계속되며, 앱을 다시 열면 상태 페이지가 나타납니다.",
            ),
        }
        .to_owned()
    }
}
