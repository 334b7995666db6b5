//! The server's side of the control socket. It knows only the snapshot and the queue of wishes.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::Listener;
use axum::{Json, Router};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::protocol::{self, CommandRequest, MuteRequest, Problem, TestReply, TestRequest};
use crate::config::paths::{PathsError, closed_folder};
use crate::platform::listener::LimitedListener;
use crate::request::{Receipt, UserAction};
use crate::snapshot::Snapshot;

/// Largest body of a request, in bytes. Real ones have about a hundred.
const LARGEST_BODY: usize = 16 * 1024;
/// Most connections at a time.
const MOST_CONNECTIONS: usize = 64;
/// Limit for finding out whether somebody answers on a socket that is already there.
const KNOCK: Duration = Duration::from_secs(1);

/// The open socket. Dropped, it takes its file along, unless somebody has put another one in its place.
#[derive(Debug)]
pub struct ControlSocket {
    listener: Option<UnixListener>,
    path: PathBuf,
    inode: u64,
}

impl ControlSocket {
    /// Opens the socket, mode 0600 in a folder of mode 0700. The socket of a Lifeguard that died is replaced; that of
    /// one that lives is respected. Take the [`InstanceLock`](super::instance::InstanceLock) first.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Failed { path: path.to_owned(), cause };
        if let Some(folder) = path.parent() {
            closed_folder(folder)?;
        }
        match path.symlink_metadata() {
            Ok(metadata) if metadata.file_type().is_socket() => {
                if answers(path).await {
                    return Err(OpenError::InUse(path.to_owned()));
                }
                std::fs::remove_file(path).map_err(failed)?;
                tracing::info!(socket = %path.display(), "replaced the control socket of a Lifeguard that is gone");
            }
            Ok(_) => return Err(OpenError::NotASocket(path.to_owned())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(failed(cause)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        let inode = path.symlink_metadata().map_err(failed)?.ino();
        Ok(Self { listener: Some(listener), path: path.to_owned(), inode })
    }

    /// Serves until `stop` resolves. Requests that are being answered are not waited for.
    pub async fn serve(
        mut self,
        snapshots: watch::Receiver<Snapshot>,
        actions: mpsc::Sender<UserAction>,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let longest = protocol::COMMAND_LIMIT + protocol::MARGIN;
        let listener = LimitedListener::new(OwnPeers(listener), MOST_CONNECTIONS, longest);
        tokio::select! {
            served = axum::serve(listener, router(snapshots, actions)) => served,
            () = stop => Ok(()),
        }
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let ours = self.path.symlink_metadata().is_ok_and(|metadata| metadata.ino() == self.inode);
        if ours && let Err(cause) = std::fs::remove_file(&self.path) {
            tracing::warn!(socket = %self.path.display(), %cause, "the control socket could not be removed");
        }
    }
}

/// Takes connections of this very user and of root, and drops those of anybody else: the socket's rights say the same,
/// but they can be changed by mistake.
#[derive(Debug)]
struct OwnPeers(UnixListener);

impl Listener for OwnPeers {
    type Io = UnixStream;
    type Addr = tokio::net::unix::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.0).await;
            match stream.peer_cred() {
                Ok(peer) if is_own(peer.uid(), rustix::process::geteuid().as_raw()) => return (stream, address),
                Ok(peer) => {
                    tracing::warn!(uid = peer.uid(), "another user asked over the control socket: not answered");
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody knows who asked over the control socket: not answered");
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Whether a peer of this user id may ask a Lifeguard of the user `own`.
fn is_own(peer: u32, own: u32) -> bool {
    peer == own || peer == 0
}

/// Whether anybody accepts connections. One that is too busy to do so is alive, too.
async fn answers(path: &Path) -> bool {
    match timeout(KNOCK, UnixStream::connect(path)).await {
        Ok(Ok(_)) | Err(_) => true,
        Ok(Err(cause)) => !matches!(cause.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound),
    }
}

/// Why the control socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody answers there.
    #[error("another Lifeguard answers on {0}; quit it first, or set LIFEGUARD_STATE_DIR for a second one")]
    InUse(PathBuf),
    /// There is something else.
    #[error("{0} is in the way of the control socket and is not one; move it elsewhere")]
    NotASocket(PathBuf),
    /// Its folder cannot be used.
    #[error(transparent)]
    Folder(#[from] PathsError),
    /// The system refused.
    #[error("the control socket {path} cannot be opened: {cause}; set LIFEGUARD_STATE_DIR to another folder")]
    Failed {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

#[derive(Clone)]
struct Shared {
    snapshots: watch::Receiver<Snapshot>,
    actions: mpsc::Sender<UserAction>,
}

fn router(snapshots: watch::Receiver<Snapshot>, actions: mpsc::Sender<UserAction>) -> Router {
    let limited = |routes: Router<Shared>, limit: Duration| {
        routes.layer(middleware::from_fn(move |request: Request, next: Next| within(limit, request, next)))
    };
    let prompt = Router::new()
        .route(protocol::SNAPSHOT, get(snapshot))
        .route(protocol::SHOW, post(|shared| wish(shared, UserAction::Show)))
        .route(protocol::MUTE_ALERTS, post(mute_alerts))
        .route(protocol::QUIT, post(|shared| wish(shared, UserAction::Quit)));
    let command = Router::new().route(protocol::COMMAND, post(command));
    let test = Router::new().route(
        protocol::TEST_ALERTS,
        post(|shared, body| for_channel(shared, body, |channel, reply| UserAction::TestAlerts { channel, reply })),
    );
    let retry = Router::new().route(
        protocol::RETRY_ALERTS,
        post(|shared, body| for_channel(shared, body, |channel, reply| UserAction::RetryAlerts { channel, reply })),
    );
    limited(prompt, protocol::PROMPT)
        .merge(limited(command, protocol::COMMAND_LIMIT))
        .merge(limited(test.merge(retry), protocol::TEST_LIMIT))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "there is no such request") })
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(Shared { snapshots, actions })
}

/// Cuts a request off at its limit, body and all.
async fn within(limit: Duration, request: Request, next: Next) -> Response {
    timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        problem(
            StatusCode::GATEWAY_TIMEOUT,
            "it is not finished within the limit; `lifeguard status` shows how it goes on",
        )
    })
}

async fn snapshot(State(shared): State<Shared>) -> Response {
    let snapshot = shared.snapshots.borrow().clone();
    Json(snapshot).into_response()
}

async fn command(State(shared): State<Shared>, body: Result<Json<CommandRequest>, JsonRejection>) -> Response {
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let (reply, answer) = oneshot::channel();
    let action = UserAction::Gateway { gateway: request.gateway, command: request.command, reply: Some(reply) };
    ask(&shared, action, answer, |reply| reply).await
}

async fn mute_alerts(shared: State<Shared>, body: Result<Json<MuteRequest>, JsonRejection>) -> Response {
    match body {
        Ok(Json(request)) => wish(shared, UserAction::MuteAlerts(request.mute)).await,
        Err(rejection) => problem(rejection.status(), &rejection.body_text()),
    }
}

/// Where receipts go.
type ReceiptsTo = oneshot::Sender<Vec<Receipt>>;

/// Asks something of one channel of alerts, or of all.
async fn for_channel(
    State(shared): State<Shared>,
    body: Result<Json<TestRequest>, JsonRejection>,
    wish: fn(Option<String>, Option<ReceiptsTo>) -> UserAction,
) -> Response {
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let (reply, answer) = oneshot::channel();
    let action = wish(request.channel, Some(reply));
    ask(&shared, action, answer, |receipts| TestReply { receipts }).await
}

/// Hands a wish on and waits for its answer; `within` limits both.
async fn ask<T, B: serde::Serialize>(
    shared: &Shared,
    action: UserAction,
    answer: oneshot::Receiver<T>,
    body: impl FnOnce(T) -> B,
) -> Response {
    if shared.actions.send(action).await.is_err() {
        return gone();
    }
    answer.await.map_or_else(|_| gone(), |reply| Json(body(reply)).into_response())
}

async fn wish(State(shared): State<Shared>, action: UserAction) -> Response {
    match shared.actions.send(action).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => gone(),
    }
}

fn gone() -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, "Lifeguard is quitting; start it again and repeat this")
}

fn problem(status: StatusCode, text: &str) -> Response {
    (status, Json(Problem { problem: text.to_owned() })).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_user_and_root_may_ask() {
        assert!(is_own(501, 501) && is_own(0, 501));
        assert!(!is_own(502, 501) && !is_own(501, 0));
    }
}
