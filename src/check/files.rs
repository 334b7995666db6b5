//! Files and folders: whose they are, how large they are, and how much room is left.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Finding, Fix, Ground, word};
use crate::platform::process::own_uid;
use crate::probe::dependency::free_space;
use crate::text::check::own::OwnRemark;
use crate::text::check::{Grade, Subject};

/// Keys of the configuration whose values are secrets.
const SECRET_KEYS: [&str; 6] = ["webhook", "url", "token", "password", "secret", "key"];

/// A log that is larger deserves a word. OpenClaw begins a new one at 100 MB.
const LARGE_LOG: u64 = 200 * 1024 * 1024;

/// Less room than this will soon be none: bytes.
const LITTLE_ROOM: u64 = 1024 * 1024 * 1024;

/// With less room than this, history and logs are at risk: bytes.
const NO_ROOM: u64 = 200 * 1024 * 1024;

/// Files that are looked at below the state folder.
const MOST_FILES: usize = 10_000;

pub(super) fn config_permissions(ground: &Ground<'_>) -> Finding {
    let file = &ground.paths.config_file;
    let finding = |grade, remark| ground.finding(Subject::ConfigPermissions, grade, &remark);
    let Ok(metadata) = file.metadata() else { return finding(Grade::Skipped, OwnRemark::NoConfig) };
    let name = file.display().to_string();
    let open = |rights: u32| metadata.mode() & rights != 0 && !closed_above(file);
    if open(0o022) {
        return finding(Grade::Problem, OwnRemark::OthersWrite(name)).fix(Fix::Close(vec![file.clone()]));
    }
    let holds_secret = texts(file).iter().any(|(key, value)| {
        SECRET_KEYS.iter().any(|secret| key.contains(secret))
            && !value.starts_with("env:")
            && !value.starts_with("file:")
            && !value.starts_with("keychain:")
    });
    if open(0o044) && holds_secret {
        return finding(Grade::Problem, OwnRemark::OthersRead(name)).fix(Fix::Close(vec![file.clone()]));
    }
    finding(Grade::Ok, OwnRemark::FileGuarded(name))
}

pub(super) fn secret_files(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::SecretFiles, grade, &remark);
    let named: Vec<PathBuf> = texts(&ground.paths.config_file)
        .iter()
        .filter_map(|(_, value)| value.strip_prefix("file:"))
        .map(|path| ground.environment.expand(Path::new(path.trim())))
        .collect();
    if named.is_empty() {
        return finding(Grade::Skipped, OwnRemark::NoSecretFiles);
    }
    let mut open = Vec::new();
    for file in &named {
        match file.metadata() {
            Ok(metadata) if metadata.mode() & 0o077 != 0 => open.push(file.clone()),
            Ok(_) => {}
            Err(_) => {
                let mend = format!("install -m 600 /dev/null {0} && ${{EDITOR:-vi}} {0}", word(file));
                return finding(Grade::Problem, OwnRemark::NoSuchFile(file.display().to_string())).mend(mend);
            }
        }
    }
    match open.first() {
        None => finding(Grade::Ok, OwnRemark::FilesClosed(named.len())),
        Some(first) => {
            finding(Grade::Problem, OwnRemark::FilesOpen(first.display().to_string(), open.len())).fix(Fix::Close(open))
        }
    }
}

pub(super) fn folders(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::Folders, grade, &remark);
    for folder in [&ground.paths.state_dir, &ground.paths.logs_dir] {
        let name = folder.display().to_string();
        let Ok(metadata) = folder.metadata() else { return finding(Grade::Skipped, OwnRemark::NoFolder(name)) };
        if metadata.uid() != own_uid() {
            let mend = format!("sudo chown -R \"$(id -u)\" {}", word(folder));
            return finding(Grade::Problem, OwnRemark::FolderForeign(name)).mend(mend);
        }
        if metadata.mode() & 0o077 != 0 {
            return finding(Grade::Warning, OwnRemark::FolderOpen(name)).fix(Fix::Close(vec![folder.clone()]));
        }
        // Permissions alone do not tell: a disk may be mounted read-only.
        if let Err(cause) = tempfile::tempfile_in(folder) {
            let mend = format!("chmod u+rwx {}", word(folder));
            return finding(Grade::Problem, OwnRemark::FolderReadOnly(name, cause.to_string())).mend(mend);
        }
    }
    finding(Grade::Ok, OwnRemark::FoldersGood(ground.paths.state_dir.display().to_string()))
}

pub(super) fn state_files(ground: &Ground<'_>) -> Finding {
    let finding = |grade, remark| ground.finding(Subject::StateFiles, grade, &remark);
    let folder = &ground.paths.state_dir;
    let mut files = Vec::new();
    walk(folder, &mut files);
    if files.is_empty() {
        return finding(Grade::Skipped, OwnRemark::NoFolder(folder.display().to_string()));
    }
    let readable = |(path, metadata): &(PathBuf, Metadata)| metadata.mode() & 0o066 != 0 && !closed_above(path);
    let open: Vec<PathBuf> = files.iter().filter(|file| readable(file)).map(|(path, _)| path.clone()).collect();
    match open.first() {
        None => finding(Grade::Ok, OwnRemark::FilesClosed(files.len())),
        Some(first) => {
            finding(Grade::Problem, OwnRemark::FilesOpen(first.display().to_string(), open.len())).fix(Fix::Close(open))
        }
    }
}

pub(super) fn log_sizes(ground: &Ground<'_>) -> Finding {
    let mut logs: Vec<(PathBuf, Metadata)> = Vec::new();
    walk(&ground.paths.logs_dir, &mut logs);
    let others = ground.gateways.iter().filter_map(|watched| watched.found.log.clone());
    for log in others.filter(|log| !log.starts_with(&ground.paths.logs_dir)) {
        logs.extend(log.metadata().ok().map(|metadata| (log, metadata)));
    }
    let total = logs.iter().map(|(_, metadata)| metadata.len()).sum();
    match logs.iter().find(|(_, metadata)| metadata.len() > LARGE_LOG) {
        None => ground.finding(Subject::LogSizes, Grade::Ok, &OwnRemark::LogsSmall(total)),
        Some((file, metadata)) => {
            let remark = OwnRemark::LogLarge(file.display().to_string(), metadata.len());
            let mend = format!("gzip -c {0} > {0}.old.gz && : > {0}", word(file));
            ground.finding(Subject::LogSizes, Grade::Warning, &remark).mend(mend)
        }
    }
}

pub(super) fn disk_space(ground: &Ground<'_>) -> Finding {
    let own = [&ground.paths.state_dir, &ground.paths.logs_dir];
    let folders = own.into_iter().chain(ground.gateways.iter().map(|watched| &watched.setup.state_dir));
    let rooms = folders.filter_map(|folder| Some((folder, free_space(folder).ok()?)));
    let Some((folder, free)) = rooms.min_by_key(|(_, free)| *free) else {
        return ground.finding(Subject::DiskSpace, Grade::Skipped, &OwnRemark::Room(0));
    };
    judge_room(ground, folder, free)
}

fn judge_room(ground: &Ground<'_>, folder: &Path, free: u64) -> Finding {
    let grade = match free {
        ..NO_ROOM => Grade::Problem,
        NO_ROOM..LITTLE_ROOM => Grade::Warning,
        _ => return ground.finding(Subject::DiskSpace, Grade::Ok, &OwnRemark::Room(free)),
    };
    let mend = format!("du -xk {} | sort -n | tail -n 20", word(folder));
    ground.finding(Subject::DiskSpace, grade, &OwnRemark::NoRoom(folder.display().to_string(), free)).mend(mend)
}

/// Every key of a TOML file that has a text, and the text.
fn texts(file: &Path) -> Vec<(String, String)> {
    fn collect(key: &str, value: &toml::Value, found: &mut Vec<(String, String)>) {
        match value {
            toml::Value::String(text) => found.push((key.to_owned(), text.clone())),
            toml::Value::Array(values) => values.iter().for_each(|value| collect(key, value, found)),
            toml::Value::Table(table) => table.iter().for_each(|(key, value)| collect(key, value, found)),
            _ => {}
        }
    }
    // What cannot be read or understood is told as the configuration's own problem.
    let table: toml::Table = std::fs::read_to_string(file).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut found = Vec::new();
    collect("", &toml::Value::Table(table), &mut found);
    found
}

/// Whether a folder above this file keeps others out, whatever the file's own rights say.
fn closed_above(file: &Path) -> bool {
    let is_closed = |folder: &Path| folder.metadata().is_ok_and(|metadata| metadata.mode() & 0o011 == 0);
    file.ancestors().skip(1).any(is_closed)
}

/// The regular files below a folder. Links are not followed.
fn walk(folder: &Path, found: &mut Vec<(PathBuf, Metadata)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            walk(&entry.path(), found);
        } else if metadata.is_file() && found.len() < MOST_FILES {
            found.push((entry.path(), metadata));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::check::sample::Stage;

    fn mode(path: &Path, mode: u32) {
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_configuration_that_others_change_or_that_shows_a_secret_is_a_problem() {
        let stage = Stage::open();
        let file = stage.paths.config_file.clone();
        assert_eq!(config_permissions(&stage.ground()).grade, Grade::Skipped);
        std::fs::write(&file, "language = \"en\"").unwrap();
        mode(&file, 0o644);
        assert_eq!(config_permissions(&stage.ground()).grade, Grade::Ok);
        mode(&file, 0o664);
        let open = config_permissions(&stage.ground());
        assert_eq!((open.grade, open.fix), (Grade::Problem, Some(Fix::Close(vec![file.clone()]))));
        mode(&file, 0o644);
        std::fs::write(&file, "[alerts.discord]\nwebhook = \"file:~/hook\"").unwrap();
        assert_eq!(config_permissions(&stage.ground()).grade, Grade::Ok);
        std::fs::write(&file, "[alerts.discord]\nwebhook = \"https://discord.com/api/webhooks/1/hunter2\"").unwrap();
        let told = config_permissions(&stage.ground());
        assert_eq!(told.grade, Grade::Problem);
        assert!(!told.sentence.contains("hunter2"));
        mode(&file, 0o600);
        assert_eq!(config_permissions(&stage.ground()).grade, Grade::Ok);
    }

    #[test]
    fn a_secret_file_is_closed_open_or_missing() {
        let stage = Stage::new();
        assert_eq!(secret_files(&stage.ground()).grade, Grade::Skipped);
        std::fs::write(&stage.paths.config_file, "[alerts.discord]\nwebhook = \"file:~/hook\"").unwrap();
        let missing = secret_files(&stage.ground());
        assert_eq!(missing.grade, Grade::Problem);
        assert!(missing.mend.unwrap().starts_with("install -m 600"));
        let hook = stage.home().join("hook");
        std::fs::write(&hook, "x").unwrap();
        mode(&hook, 0o644);
        let open = secret_files(&stage.ground());
        assert_eq!((open.grade, open.fix), (Grade::Problem, Some(Fix::Close(vec![hook.clone()]))));
        mode(&hook, 0o600);
        assert_eq!(secret_files(&stage.ground()).grade, Grade::Ok);
    }

    #[test]
    fn folders_are_good_open_or_not_there() {
        let stage = Stage::new();
        assert_eq!(folders(&stage.ground()).grade, Grade::Ok);
        mode(&stage.paths.state_dir, 0o755);
        let open = folders(&stage.ground());
        assert_eq!((open.grade, open.fix), (Grade::Warning, Some(Fix::Close(vec![stage.paths.state_dir.clone()]))));
        std::fs::remove_dir_all(&stage.paths.state_dir).unwrap();
        assert_eq!(folders(&stage.ground()).grade, Grade::Skipped);
    }

    #[test]
    fn a_state_file_matters_only_where_others_can_reach_it() {
        let stage = Stage::open();
        assert_eq!(state_files(&stage.ground()).grade, Grade::Skipped);
        let file = stage.paths.state_dir.join("gateway-home.json");
        std::fs::write(&file, "{}").unwrap();
        mode(&file, 0o644);
        assert_eq!(state_files(&stage.ground()).grade, Grade::Ok, "its folder is closed");
        mode(&stage.paths.state_dir, 0o755);
        let open = state_files(&stage.ground());
        assert_eq!((open.grade, open.fix), (Grade::Problem, Some(Fix::Close(vec![file]))));
    }

    #[test]
    fn a_log_without_bounds_is_a_warning() {
        let stage = Stage::new();
        let log = stage.paths.log_file();
        std::fs::write(&log, "x").unwrap();
        assert_eq!(log_sizes(&stage.ground()).grade, Grade::Ok);
        std::fs::File::options().write(true).open(&log).unwrap().set_len(LARGE_LOG + 1).unwrap();
        let large = log_sizes(&stage.ground());
        assert_eq!(large.grade, Grade::Warning);
        assert!(large.mend.unwrap().starts_with("gzip -c"));
    }

    #[test]
    fn little_room_is_a_warning_and_none_a_problem() {
        let stage = Stage::new();
        let of = |free| judge_room(&stage.ground(), &stage.paths.state_dir, free);
        assert_eq!(of(LITTLE_ROOM).grade, Grade::Ok);
        assert_eq!(of(LITTLE_ROOM - 1).grade, Grade::Warning);
        let none = of(NO_ROOM - 1);
        assert_eq!(none.grade, Grade::Problem);
        assert!(none.sentence.starts_with("Only 199 MB is free"), "{none:?}");
        assert_ne!(disk_space(&stage.ground()).grade, Grade::Skipped);
    }
}
