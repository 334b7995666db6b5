//! The control socket from both ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/snapshots.rs"]
mod snapshots;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lifeguard::control::client::{ClientError, ControlClient};
use lifeguard::control::server::{ControlSocket, OpenError};
use lifeguard::request::{Receipt, Reply, UserAction};
use lifeguard::snapshot::Snapshot;
use lifeguard::supervisor::event::Command;
use lifeguard::supervisor::ladder::Outcome;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

struct Served {
    _folder: TempDir,
    path: PathBuf,
    client: ControlClient,
    actions: mpsc::Receiver<UserAction>,
    snapshots: watch::Sender<Snapshot>,
    stop: oneshot::Sender<()>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn serve() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/control.sock");
    let socket = ControlSocket::open(&path).await.unwrap();
    let (snapshots, receiver) = watch::channel(snapshots::snapshot(snapshots::healthy()));
    let (sender, actions) = mpsc::channel(4);
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(socket.serve(receiver, sender, async { drop(stopped.await) }));
    let client = ControlClient::new(&path).unwrap();
    Served { _folder: folder, path, client, actions, snapshots, stop, server }
}

async fn raw(path: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LIMIT, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn the_snapshot_arrives_whole_and_anew() {
    let served = serve().await;
    assert_eq!(served.client.snapshot().await.unwrap(), *served.snapshots.borrow());
    served.snapshots.send_modify(|snapshot| snapshot.gateways[0].crashes = 3);
    assert_eq!(served.client.snapshot().await.unwrap().gateways[0].crashes, 3);
}

#[tokio::test]
async fn only_the_owner_can_open_it() {
    let served = serve().await;
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(&served.path), 0o600);
    assert_eq!(mode(served.path.parent().unwrap()), 0o700);
}

#[tokio::test]
async fn a_command_waits_for_its_reply() {
    let mut served = serve().await;
    let client = served.client.clone();
    let asked =
        tokio::spawn(async move { client.command(Some("home".to_owned()), Command::Restart { force: true }).await });
    let Some(UserAction::Gateway { gateway, command, reply }) = timeout(LIMIT, served.actions.recv()).await.unwrap()
    else {
        panic!("something else was asked")
    };
    assert_eq!((gateway.as_deref(), command), (Some("home"), Command::Restart { force: true }));
    assert!(!asked.is_finished());
    reply.unwrap().send(Reply::Concluded(Outcome::Restarted)).unwrap();
    assert_eq!(asked.await.unwrap().unwrap(), Reply::Concluded(Outcome::Restarted));
}

#[tokio::test]
async fn a_test_of_the_alerts_brings_its_receipts() {
    let mut served = serve().await;
    let client = served.client.clone();
    let asked = tokio::spawn(async move { client.test_alerts(Some("discord".to_owned())).await });
    let Some(UserAction::TestAlerts { channel, reply }) = timeout(LIMIT, served.actions.recv()).await.unwrap() else {
        panic!("something else was asked")
    };
    assert_eq!(channel.as_deref(), Some("discord"));
    let receipts = vec![Receipt { channel: "discord".to_owned(), problem: None }];
    reply.unwrap().send(receipts.clone()).unwrap();
    assert_eq!(asked.await.unwrap().unwrap(), receipts);
}

#[tokio::test]
async fn show_and_quit_are_handed_on() {
    let mut served = serve().await;
    served.client.show().await.unwrap();
    assert!(matches!(served.actions.recv().await, Some(UserAction::Show)));
    served.client.quit().await.unwrap();
    assert!(matches!(served.actions.recv().await, Some(UserAction::Quit)));
}

#[tokio::test]
async fn an_app_that_is_quitting_says_so() {
    let served = serve().await;
    drop(served.actions);
    let error = served.client.command(None, Command::Reset).await.unwrap_err();
    assert!(error.to_string().contains("quitting"), "{error}");
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_words() {
    let served = serve().await;
    let close = "Host: x\r\nConnection: close\r\n";
    let answer = raw(&served.path, &format!("GET /nope HTTP/1.1\r\n{close}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("problem"), "{answer}");
    let body = r#"{"command":"explode"}"#;
    let answer = raw(
        &served.path,
        &format!(
            "POST /v1/command HTTP/1.1\r\n{close}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("explode"), "{answer}");
    let large = "x".repeat(20_000);
    let answer = raw(
        &served.path,
        &format!(
            "POST /v1/command HTTP/1.1\r\n{close}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{large}",
            large.len()
        ),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn an_app_that_takes_no_wishes_is_not_waited_for_for_ever() {
    let served = serve().await;
    for _ in 0..4 {
        served.client.show().await.unwrap();
    }
    let error = timeout(LIMIT, served.client.show()).await.unwrap().unwrap_err();
    assert!(matches!(&error, ClientError::Refused { status, .. } if status.as_u16() == 504), "{error}");
    assert!(served.client.snapshot().await.is_ok());
}

#[tokio::test]
async fn the_socket_goes_when_the_server_stops() {
    let served = serve().await;
    served.stop.send(()).unwrap();
    timeout(LIMIT, served.server).await.unwrap().unwrap().unwrap();
    assert!(!served.path.exists());
    assert!(matches!(served.client.snapshot().await, Err(ClientError::NotRunning)));
}

#[tokio::test]
async fn a_dead_socket_is_replaced_and_a_live_one_respected() {
    let served = serve().await;
    assert!(matches!(ControlSocket::open(&served.path).await, Err(OpenError::InUse(_))));
    assert!(served.client.snapshot().await.is_ok());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run/control.sock");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    assert!(matches!(ControlClient::new(&path).unwrap().snapshot().await, Err(ClientError::NotRunning)));
    let reopened = ControlSocket::open(&path).await.unwrap();
    drop(reopened);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let path = folder.path().join("control.sock");
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(ControlSocket::open(&path).await, Err(OpenError::NotASocket(_))));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn another_version_s_answer_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0_u8; 1024];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    });
    let error = ControlClient::new(&path).unwrap().snapshot().await.unwrap_err();
    assert!(matches!(error, ClientError::NotUnderstood(_)), "{error}");
}
