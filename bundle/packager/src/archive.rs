//! The app as a zip with Unix modes, as `ditto -c -k --keepParent` makes it.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Where the zip of this version is, beside the app.
pub fn path(folder: &Path, version: &str) -> PathBuf {
    folder.join(format!("Lifeguard-{version}-macos.zip"))
}

/// Packs the app.
pub fn pack(app: &Path, version: &str) -> Result<PathBuf> {
    let folder = app.parent().context("the app has no folder")?;
    let archive = path(folder, version);
    let file = File::create(&archive).with_context(|| format!("cannot write {}", archive.display()))?;
    let mut writer = ZipWriter::new(BufWriter::new(file));
    for path in tree(app)? {
        let name = path.strip_prefix(folder)?.to_str().context("a name that is no text")?;
        let mode = fs::metadata(&path)?.permissions().mode();
        // The same app gives the same zip.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode & 0o777);
        if path.is_dir() {
            writer.add_directory(name, options)?;
        } else {
            writer.start_file(name, options)?;
            io::copy(&mut File::open(&path)?, &mut writer)?;
        }
    }
    writer.finish()?;
    Ok(archive)
}

/// Everything below a folder and itself, parents first, in the order of their names.
pub fn tree(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![folder.to_path_buf()];
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("cannot list {}", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            found.extend(tree(&entry)?);
        } else {
            found.push(entry);
        }
    }
    Ok(found)
}
