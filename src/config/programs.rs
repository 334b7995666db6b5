//! Where `openclaw` and `node` are, found without running anything.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::environment::Environment;

/// Folders outside a desktop program's short `PATH` where package managers put programs: Homebrew, the
/// installers' defaults, npm's usual prefix, pnpm, bun, volta.
const USUAL: [&str; 11] = [
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "~/.local/bin",
    "~/.npm-global/bin",
    "~/.openclaw/bin",
    "~/.bun/bin",
    "~/.volta/bin",
    "~/Library/pnpm",
    "~/.local/share/pnpm",
    "/usr/bin",
    "/bin",
];

/// The first program of this name in `PATH`, then in the usual places, then below nvm's newest Node.
#[must_use]
pub fn find(name: &str, environment: &Environment) -> Option<PathBuf> {
    let path = environment.raw("PATH").unwrap_or_default();
    let usual = USUAL.iter().map(|folder| environment.expand(Path::new(folder)));
    std::env::split_paths(path)
        .chain(usual)
        .chain(nvm(environment))
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

/// The command that runs this program. A script for Node is run by a `node` that was found, for a desktop
/// program's `PATH` often has none; the one beside the script's link goes first, for it was installed with it.
#[must_use]
pub fn command(program: &Path, environment: &Environment) -> Vec<String> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let script = std::fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    let is_script = script.extension().is_some_and(|extension| extension == "mjs" || extension == "js");
    let beside = program.parent().map(|folder| folder.join("node")).filter(|node| is_program(node));
    match beside.or_else(|| find("node", environment)) {
        Some(node) if is_script => vec![text(&node), text(&script)],
        _ => vec![text(program)],
    }
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// nvm's `bin` folders, newest version first.
fn nvm(environment: &Environment) -> Vec<PathBuf> {
    let versions = environment.path("NVM_DIR").unwrap_or_else(|| environment.expand(Path::new("~/.nvm")));
    let Ok(entries) = std::fs::read_dir(versions.join("versions/node")) else { return Vec::new() };
    let mut folders: Vec<(Vec<u64>, PathBuf)> = entries
        .filter_map(Result::ok)
        .map(|entry| {
            let name = entry.file_name();
            let numbers = name
                .to_string_lossy()
                .trim_start_matches('v')
                .split('.')
                .map(|part| part.parse().unwrap_or(0))
                .collect();
            (numbers, entry.path().join("bin"))
        })
        .collect();
    folders.sort_by(|left, right| right.cmp(left));
    folders.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn program(file: &Path, mode: u32) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "#!/usr/bin/env node\n").unwrap();
        std::fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn path_goes_first_and_a_file_that_cannot_be_run_is_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let (first, second) = (home.path().join("a"), home.path().join("b"));
        program(&first.join("openclaw-x"), 0o644);
        program(&second.join("openclaw-x"), 0o755);
        let path = format!("{}:relative:{}", first.display(), second.display());
        let environment =
            Environment::default().with([("PATH", path.as_str()), ("HOME", home.path().to_str().unwrap())]);
        assert_eq!(find("openclaw-x", &environment), Some(second.join("openclaw-x")));
        assert_eq!(find("openclaw-y", &environment), None);
    }

    #[test]
    fn the_usual_places_and_the_newest_node_of_nvm_are_searched() {
        let home = tempfile::tempdir().unwrap();
        for version in ["v9.1.0", "v26.10.0", "v24.16.0"] {
            program(&home.path().join(".nvm/versions/node").join(version).join("bin/openclaw-x"), 0o755);
        }
        let environment = Environment::default().with([("HOME", home.path().to_str().unwrap())]);
        let newest = home.path().join(".nvm/versions/node/v26.10.0/bin/openclaw-x");
        assert_eq!(find("openclaw-x", &environment), Some(newest));
        let local = home.path().join(".local/bin/openclaw-x");
        program(&local, 0o755);
        assert_eq!(find("openclaw-x", &environment), Some(local));
    }

    #[test]
    fn a_script_is_run_by_the_node_beside_its_link() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        program(&home.join("lib/openclaw.mjs"), 0o755);
        program(&home.join("bin/node"), 0o755);
        std::os::unix::fs::symlink("../lib/openclaw.mjs", home.join("bin/openclaw")).unwrap();
        let command = command(&home.join("bin/openclaw"), &Environment::default());
        assert_eq!(
            command,
            [home.join("bin/node"), home.join("lib/openclaw.mjs")].map(|path| path.display().to_string())
        );
    }
}
