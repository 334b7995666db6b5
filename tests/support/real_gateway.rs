//! The real OpenClaw gateway for tests: installed once from npm under `target/cache`, each started with a home of
//! its own. A failed installation fails the test; nothing is skipped.
#![allow(dead_code, reason = "each test file uses the part that it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use super::gateway::{GatewayHome, wait_until};

/// The pinned release.
pub(crate) const VERSION: &str = "2026.9.6";
/// Limit for one `npm install`; measured: 36 s.
const INSTALL_LIMIT: Duration = Duration::from_mins(10);

/// A home for a real gateway.
pub(crate) fn home() -> GatewayHome {
    let modules = modules();
    let path = format!("{}:{}", modules.join("node/bin").display(), std::env::var("PATH").unwrap_or_default());
    let variables = [
        ("PATH", path),
        ("OPENCLAW_NO_AUTO_UPDATE", "1".to_owned()),
        ("DO_NOT_TRACK", "1".to_owned()),
        ("NO_COLOR", "1".to_owned()),
    ];
    GatewayHome::new(&variables, |home| {
        let node = modules.join("node/bin/node").display().to_string();
        let program = modules.join("openclaw/openclaw.mjs").display().to_string();
        let port = home.port.to_string();
        vec![node, program, "gateway".into(), "run".into(), "--port".into(), port, "--bind".into(), "loopback".into()]
    })
}

/// The `node_modules` of the installation, which is made if it is not there.
fn modules() -> &'static Path {
    static MODULES: OnceLock<PathBuf> = OnceLock::new();
    MODULES.get_or_init(|| {
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cache");
        let folder = cache.join(format!("openclaw-{VERSION}"));
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        if !is_installed(&folder) {
            let lock = File::create(cache.join(format!("openclaw-{VERSION}.lock"))).unwrap();
            lock.lock().unwrap();
            if !is_installed(&folder) {
                // Node first: openclaw's own install script refuses to run on an older one.
                npm_install(&folder, "node@26");
                npm_install(&folder, &format!("openclaw@{VERSION}"));
                assert!(
                    is_installed(&folder),
                    "npm said that it installed openclaw, but it is not in {}",
                    folder.display()
                );
            }
        }
        folder.join("node_modules")
    })
}

/// npm writes its list of what is installed when everything is in its place, so an installation that broke off
/// does not count.
fn is_installed(folder: &Path) -> bool {
    let listed = fs::read_to_string(folder.join("node_modules/.package-lock.json"));
    listed.is_ok_and(|list| list.contains("\"node_modules/openclaw\"") && list.contains("\"node_modules/node\""))
}

fn npm_install(folder: &Path, package: &str) {
    let help = "tests run the real OpenClaw gateway: install Node.js with npm, and let it reach its registry";
    let log_path = folder.join("npm.log");
    let log = File::create(&log_path).unwrap();
    let path =
        format!("{}:{}", folder.join("node_modules/node/bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut npm = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder)
        .arg(package)
        .env("PATH", path)
        .env_remove("NODE_OPTIONS")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("npm does not start ({error}); {help}"));
    let mut status = None;
    wait_until(INSTALL_LIMIT, || {
        status = npm.try_wait().unwrap();
        status.is_some()
    });
    if !status.is_some_and(|status| status.success()) {
        let _ended_already = npm.kill();
        let _reaped = npm.wait();
        let log = fs::read_to_string(&log_path).unwrap_or_default();
        panic!("`npm install {package}` failed ({status:?}); {help}\n{log}");
    }
}
