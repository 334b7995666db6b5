//! OpenClaw's configuration as a document: JSON5 with comments, of bounded depth.

use serde::de::DeserializeOwned;

/// The deepest nesting that is parsed: the parser goes one call deeper for each level and knows no limit itself.
const DEEPEST: usize = 128;

/// Where a text stops being JSON5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotJson {
    /// Line, from 1; 0 if that is not known.
    pub line: usize,
    /// Column, from 1; 0 if that is not known.
    pub column: usize,
}

/// Parses a configuration: a byte order mark is passed over, and what is no UTF-8 replaced.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, NotJson> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if depth(text) > DEEPEST {
        return Err(NotJson::default());
    }
    json5::from_str(text).map_err(|error| {
        error
            .position()
            .map_or_else(NotJson::default, |position| NotJson { line: position.line + 1, column: position.column + 1 })
    })
}

/// How deep the brackets nest, outside texts and comments.
fn depth(text: &str) -> usize {
    let mut bytes = text.bytes().peekable();
    let (mut depth, mut deepest) = (0_usize, 0);
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => {
                while let Some(inside) = bytes.next().filter(|inside| *inside != byte) {
                    if inside == b'\\' {
                        bytes.next();
                    }
                }
            }
            b'/' if bytes.peek() == Some(&b'/') => {
                while bytes.next().is_some_and(|inside| inside != b'\n' && inside != b'\r') {}
            }
            b'/' if bytes.peek() == Some(&b'*') => {
                bytes.next();
                while bytes.next().is_some_and(|inside| inside != b'*' || bytes.peek() != Some(&b'/')) {}
            }
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_texts_and_comments_nest() {
        assert_eq!(depth("{a: [1, {b: 2}], c: []}"), 3);
        assert_eq!(
            depth(
                r#"[ '[{"', "\"[", /* [[ */ // [[
            1 ]"#
            ),
            1
        );
        assert_eq!(depth(r#"["]", ["]", ["]"]]]"#), 3);
        assert_eq!(depth("'unclosed [["), 0);
    }
}
