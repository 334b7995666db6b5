//! The addresses of the configuration: contacted only when a person asks for it. Neither is ever shown.

use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use super::{Finding, Ground};
use crate::config::Config;
use crate::config::secret::fetch;
use crate::platform::http::client;
use crate::redact::secret::Secret;
use crate::text::Phrase;
use crate::text::check::own::OwnRemark;
use crate::text::check::{Grade, Subject};

/// Limit for one contact.
const CONTACT_LIMIT: Duration = Duration::from_secs(10);

pub(super) async fn webhook(ground: &Ground<'_>) -> Finding {
    // Asking for a webhook shows its description and sends no message (Discord's "Get Webhook with Token").
    look(
        ground,
        Subject::Webhook,
        |config| config.alerts.discord.webhook.clone(),
        |url| url,
        |status| status.is_success(),
    )
    .await
}

pub(super) async fn deadman(ground: &Ground<'_>) -> Finding {
    // The address itself would be a ping: asked for is the server's own front page, and any answer shows that it is there.
    let front = |mut url: Url| {
        url.set_path("/");
        url.set_query(None);
        url
    };
    look(ground, Subject::Deadman, |config| config.deadman.url.clone(), front, |_| true).await
}

async fn look(
    ground: &Ground<'_>,
    subject: Subject,
    address: impl FnOnce(&Config) -> Option<Secret>,
    target: impl FnOnce(Url) -> Url,
    good: impl FnOnce(StatusCode) -> bool,
) -> Finding {
    let finding = |grade, remark| ground.finding(subject, grade, &remark);
    let address = match &ground.config {
        Err(_) => return finding(Grade::Skipped, OwnRemark::ConfigFirst),
        Ok(config) => address(config),
    };
    let Some(address) = address else { return finding(Grade::Skipped, OwnRemark::NotConfigured) };
    if !ground.online {
        return finding(Grade::Ok, OwnRemark::Shaped);
    }
    let mend = if subject == Subject::Webhook { "lifeguard alerts test discord" } else { "lifeguard check --online" };
    let fail = |reason: String| finding(Grade::Problem, OwnRemark::NotReached(reason)).mend(mend);
    let address = match fetch(&address).await {
        Ok(address) => address,
        Err(error) => return fail(error.0.say(ground.language)),
    };
    // What came out of the keychain may be anything.
    let Ok(url) = Url::parse(address.expose()) else {
        return finding(Grade::Problem, OwnRemark::NotAnAddress).mend(mend);
    };
    let began = Instant::now();
    match contact(target(url)).await {
        Ok(status) if good(status) => finding(Grade::Ok, OwnRemark::Reached(began.elapsed())),
        Ok(status) => fail(format!("HTTP {status}")),
        Err(reason) => fail(reason),
    }
}

async fn contact(url: Url) -> Result<StatusCode, String> {
    let told = |error: reqwest::Error| error.without_url().to_string();
    let client = client().redirect(Policy::none()).timeout(CONTACT_LIMIT).build().map_err(told)?;
    client.get(url).send().await.map(|answer| answer.status()).map_err(told)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::check::sample::Stage;

    /// A server that answers with this status, and the first lines that it was asked with.
    async fn server(status: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/secret/path", listener.local_addr().unwrap());
        let (sender, asked) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 2048];
                let length = stream.read(&mut request).await.unwrap();
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                sender.send(text.lines().next().unwrap_or_default().to_owned()).unwrap();
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (address, asked)
    }

    fn config(address: &str) -> Config {
        let mut config = Config::default();
        config.alerts.discord.webhook = Some(Secret::new(address));
        config.deadman.url = Some(Secret::new(address));
        config
    }

    #[tokio::test]
    async fn addresses_are_left_alone_unless_asked_for() {
        let stage = Stage::new();
        assert_eq!(webhook(&stage.ground()).await.grade, Grade::Skipped);
        let (address, mut asked) = server("200 OK").await;
        let config = config(&address);
        let ground = Ground { config: Ok(&config), ..stage.ground() };
        assert_eq!((webhook(&ground).await.grade, deadman(&ground).await.grade), (Grade::Ok, Grade::Ok));
        assert!(asked.try_recv().is_err(), "nobody was to be contacted");
    }

    #[tokio::test]
    async fn a_webhook_that_is_gone_is_a_problem_and_stays_secret() {
        let stage = Stage::new();
        let (address, mut asked) = server("404 Not Found").await;
        let config = config(&address);
        let ground = Ground { config: Ok(&config), online: true, ..stage.ground() };
        let gone = webhook(&ground).await;
        assert_eq!((gone.grade, gone.sentence.as_str()), (Grade::Problem, "It does not work: HTTP 404 Not Found"));
        assert_eq!(asked.recv().await.unwrap(), "GET /secret/path HTTP/1.1");
        assert_eq!(deadman(&ground).await.grade, Grade::Ok);
        assert_eq!(asked.recv().await.unwrap(), "GET / HTTP/1.1", "a ping would have been a lie");
    }

    #[tokio::test]
    async fn a_server_that_answers_is_good_and_one_that_is_gone_is_not() {
        let stage = Stage::new();
        let (address, _asked) = server("200 OK").await;
        let good = config(&address);
        assert_eq!(webhook(&Ground { config: Ok(&good), online: true, ..stage.ground() }).await.grade, Grade::Ok);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = config(&format!("http://{}/secret/path", listener.local_addr().unwrap()));
        drop(listener);
        let ground = Ground { config: Ok(&gone), online: true, ..stage.ground() };
        for finding in [webhook(&ground).await, deadman(&ground).await] {
            assert_eq!(finding.grade, Grade::Problem);
            assert!(!finding.sentence.contains("secret"), "{finding:?}");
        }
    }
}
