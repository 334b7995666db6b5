//! A listener whose connections cannot pile up or stay for ever: nothing waits without a limit.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Wraps a listener: at most so many connections at a time, each at most so long.
#[derive(Debug)]
pub struct LimitedListener<L> {
    listener: L,
    permits: Arc<Semaphore>,
    longest: Duration,
    silence: Duration,
}

impl<L: Listener> LimitedListener<L> {
    /// At most `connections` at a time, each at most as long as `longest`.
    pub fn new(listener: L, connections: usize, longest: Duration) -> Self {
        Self { listener, permits: Arc::new(Semaphore::new(connections)), longest, silence: longest }
    }

    /// A connection over which nothing has been answered within `silence` ends: whoever asks nothing takes no room. For
    /// servers that answer at once.
    #[must_use]
    pub fn answering_within(self, silence: Duration) -> Self {
        Self { silence: silence.min(self.longest), ..self }
    }
}

impl<L: Listener> Listener for LimitedListener<L> {
    type Io = LimitedStream<L::Io>;
    type Addr = L::Addr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // The semaphore is never closed; a connection without a permit would still have its deadline.
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let (stream, address) = self.listener.accept().await;
        let end = Instant::now() + self.longest;
        (LimitedStream { stream, deadline: Box::pin(sleep(self.silence)), end: Some(end), _permit: permit }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection that fails once its time is over.
#[derive(Debug)]
pub struct LimitedStream<S> {
    stream: S,
    deadline: Pin<Box<Sleep>>,
    /// The deadline from the first answer on; `None` once that holds.
    end: Option<Instant>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<S> LimitedStream<S> {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for LimitedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for LimitedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(end) = self.end.take() {
            self.deadline.as_mut().reset(end);
        }
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn who_asks_nothing_goes_and_who_was_answered_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = LimitedListener::new(UnixListener::bind(&path).unwrap(), 2, Duration::from_mins(1));
        let listener = listener.answering_within(Duration::from_millis(300));
        let router = Router::new().route("/", get(|| async { "hello" }));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let limit = Duration::from_secs(20);
        let mut answered = UnixStream::connect(&path).await.unwrap();
        let ask = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut buffer = [0; 1024];
        answered.write_all(ask).await.unwrap();
        assert!(timeout(limit, answered.read(&mut buffer)).await.unwrap().unwrap() > 0);
        // Half a request is none.
        let mut slow = UnixStream::connect(&path).await.unwrap();
        slow.write_all(&ask[..10]).await.unwrap();
        let mut nothing = Vec::new();
        timeout(limit, slow.read_to_end(&mut nothing)).await.unwrap().unwrap();
        assert_eq!(nothing, b"");
        answered.write_all(ask).await.unwrap();
        assert!(timeout(limit, answered.read(&mut buffer)).await.unwrap().unwrap() > 0);
    }

    #[tokio::test]
    async fn a_silent_connection_ends_and_makes_room_for_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = LimitedListener::new(UnixListener::bind(&path).unwrap(), 1, Duration::from_millis(300));
        let router = Router::new().route("/", get(|| async { "hello" }));
        tokio::spawn(async move { axum::serve(listener, router).await });

        let mut silent = UnixStream::connect(&path).await.unwrap();
        let mut next = UnixStream::connect(&path).await.unwrap();
        next.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let limit = Duration::from_secs(20);
        let mut nothing = Vec::new();
        timeout(limit, silent.read_to_end(&mut nothing)).await.unwrap().unwrap();
        assert_eq!(nothing, b"");
        let mut answer = String::new();
        timeout(limit, next.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
    }
}
