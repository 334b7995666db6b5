//! A loop of our own: it sleeps until somebody sends something.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::{Ended, Next, Turn};
use crate::platform::desktop::display::Display;
use crate::tray::app::{TrayError, UiEvent};

/// The loop. It ends with the display, which ends with the person's session.
pub(in crate::tray::app) struct MainLoop {
    proxy: Proxy,
    events: Receiver<UiEvent>,
}

/// Sends events to the loop, from any thread.
#[derive(Clone)]
pub(in crate::tray::app) struct Proxy(Sender<UiEvent>);

impl Proxy {
    pub(in crate::tray::app) fn send(&self, event: UiEvent) -> Result<(), Ended> {
        self.0.send(event).map_err(|_| Ended)
    }
}

impl MainLoop {
    pub(in crate::tray::app) fn new() -> Result<Self, TrayError> {
        let display = Display::open().map_err(|error| TrayError::NoDisplay(error.to_string()))?;
        let (sender, events) = channel();
        let proxy = Proxy(sender);
        let watching = proxy.clone();
        let watch = move || {
            display.wait_for_end();
            tracing::info!("the display is gone");
            super::super::post(&watching, UiEvent::Ended);
        };
        thread::Builder::new().name("display-watch".to_owned()).spawn(watch).map_err(TrayError::NoThread)?;
        Ok(Self { proxy, events })
    }

    pub(in crate::tray::app) fn proxy(&self) -> Proxy {
        self.proxy.clone()
    }

    /// Takes turns until one says that it was the last.
    pub(in crate::tray::app) fn run(self, mut turn: impl FnMut(Turn) -> Next) {
        let mut next = turn(Turn::Begin);
        while next == Next::GoOn {
            // It cannot fail: the loop holds a sender itself.
            let Ok(event) = self.events.recv() else { break };
            next = turn(Turn::Event(event));
        }
        turn(Turn::End);
    }
}
