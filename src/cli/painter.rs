//! Lines of a log in the colour of their weight, on a terminal.

use std::io::{self, Write};

use super::output::Output;
use crate::text::check::Grade;

/// A longer line is passed on in pieces: bytes.
const LONGEST: usize = 64 * 1024;

/// Passes text on line by line, each in the colour of its weight; as it is where there are no colours.
pub(super) struct Painter<W: Write> {
    target: W,
    output: Output,
    line: Vec<u8>,
}

impl<W: Write> Painter<W> {
    pub(super) fn new(target: W, output: Output) -> Self {
        Self { target, output, line: Vec::new() }
    }

    fn end_line(&mut self) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.line);
        let (body, end) = text.strip_suffix('\n').map_or((text.as_ref(), ""), |body| (body, "\n"));
        // A log may have been written by anybody, and a terminal obeys what it is shown.
        let body: String = body.chars().filter(|letter| !letter.is_control() || *letter == '\t').collect();
        let painted = match weight(&body) {
            Some(grade) => self.output.grade(grade, &body),
            None => body,
        };
        self.target.write_all(painted.as_bytes())?;
        self.target.write_all(end.as_bytes())?;
        self.line.clear();
        Ok(())
    }
}

impl<W: Write> Write for Painter<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if !self.output.is_coloured() {
            return self.target.write(text);
        }
        for piece in text.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() > LONGEST {
                self.end_line()?;
            }
        }
        Ok(text.len())
    }

    /// What has no line break yet is shown too: it may never get one.
    fn flush(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        self.target.flush()
    }
}

/// How heavy a line is: by the level's word, as Lifeguard and OpenClaw write it.
fn weight(line: &str) -> Option<Grade> {
    let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if has(&[" ERROR ", "\"ERROR\"", "\"FATAL\"", "[error]", " FATAL "]) {
        Some(Grade::Problem)
    } else if has(&[" WARN ", "\"WARN\"", "[warn]", " WARNING "]) {
        Some(Grade::Warning)
    } else if has(&[" DEBUG ", " TRACE ", "\"DEBUG\"", "\"TRACE\"", "[debug]"]) {
        Some(Grade::Skipped)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(output: Output, texts: &[&str]) -> String {
        let mut target = Vec::new();
        let mut painter = Painter::new(&mut target, output);
        for text in texts {
            painter.write_all(text.as_bytes()).unwrap();
        }
        painter.flush().unwrap();
        String::from_utf8(target).unwrap()
    }

    #[test]
    fn a_line_has_the_colour_of_its_weight_however_it_arrives() {
        let texts = ["2026-11-22T12:00:00Z  WA", "RN lifeguard: x\nplain\n", "2026 ERROR a: b"];
        let found = painted(Output::coloured(), &texts);
        assert_eq!(
            found,
            "\u{1b}[1;33m2026-11-22T12:00:00Z  WARN lifeguard: x\u{1b}[0m\nplain\n\u{1b}[1;31m2026 ERROR a: b\u{1b}[0m"
        );
    }

    #[test]
    fn a_log_does_not_command_the_terminal() {
        let found = painted(Output::coloured(), &["a\u{1b}]0;title\u{7}b\u{9b}2J\tc\r\n"]);
        assert_eq!(found, "a]0;titleb2J\tc\n");
    }

    #[test]
    fn without_colours_not_a_byte_is_changed() {
        assert_eq!(painted(Output::plain(), &["a ERROR b\n", "c"]), "a ERROR b\nc");
    }
}
