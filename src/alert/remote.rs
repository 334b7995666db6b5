//! The channels that reach a server: all alike but for what they say and how they read the answer.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, StatusCode, Url};

use super::GatewayAlert;
use super::channel::{Channel, Confirmed, Dispatch, Failure};
use super::http;
use super::redact::{cut, one_line};
use super::source::Source;
use crate::text::Language;
use crate::text::problem::{Problem, RemoteProblem};

/// Characters of a refusal's own words that are shown.
const DETAIL: usize = 200;
/// Waited when a server limits us without naming a time.
const UNNAMED_WAIT: Duration = Duration::from_secs(5);

/// A service that takes messages over HTTP. Pure: [`Remote`] does the talking.
pub trait Recipient: Send + 'static {
    /// The channel's name in the configuration, in `alerts test`, the menu and logs.
    const NAME: &'static str;
    /// The service's name in sentences.
    const SERVICE: &'static str;
    /// Whether messages can be changed afterwards.
    const EDITS: bool = false;
    /// What it has to know.
    type Settings: Clone + Send + Sync;

    /// One that speaks `language`.
    fn new(settings: Self::Settings, language: Language) -> Self;

    /// Whether it lives on this very machine: then it is reached without encryption and without any proxy.
    fn is_loopback(&self) -> bool;

    /// The request that makes this delivery.
    fn request(&self, dispatch: &Dispatch<'_>) -> Request;

    /// What an answer means. Most only look for their own proof of acceptance in a 2xx, and leave the rest to
    /// [`Answer::failure`].
    fn judge(&self, dispatch: &Dispatch<'_>, answer: &Answer) -> Result<Confirmed, Failure>;
}

/// A request, ready to be sent. Its address may be a secret: it is never printed.
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers, beside the user agent.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request with a JSON body.
    #[must_use]
    pub fn json(method: Method, url: Url, body: &impl serde::Serialize) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        // Bodies are made of texts and numbers only, which always become JSON.
        Self { method, url, headers, body: serde_json::to_vec(body).unwrap_or_default() }
    }
}

/// A file that goes with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, of letters, digits and dots.
    pub name: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Request {
    /// A request with a JSON body and a file, as `multipart/form-data`: the JSON is the part `payload_json`, the file
    /// `files[0]`.
    #[must_use]
    pub fn with_file(method: Method, url: Url, body: &impl serde::Serialize, file: &Attachment) -> Self {
        let json = Self::json(method, url, body);
        // Random, and longer than anything that could be in a picture by accident.
        let boundary = format!("lifeguard-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        let mut body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json\r\n\r\n"
        )
        .into_bytes();
        body.extend(json.body);
        body.extend(
            format!(
                "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"{}\"\r\nContent-Type: {}\r\n\r\n",
                file.name, file.media
            )
            .into_bytes(),
        );
        body.extend(&file.bytes);
        body.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
        let headers = vec![("content-type", format!("multipart/form-data; boundary={boundary}"))];
        Self { headers, body, ..json }
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read.
    pub body: Vec<u8>,
}

impl Answer {
    /// What an answer means that is no acceptance. `detail` finds the server's own words, `wait` the time in seconds
    /// that it asks for, in a body of the service's form.
    #[must_use]
    pub fn failure<R: Recipient>(
        &self,
        detail: impl FnOnce(&[u8]) -> Option<String>,
        wait: impl FnOnce(&[u8]) -> Option<f64>,
    ) -> Failure {
        let remote = |problem| Problem::Remote { service: R::SERVICE, problem };
        let later = |problem| Failure::later(remote(problem));
        let code = self.status.as_u16();
        match code {
            300..=399 => Failure::Parked(remote(RemoteProblem::Redirected(code))),
            404 | 410 => Failure::Parked(remote(RemoteProblem::Unknown(code))),
            401 | 403 => Failure::Parked(remote(RemoteProblem::Forbidden(code))),
            408 => later(RemoteProblem::TimedOut),
            429 => {
                let wait = self.asked_wait(wait(&self.body));
                Failure::Later { problem: remote(RemoteProblem::RateLimited(wait)), after: Some(wait) }
            }
            400..=499 => {
                let detail = detail(&self.body).unwrap_or_else(|| String::from_utf8_lossy(&self.body).into_owned());
                let detail = cut(&one_line(&detail), DETAIL);
                Failure::Rejected(remote(RemoteProblem::MessageRefused { status: code, detail }))
            }
            // What stands between us and the service has lost the answer, not necessarily the message.
            502 | 504 => Failure::Unsure(remote(RemoteProblem::ServerError(code))),
            500..=599 => later(RemoteProblem::ServerError(code)),
            _ => later(RemoteProblem::NotUnderstood),
        }
    }

    /// How long to wait after a 429: the longer of what header and body say, both in seconds.
    fn asked_wait(&self, body: Option<f64>) -> Duration {
        let header = self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
        let seconds = header.into_iter().chain(body).reduce(f64::max);
        seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(UNNAMED_WAIT)
    }
}

/// The channel of a recipient.
#[derive(Debug)]
pub struct Remote<R: Recipient> {
    source: Source<R::Settings>,
    language: Language,
    recipient: Option<R>,
    client: Option<Client>,
}

impl<R: Recipient> Remote<R> {
    /// A channel that has not connected yet.
    #[must_use]
    pub fn new(source: Source<R::Settings>, language: Language) -> Self {
        Self { source, language, recipient: None, client: None }
    }

    async fn recipient(&mut self) -> Result<&R, Problem> {
        let recipient = match self.recipient.take() {
            Some(recipient) => recipient,
            None => R::new(self.source.get().await?, self.language),
        };
        Ok(self.recipient.insert(recipient))
    }

    fn client(&mut self, local: bool) -> Result<Client, Failure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        match http::channel_client(local) {
            Ok(client) => Ok(self.client.insert(client).clone()),
            Err(error) => {
                tracing::error!(error = describe(error), "the HTTP client cannot be built");
                Err(Failure::later(Problem::Remote { service: R::SERVICE, problem: RemoteProblem::NoHttpClient }))
            }
        }
    }
}

impl<R: Recipient + Sync> Channel for Remote<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    /// The end of a restart interests the one who asked for it, who sits at the machine.
    fn wants(alert: &GatewayAlert) -> bool {
        !matches!(alert.alert.kind, crate::supervisor::event::AlertKind::RestartFinished { .. })
    }

    fn edits(&self) -> bool {
        R::EDITS
    }

    async fn prepare(&mut self) -> Result<(), Problem> {
        self.recipient().await.map(|_| ())
    }

    async fn deliver(&mut self, dispatch: &Dispatch<'_>) -> Result<Confirmed, Failure> {
        let recipient = self.recipient().await.map_err(Failure::later)?;
        let (local, request) = (recipient.is_loopback(), recipient.request(dispatch));
        let client = self.client(local)?;
        let mut builder = client.request(request.method, request.url).body(request.body);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        let response = builder.send().await.map_err(broken::<R>)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = http::capped_body(response).await.map_err(broken::<R>)?;
        let recipient = self.recipient().await.map_err(Failure::later)?;
        recipient.judge(dispatch, &Answer { status, headers, body })
    }
}

/// What a request that got no whole answer means.
fn broken<R: Recipient>(error: reqwest::Error) -> Failure {
    let untrusted = is_untrusted(&error);
    let (connected, late) = (!error.is_connect(), error.is_timeout());
    tracing::debug!(channel = R::NAME, error = describe(error), "the request failed");
    let remote = |problem| Problem::Remote { service: R::SERVICE, problem };
    match (untrusted, connected, late) {
        (true, ..) => Failure::later(remote(RemoteProblem::Untrusted)),
        (_, false, true) => Failure::later(remote(RemoteProblem::TimedOut)),
        (_, false, false) => Failure::later(remote(RemoteProblem::Unreachable)),
        (_, true, true) => Failure::Unsure(remote(RemoteProblem::TimedOut)),
        (_, true, false) => Failure::Unsure(remote(RemoteProblem::Cut)),
    }
}

/// Whether TLS is what failed. Its error travels inside an `io::Error`, which hides it from `source`.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let inside = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inside.is_some_and(|inside| is_untrusted(inside))
        || error.source().is_some_and(is_untrusted)
}

/// An error with its causes, without the address that it happened with.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    one_line(&text)
}
