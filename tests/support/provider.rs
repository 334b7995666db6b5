//! A model's provider on loopback, which speaks as much of the common chat interface as one short answer takes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "in tests a panic is the way to fail")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ANSWER: &str = concat!(
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":",
    "{\"role\":\"assistant\",\"content\":\"Good morning\"}}]}\n\n",
    "data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},",
    "\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
);
const REFUSAL: &str = r#"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#;

/// A provider that takes the key, or says that it is not valid.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    refuses: Arc<AtomicBool>,
}

impl Provider {
    /// Serves until the test ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Self { address: listener.local_addr().unwrap(), refuses: Arc::default() };
        let refuses = Arc::clone(&provider.refuses);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let refuses = Arc::clone(&refuses);
                std::thread::spawn(move || answer(stream.unwrap(), refuses.load(Ordering::SeqCst)));
            }
        });
        provider
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }
}

/// Answers one request.
fn answer(mut stream: TcpStream, refuses: bool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    let (status, kind, text) = match reader.read_exact(&mut body) {
        Ok(()) if refuses => ("401 Unauthorized", "application/json", REFUSAL),
        Ok(()) => ("200 OK", "text/event-stream", ANSWER),
        // The gateway went away meanwhile.
        Err(_) => return,
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", text.len());
    let _gateway_gone = stream.write_all(format!("{head}Connection: close\r\n\r\n{text}").as_bytes());
}
