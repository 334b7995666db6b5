//! The toolkit's loop, which `AppKit` wants on the main thread.

use std::sync::Arc;

use tao::event::{Event, StartCause};
use tao::event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy};
use tao::platform::macos::{ActivationPolicy, EventLoopExtMacOS};
use tao::platform::run_return::EventLoopExtRunReturn;

use super::{Ended, Next, Turn};
use crate::tray::app::{TrayError, UiEvent};

/// The loop.
pub(in crate::tray::app) struct MainLoop(EventLoop<UiEvent>);

/// Sends events to the loop, from any thread.
#[derive(Clone)]
pub(in crate::tray::app) struct Proxy(Arc<EventLoopProxy<UiEvent>>);

impl Proxy {
    pub(in crate::tray::app) fn send(&self, event: UiEvent) -> Result<(), Ended> {
        self.0.send_event(event).map_err(|_| Ended)
    }
}

impl MainLoop {
    #[expect(clippy::unnecessary_wraps, reason = "on Linux there may be no display")]
    pub(in crate::tray::app) fn new() -> Result<Self, TrayError> {
        let mut event_loop = EventLoopBuilder::<UiEvent>::with_user_event().build();
        // tao's own defaults would show a Dock icon and take the focus at login.
        event_loop.set_activation_policy(ActivationPolicy::Accessory);
        event_loop.set_activate_ignoring_other_apps(false);
        Ok(Self(event_loop))
    }

    pub(in crate::tray::app) fn proxy(&self) -> Proxy {
        Proxy(Arc::new(self.0.create_proxy()))
    }

    /// Takes turns until one says that it was the last.
    pub(in crate::tray::app) fn run(mut self, mut turn: impl FnMut(Turn) -> Next) {
        let mut ended = false;
        self.0.run_return(|event, _, control_flow| {
            let next = match event {
                Event::NewEvents(StartCause::Init) => turn(Turn::Begin),
                Event::UserEvent(event) => turn(Turn::Event(event)),
                Event::Reopen { .. } => turn(Turn::Reopen),
                Event::LoopDestroyed => turn(Turn::End),
                _ => Next::GoOn,
            };
            ended |= next == Next::End;
            *control_flow = if ended { ControlFlow::Exit } else { ControlFlow::Wait };
        });
    }
}
