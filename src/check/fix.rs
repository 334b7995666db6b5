//! What the self-check may mend by itself: rights that were too wide. Nothing else is changed, nothing is deleted.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{Finding, word};

/// Something that is safe to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Take all rights of others to these files and folders.
    Close(Vec<PathBuf>),
}

impl Fix {
    /// The command that does the same.
    #[must_use]
    pub fn command(&self) -> String {
        let Self::Close(paths) = self;
        let words: Vec<String> = paths.iter().map(|path| word(path)).collect();
        format!("chmod go= {}", words.join(" "))
    }

    fn apply(&self) -> io::Result<()> {
        let Self::Close(paths) = self;
        for path in paths {
            let metadata = path.symlink_metadata()?;
            // What a link leads to may be anything.
            if metadata.is_symlink() {
                return Err(io::Error::other(format!("{} is a link", path.display())));
            }
            std::fs::set_permissions(path, Permissions::from_mode(metadata.permissions().mode() & 0o700))?;
        }
        Ok(())
    }
}

/// Mends what can be mended safely: the command that does the same, and what became of it.
#[must_use]
pub fn apply(findings: &[Finding]) -> Vec<(String, io::Result<()>)> {
    findings.iter().filter_map(|finding| finding.fix.as_ref()).map(|fix| (fix.command(), fix.apply())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_of_others_are_taken_and_a_link_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a b"), folder.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let fix = Fix::Close(vec![file.clone()]);
        assert_eq!(fix.command(), format!("chmod go= '{}'", file.display()));
        assert!(Fix::Close(vec![link]).apply().is_err());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o664);
        fix.apply().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
