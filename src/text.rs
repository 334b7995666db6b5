//! Every sentence that a person reads, English and Korean side by side, so that neither can be missing.
//!
//! One file per place where the sentences are read. Each has an enum of phrases that implements [`Phrase`];
//! a phrase carries its parameters. [`words`] has what several places share.

pub mod alert;
pub mod check;
pub mod command;
pub mod config;
pub mod dependency;
pub mod discovery;
pub mod drill;
pub mod examples;
pub mod help;
pub mod icon;
pub mod import;
mod login_item;
pub mod menu;
pub mod page;
pub mod place;
pub mod problem;
pub mod report;
pub mod status;
pub mod ticker;
pub mod words;

/// A language that Lifeguard speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Korean];

    /// The language of a locale such as `ko_KR.UTF-8`: Korean for Korean ones, English for all others.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        if locale.starts_with("ko") { Self::Korean } else { Self::English }
    }

    /// Picks the text of this language.
    #[must_use]
    pub fn pick<T>(self, english: T, korean: T) -> T {
        match self {
            Self::English => english,
            Self::Korean => korean,
        }
    }
}

/// Something that can be said.
pub trait Phrase {
    /// The phrase in the given language.
    fn say(&self, language: Language) -> String;
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn a_korean_locale_is_korean_and_any_other_english() {
        assert_eq!(Language::of_locale("ko_KR.UTF-8"), Language::Korean);
        assert_eq!(Language::of_locale("C"), Language::English);
        assert_eq!(Language::of_locale(""), Language::English);
    }
}
