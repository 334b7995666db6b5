//! Reading the app again: what macOS looks at before it runs it, shows its icon and lets it send notifications.

mod seal;

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use apple_codesign::{MachFile, MachOBinary};
use icns::IconFamily;
use plist::{Dictionary, Value};

use crate::archive;
use crate::icon::SIZES;
use crate::layout::{APP, EXECUTABLE, ICON, PKG_INFO, SEAL, Source, languages, text};

/// What was found out.
#[derive(Debug, Default)]
pub struct Report {
    /// What is as it should be.
    pub facts: Vec<String>,
    /// What is not.
    pub problems: Vec<String>,
}

impl Report {
    fn add(&mut self, what: &str, found: Result<String>) {
        match found {
            Ok(fact) => self.facts.push(format!("{what}: {fact}")),
            Err(error) => self.problems.push(format!("{what}: {error:#}")),
        }
    }
}

/// Reads the app and the zip in `folder`. `machines` must be in the executable, and no others.
pub fn verify(source: &Source, folder: &Path, machines: &[String]) -> Report {
    let app = folder.join(APP);
    let mut report = Report::default();
    report.add("Info.plist", info_plist(source, &app));
    report.add("languages", localization(&app));
    report.add("icon", icon(&app));
    report.add("executable", executable(&app, machines));
    report.add("signature", signature(&app));
    report.add("sealed files", seal::check(&app));
    report.add("zip", zipped(&app, &archive::path(folder, &source.version)));
    report
}

fn info(app: &Path) -> Result<Dictionary> {
    let value = Value::from_file(app.join("Contents/Info.plist")).context("it is no property list")?;
    value.into_dictionary().context("it is no dictionary")
}

fn info_plist(source: &Source, app: &Path) -> Result<String> {
    let info = info(app)?;
    ensure!(info == source.info()?, "it is not the project's own with the version filled in");
    let value = |key| text(&info, key).with_context(|| format!("{key} is missing"));
    let identifier = value("CFBundleIdentifier")?;
    // The gateway's `doctor --fix` ends jobs whose label begins so.
    ensure!(!identifier.starts_with("ai.openclaw."), "{identifier} is one of OpenClaw's own names");
    ensure!(EXECUTABLE == format!("Contents/MacOS/{}", value("CFBundleExecutable")?), "it names another executable");
    ensure!(ICON == format!("Contents/Resources/{}.icns", value("CFBundleIconFile")?), "it names another icon");
    ensure!(value("CFBundlePackageType")? == "APPL", "it is no application");
    ensure!(info.get("LSUIElement") == Some(&Value::from(true)), "LSUIElement would put it into the Dock");
    let pkg_info = fs::read_to_string(app.join("Contents/PkgInfo")).context("PkgInfo")?;
    ensure!(pkg_info == PKG_INFO, "PkgInfo says {pkg_info:?}");
    Ok(format!("{identifier} {}", value("CFBundleVersion")?))
}

fn localization(app: &Path) -> Result<String> {
    let info = info(app)?;
    let languages = languages(&info);
    ensure!(!languages.is_empty(), "CFBundleLocalizations is empty");
    for language in &languages {
        let strings = app.join(format!("Contents/Resources/{language}.lproj/InfoPlist.strings"));
        let value = Value::from_file(&strings).with_context(|| format!("{language}: no property list"))?;
        let strings = value.as_dictionary().with_context(|| format!("{language}: no dictionary"))?;
        for (key, value) in strings {
            ensure!(info.contains_key(key), "{language}: {key} is not in Info.plist");
            ensure!(value.as_string().is_some_and(|text| !text.is_empty()), "{language}: {key} is empty");
        }
    }
    Ok(languages.join(", "))
}

fn icon(app: &Path) -> Result<String> {
    let family = IconFamily::read(BufReader::new(File::open(app.join(ICON))?)).context("it is no icns file")?;
    for (kind, pixels) in SIZES {
        let image = family.get_icon_with_type(kind).with_context(|| format!("{kind:?} is missing"))?;
        ensure!((image.width(), image.height()) == (pixels, pixels), "{kind:?} has another size");
    }
    Ok(SIZES.map(|(kind, _)| format!("{kind:?}")).join(", "))
}

fn executable(app: &Path, machines: &[String]) -> Result<String> {
    let path = app.join(EXECUTABLE);
    let others: Vec<_> = archive::tree(&app.join("Contents/MacOS"))?;
    ensure!(others.len() == 2, "there is something beside it: {others:?}");
    ensure!(fs::metadata(&path)?.permissions().mode() & 0o777 == 0o755, "its mode is not 755");
    let info = info(app)?;
    let minimum = text(&info, "LSMinimumSystemVersion").context("LSMinimumSystemVersion is missing")?;
    let bytes = fs::read(&path)?;
    // A script would not parse: macOS hides the menu-bar icon of an app that starts by one.
    let file = MachFile::parse(&bytes).context("it is no Mach-O file")?;
    let mut found = Vec::new();
    let mut libraries = 0;
    for slice in file.iter_macho() {
        let machine = machine(slice)?;
        ensure!(slice.is_executable(), "{machine}: no executable");
        let target = slice.find_targeting()?.with_context(|| format!("{machine}: it names no system"))?;
        let system = target.minimum_os_version;
        ensure!(
            format!("{}.{}", system.major, system.minor) == minimum,
            "{machine}: it needs macOS {system}, and Info.plist says {minimum}"
        );
        for library in slice.macho.libs.iter().filter(|library| **library != "self") {
            let ours = library.starts_with("/System/Library/Frameworks/") || library.starts_with("/usr/lib/");
            ensure!(ours, "{machine}: {library} is not part of every Mac");
            libraries += 1;
        }
        for framework in ["AppKit", "UserNotifications", "ServiceManagement"] {
            let named = slice.macho.libs.iter().any(|library| library.contains(&format!("/{framework}.framework/")));
            ensure!(named, "{machine}: {framework} is not among its libraries");
        }
        found.push(machine);
    }
    found.sort_unstable();
    let mut wanted: Vec<&str> = machines.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    ensure!(found == wanted, "it is for {found:?} and not for {wanted:?}");
    Ok(format!("{} for macOS {minimum} and later, {libraries} load commands for libraries", found.join(" and ")))
}

fn machine(slice: &MachOBinary<'_>) -> Result<&'static str> {
    // `mach/machine.h`: CPU_TYPE_ARM64 and CPU_TYPE_X86_64.
    match slice.macho.header.cputype {
        0x0100_000c => Ok("arm64"),
        0x0100_0007 => Ok("x86_64"),
        other => bail!("unknown processor {other:#x}"),
    }
}

fn signature(app: &Path) -> Result<String> {
    let identifier = info(app)?;
    let identifier = text(&identifier, "CFBundleIdentifier").context("no CFBundleIdentifier")?;
    let bytes = fs::read(app.join(EXECUTABLE))?;
    let mut flags = Vec::new();
    for slice in MachFile::parse(&bytes).context("it is no Mach-O file")?.iter_macho() {
        let machine = machine(slice)?;
        flags.push(seal::signature(app, identifier, slice).with_context(|| machine.to_owned())?);
    }
    flags.dedup();
    Ok(format!("{}; Info.plist and {SEAL} are bound", flags.join(" and ")))
}

fn zipped(app: &Path, archive: &Path) -> Result<String> {
    let folder = app.parent().context("the app has no folder")?;
    let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let mut zip = zip::ZipArchive::new(BufReader::new(file)).context("it is no zip")?;
    let paths = archive::tree(app)?;
    ensure!(zip.len() == paths.len(), "it has {} entries, the app {}", zip.len(), paths.len());
    for path in &paths {
        let name = path.strip_prefix(folder)?.to_str().context("a name that is no text")?;
        let name = if path.is_dir() { format!("{name}/") } else { name.to_owned() };
        let mut entry = zip.by_name(&name).with_context(|| format!("{name} is missing"))?;
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        ensure!(entry.unix_mode().map(|found| found & 0o777) == Some(mode), "{name} has another mode than {mode:o}");
        if path.is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            ensure!(bytes == fs::read(path)?, "{name} is another file");
        }
    }
    Ok(format!("{} entries, as in the app", paths.len()))
}

#[cfg(test)]
mod tests;
