//! An imitation of launchd and `launchctl` for the tests: it really starts and stops what it is given, and answers in
//! launchctl's own words.
//!
//! All that it knows lies in the folder of the link by which it is called, so that each test has a launchd of its own:
//!
//! ```text
//! ln -s …/examples/imitation_launchctl FOLDER/launchctl
//! FOLDER/launchctl imitate serve &                # launchd, until it is killed
//! FOLDER/launchctl bootstrap gui/501 some.plist   # launchctl
//! FOLDER/launchctl imitate refuse bootstrap 5 2   # the next two calls fail with code 5
//! FOLDER/launchctl imitate refuse kickstart 0 1   # the next one says yes and does nothing
//! FOLDER/launchctl imitate garble 1               # the next `print` speaks in words that nobody knows
//! FOLDER/launchctl imitate hold-back inefficient  # starts that nobody demands are pended; `false` ends it
//! FOLDER/launchctl imitate domain gone            # nobody is logged in at the screen; `back` ends it
//! FOLDER/launchctl imitate person bootout …       # the same as without, but told apart in the transcript
//! ```
//!
//! `FOLDER/transcript` tells what was asked and what happened.

mod agent;
mod model;
mod server;
mod words;

use std::error::Error;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model::Answer;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = PathBuf::from(words.next().ok_or("no program name")?);
    let folder = program.parent().ok_or("no folder")?.to_path_buf();
    let words: Vec<String> = words.collect();
    if words == ["imitate", "serve"] {
        server::serve(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let answer = ask(&folder, &words)?;
    std::io::stdout().write_all(answer.stdout.as_bytes())?;
    std::io::stderr().write_all(answer.stderr.as_bytes())?;
    Ok(ExitCode::from(answer.code))
}

fn ask(folder: &Path, words: &[String]) -> Result<Answer, Box<dyn Error>> {
    let mut stream = UnixStream::connect(server::socket(folder))?;
    stream.write_all(&serde_json::to_vec(words)?)?;
    stream.shutdown(Shutdown::Write)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text)?)
}
