//! The page itself: three files in the binary, with the words of a language put in.

use serde_json::{Map, Value};

use crate::text::Language;
use crate::text::page::words;

const PAGE: &str = include_str!("page/index.html");
pub(super) const STYLE: &str = include_str!("page/page.css");
pub(super) const SCRIPT: &str = include_str!("page/page.js");

/// The page in a language.
pub(super) fn page(language: Language) -> String {
    let dictionary: Map<String, Value> =
        words(language).map(|(key, word)| (key.to_owned(), Value::from(word))).collect();
    // `<` in a word would end the element that the words stand in.
    let dictionary = Value::Object(dictionary).to_string().replace('<', "\\u003c");
    let mut page = PAGE.replace("@words@", &dictionary).replace("@languages@", &links(language));
    page = page.replace("@language@", code(language));
    for (key, word) in words(language) {
        page = page.replace(&format!("@{key}@"), &escaped(word));
    }
    page
}

/// The language that a request names, if it names one.
pub(super) fn named(code: Option<&str>) -> Option<Language> {
    match code {
        Some("en") => Some(Language::English),
        Some("ko") => Some(Language::Korean),
        _ => None,
    }
}

fn code(language: Language) -> &'static str {
    language.pick("en", "ko")
}

/// Each language by its own name.
fn links(current: Language) -> String {
    Language::ALL
        .map(|language| {
            let (code, name) = (code(language), language.pick("English", "한국어"));
            format!("<a href=\"/?language={code}\" lang=\"{code}\" aria-current=\"{}\">{name}</a>", language == current)
        })
        .join("")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_replaced_and_nothing_comes_from_elsewhere() {
        for language in Language::ALL {
            let page = page(language);
            assert!(!page.contains('@'), "{page}");
            assert!(page.contains(&format!("<html lang=\"{}\">", code(language))));
            for text in [page.as_str(), STYLE, SCRIPT] {
                let links = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!links.contains("http:") && !links.contains("https:") && !links.contains("@import"));
            }
        }
    }

    #[test]
    fn the_dictionary_of_the_page_is_json() {
        let page = page(Language::Korean);
        let inner = page.split("id=\"words\">").nth(1).unwrap().split("</script>").next().unwrap();
        let dictionary: Map<String, Value> = serde_json::from_str(inner).unwrap();
        assert_eq!(dictionary["state_healthy"], "정상");
    }
}
