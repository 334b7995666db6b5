//! The app's folder, not yet signed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use apple_codesign::{MachFile, UniversalBinaryBuilder};
use plist::Value;

use crate::icon;
use crate::layout::{APP, EXECUTABLE, ICON, PKG_INFO, Source, languages};

/// Makes the app in `folder`; one that is there is replaced.
pub fn assemble(source: &Source, executables: &[PathBuf], folder: &Path) -> Result<PathBuf> {
    let app = folder.join(APP);
    if app.exists() {
        fs::remove_dir_all(&app).with_context(|| format!("cannot replace {}", app.display()))?;
    }
    let info = source.info()?;
    write(&app.join(EXECUTABLE), &join(executables)?)?;
    fs::set_permissions(app.join(EXECUTABLE), fs::Permissions::from_mode(0o755))?;
    write(&app.join(ICON), &icon::family(&source.root.join("icons"))?)?;
    for language in languages(&info) {
        let strings = format!("{language}.lproj/InfoPlist.strings");
        let from = source.root.join("bundle").join(&strings);
        let text = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
        write(&app.join("Contents/Resources").join(strings), &text)?;
    }
    let licence = source.root.join("LICENSE");
    write(&app.join("Contents/Resources/LICENSE"), &fs::read(&licence).context("cannot read LICENSE")?)?;
    write(&app.join("Contents/PkgInfo"), PKG_INFO.as_bytes())?;
    let mut plist = Vec::new();
    Value::Dictionary(info).to_writer_xml(&mut plist)?;
    write(&app.join("Contents/Info.plist"), &plist)?;
    Ok(app)
}

/// One executable for every machine, of those for one machine each.
fn join(executables: &[PathBuf]) -> Result<Vec<u8>> {
    let mut builder = UniversalBinaryBuilder::default();
    let mut first = Vec::new();
    for path in executables {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = MachFile::parse(&bytes).with_context(|| format!("{} is no Mach-O file", path.display()))?;
        if !file.iter_macho().all(apple_codesign::MachOBinary::is_executable) {
            bail!("{} is no executable", path.display());
        }
        builder.add_binary(&bytes)?;
        first = bytes;
    }
    if executables.len() < 2 {
        return Ok(first);
    }
    let mut joined = Vec::new();
    builder.write(&mut joined)?;
    Ok(joined)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
