//! `lifeguard config init|show|check|path|edit`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command as Process;

use super::Exit;
use super::context::{Context, Failure};
use crate::config::load::load;
use crate::config::paths::private_folder;
use crate::config::template::template;
use crate::platform::private;
use crate::redact::{HIDDEN, redact};
use crate::text::command::CommandPhrase;

/// Words in the names of keys whose values are secrets.
const SECRET_KEYS: [&str; 6] = ["webhook", "url", "token", "password", "secret", "key"];

/// Where no editor is named: what every system has.
const USUAL_EDITOR: &str = "vi";

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    Init,
    Show,
    Check,
    Path,
    Edit,
}

pub(super) fn run(context: &Context, command: &Command) -> Result<Exit, Failure> {
    let file = &context.paths.config_file;
    match command {
        Command::Path => {
            context.line(&file.display().to_string())?;
            Ok(Exit::Good)
        }
        Command::Init if file.exists() => {
            Err(Failure::Said(CommandPhrase::ConfigThere(file.display().to_string()), Exit::Bad))
        }
        Command::Init => {
            init(file)?;
            context.say(&CommandPhrase::ConfigMade(file.display().to_string()))?;
            Ok(Exit::Good)
        }
        Command::Show => show(context, file),
        Command::Check => check(context, file),
        Command::Edit => edit(context, file),
    }
}

fn init(file: &Path) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        private_folder(folder)?;
    }
    private::write(file, template().as_bytes()).map_err(|cause| unusable(file, &cause.to_string()))
}

fn unusable(file: &Path, cause: &str) -> Failure {
    let phrase = CommandPhrase::ConfigUnusable { file: file.display().to_string(), cause: cause.to_owned() };
    Failure::Said(phrase, Exit::Bad)
}

/// The file as it stands, without its secrets.
fn show(context: &Context, file: &Path) -> Result<Exit, Failure> {
    if !file.exists() {
        context.say(&CommandPhrase::NoConfig(file.display().to_string()))?;
        return Ok(Exit::Good);
    }
    let text = std::fs::read_to_string(file).map_err(|cause| unusable(file, &cause.to_string()))?;
    context.line(&format!("# {}", file.display()))?;
    context.line(without_secrets(&text).trim_end())?;
    Ok(Exit::Good)
}

/// Hides values of secret keys, unless they only say where the secret is; and what looks like a secret anywhere.
fn without_secrets(text: &str) -> String {
    let hidden = text.lines().map(|line| {
        let Some((key, value)) = line.split_once('=') else { return line.to_owned() };
        let is_secret = SECRET_KEYS.iter().any(|word| key.to_ascii_lowercase().contains(word));
        let says_where = ["\"env:", "\"file:", "\"keychain:"].iter().any(|place| value.contains(place));
        if is_secret && !says_where { format!("{key}= \"{HIDDEN}\"") } else { line.to_owned() }
    });
    redact(&hidden.collect::<Vec<_>>().join("\n"))
}

fn check(context: &Context, file: &Path) -> Result<Exit, Failure> {
    load(&context.paths, &context.environment).map_err(Failure::Config)?;
    let name = file.display().to_string();
    context.say(&if file.exists() { CommandPhrase::ConfigGood(name) } else { CommandPhrase::NoConfig(name) })?;
    Ok(Exit::Good)
}

/// Opens the file in the person's editor, and checks what came of it.
fn edit(context: &Context, file: &Path) -> Result<Exit, Failure> {
    if !file.exists() {
        init(file)?;
    }
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| context.environment.text(name));
    let mut words = named.unwrap_or(USUAL_EDITOR).split_whitespace();
    let program = words.next().unwrap_or(USUAL_EDITOR);
    let arguments = words.map(OsStr::new).chain([file.as_os_str()]);
    // An editor is open for as long as the person wants: no limit.
    let ended = Process::new(program).args(arguments).status();
    let status = ended.map_err(|cause| {
        Failure::Said(CommandPhrase::NoEditor { program: program.to_owned(), cause: cause.to_string() }, Exit::Bad)
    })?;
    if !status.success() {
        let cause = status.to_string();
        return Err(Failure::Said(CommandPhrase::NoEditor { program: program.to_owned(), cause }, Exit::Bad));
    }
    check(context, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_stays_as_it_is() {
        let text = "# mine\n[alerts.discord]\nwebhook = \"https://example.org/hunter2\"\nusername = \"x\"\n[deadman]\nurl = \"file:~/ping\"\n";
        let shown = without_secrets(text);
        assert_eq!(
            shown,
            "# mine\n[alerts.discord]\nwebhook = \"[hidden]\"\nusername = \"x\"\n[deadman]\nurl = \"file:~/ping\""
        );
    }
}
