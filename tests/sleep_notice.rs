//! logind's notices of sleep reach the app, from logind alone, and nothing is done because of them.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::notifyd::Bus;
use zbus::Connection;

mod support {
    pub(crate) mod notifyd;
}

/// Limit for what takes a second or less on an idle machine.
const SOON: Duration = Duration::from_mins(1);

/// `lifeguard watch` without a gateway. It is killed and waited for at the end.
struct Watch(Child);

impl Watch {
    fn start(home: &Path, bus: &Bus) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_lifeguard"))
            .env_clear()
            .env("HOME", home)
            .env("LIFEGUARD_STATE_DIR", home.join("state"))
            .env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address)
            .env("OPENCLAW_GATEWAY_PORT", "1")
            .arg("watch")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn log(home: &Path) -> String {
    std::fs::read_to_string(home.join("state/logs/lifeguard.log")).unwrap_or_default()
}

async fn signal(connection: &Connection, sleeps: bool) {
    let path = "/org/freedesktop/login1";
    let body = (sleeps,);
    let emitted =
        connection.emit_signal(None::<&str>, path, "org.freedesktop.login1.Manager", "PrepareForSleep", &body);
    emitted.await.unwrap();
}

/// Says it again and again until the log has these words so often: nobody knows when Lifeguard listens.
async fn say_until(connection: &Connection, sleeps: bool, home: &Path, words: &str, times: usize) {
    let began = Instant::now();
    while log(home).matches(words).count() < times {
        assert!(began.elapsed() < SOON, "{words:?} is not in the log {times} times:\n{}", log(home));
        signal(connection, sleeps).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn logind_is_heard_and_nobody_else() {
    let (home, bus) = (tempfile::tempdir().unwrap(), Bus::start());
    let (logind, stranger) = (bus.connect().await, bus.connect().await);
    logind.request_name("org.freedesktop.login1").await.unwrap();
    let _watch = Watch::start(home.path(), &bus);
    say_until(&logind, true, home.path(), "Suspending", 1).await;
    // The bus keeps the order: what the stranger says would be in the log before what logind says afterwards.
    signal(&stranger, false).await;
    let heard = log(home.path()).matches("Suspending").count();
    say_until(&logind, true, home.path(), "Suspending", heard + 2).await;
    assert!(!log(home.path()).contains("Woken"), "a stranger was heard:\n{}", log(home.path()));
    say_until(&logind, false, home.path(), "Woken", 1).await;
    assert!(!log(home.path()).contains("heal begins"), "{}", log(home.path()));
}
