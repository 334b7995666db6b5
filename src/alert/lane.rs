//! One channel's lane: a task that delivers what its ledger says is due, one alert after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::GatewayAlert;
use super::channel::{Channel, Confirmed, Dispatch, Failure, Form};
use super::ledger::{Errand, Ledger, Next};
use crate::platform::clock;
use crate::snapshot::{ChannelSnapshot, DeliverySnapshot, QuietSnapshot};
use crate::supervisor::event::{Alert, AlertKind};
use crate::supervisor::moment::Moment;
use crate::text::problem::Problem;
use crate::text::{Language, Phrase};

/// The longest that a lane sleeps at a stretch: tokio's clock stands still while the machine sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What a lane is asked to do besides delivering.
#[derive(Debug)]
pub(super) enum Wish {
    /// Deliver a test at once, and say what came of it.
    Test(oneshot::Sender<Option<Problem>>),
    /// Try everything that waits once more, and say what stood in the way.
    Retry(oneshot::Sender<Option<Problem>>),
    /// Try everything that waits once more, then take leave; the answer is what is still undelivered.
    Flush(oneshot::Sender<usize>),
}

/// What the handle and the lane's task share.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: &'static str,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) news: Notify,
}

impl Queue {
    /// A panic while the lock was held leaves books that are still whole: every change is a single call.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Lane<C> {
    pub(super) channel: C,
    pub(super) queue: Arc<Queue>,
    pub(super) inbox: mpsc::Receiver<Wish>,
    pub(super) place: usize,
    pub(super) channels: Arc<watch::Sender<Vec<ChannelSnapshot>>>,
    pub(super) language: Language,
    /// What was wrong at the last attempt, so that each trouble is logged once and not at every retry.
    pub(super) problem: Option<Problem>,
}

impl<C: Channel> Lane<C> {
    pub(super) async fn run(mut self) {
        if let Err(problem) = self.channel.prepare().await {
            tracing::warn!(channel = self.queue.name, cause = problem.say(Language::English), "channel not ready");
            self.show(Some(&problem), None);
            self.problem = Some(problem);
        }
        loop {
            match self.inbox.try_recv() {
                Ok(wish) => self.grant(wish).await,
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) => {
                    let (next, quiet) = {
                        let (mut ledger, now) = (self.queue.ledger(), now());
                        (ledger.next(now), ledger.quiet(now))
                    };
                    self.show_quiet(quiet);
                    match next {
                        Next::Try(errand) => {
                            self.attempt(&errand).await;
                        }
                        Next::Wait(until) => tokio::select! {
                            wish = self.inbox.recv() => match wish {
                                Some(wish) => self.grant(wish).await,
                                None => break,
                            },
                            () = self.queue.news.notified() => {}
                            () = tokio::time::sleep(sleep(until)) => {}
                        },
                    }
                }
            }
        }
    }

    async fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Test(reply) => {
                let alert = test_alert(clock::wall());
                let dispatch = Dispatch {
                    alert: &alert,
                    id: &format!("test-{}", alert.alert.at),
                    form: Form::New,
                    repeat: false,
                    folded: false,
                    now: alert.alert.at,
                };
                let result = self.deliver(&dispatch).await;
                if result.is_ok() {
                    self.queue.ledger().works_again();
                }
                let problem = result.err().and_then(|failure| failure.problem().cloned());
                if reply.send(problem).is_err() {
                    tracing::debug!(channel = self.queue.name, "nobody waits for this receipt any more");
                }
            }
            Wish::Retry(reply) => {
                let problem = self.retry().await;
                if reply.send(problem).is_err() {
                    tracing::debug!(channel = self.queue.name, "nobody waits for this retry any more");
                }
            }
            Wish::Flush(reply) => {
                let rest = self.flush().await;
                if reply.send(rest).is_err() {
                    tracing::debug!(channel = self.queue.name, "quitting did not wait for the last deliveries");
                }
            }
        }
    }

    /// Tries what waits, until something stands in the way.
    async fn retry(&mut self) -> Option<Problem> {
        self.queue.ledger().retry();
        self.drain().await;
        self.problem.clone().filter(|_| self.queue.ledger().waiting() > 0)
    }

    async fn drain(&mut self) {
        loop {
            let next = self.queue.ledger().next(now());
            let Next::Try(errand) = next else { break };
            if !self.attempt(&errand).await {
                break;
            }
        }
    }

    async fn flush(&mut self) -> usize {
        self.queue.ledger().hurry(now());
        self.drain().await;
        self.channel.close().await;
        self.queue.ledger().waiting()
    }

    /// Makes a delivery; says whether the next one may follow at once.
    async fn attempt(&mut self, errand: &Errand) -> bool {
        self.queue.ledger().claim(errand, now());
        let dispatch = Dispatch {
            alert: &errand.alert,
            id: &errand.id,
            form: errand.edit.as_deref().map_or(Form::New, Form::Edit),
            repeat: errand.repeat,
            folded: errand.folded,
            now: clock::wall(),
        };
        let result = self.deliver(&dispatch).await;
        let refused = matches!(result, Err(Failure::Rejected(_)));
        let refused =
            refused.then(|| DeliverySnapshot { at: clock::wall(), kind: errand.alert.alert.kind.name().into() });
        let mut ledger = self.queue.ledger();
        let goes_on = ledger.conclude(errand, &result, now(), fastrand::f64());
        // Shown before another alert may be recorded, whose count is the newer one.
        self.channels.send_modify(|channels| {
            if let Some(shown) = channels.get_mut(self.place) {
                shown.waiting = count(ledger.waiting());
                shown.refused = refused.or(shown.refused.take());
            }
        });
        goes_on
    }

    async fn deliver(&mut self, dispatch: &Dispatch<'_>) -> Result<Confirmed, Failure> {
        let result = self.channel.deliver(dispatch).await;
        let (channel, kind, gateway) = (self.queue.name, dispatch.alert.alert.kind.name(), &dispatch.alert.gateway);
        let problem = result.as_ref().err().and_then(Failure::problem);
        match (&result, problem) {
            (Ok(_), _) => tracing::info!(channel, gateway, kind, "alert delivered"),
            (Err(_), None) => tracing::info!(channel, gateway, kind, "the message to change was deleted"),
            (Err(failure), Some(problem)) => {
                let cause = problem.say(Language::English);
                if self.problem.as_ref() == Some(problem) && !matches!(failure, Failure::Rejected(_)) {
                    tracing::debug!(channel, gateway, kind, cause, "alert still not delivered");
                } else {
                    tracing::warn!(channel, gateway, kind, cause, "alert not delivered");
                }
            }
        }
        self.problem = problem.cloned();
        self.show(problem, result.is_ok().then_some(kind));
        result
    }

    fn show_quiet(&self, quiet: Option<QuietSnapshot>) {
        self.channels.send_if_modified(|channels| {
            let Some(shown) = channels.get_mut(self.place).filter(|shown| shown.quiet != quiet) else { return false };
            shown.quiet = quiet;
            true
        });
    }

    /// Shows what is wrong with the channel, and what was delivered now.
    fn show(&self, problem: Option<&Problem>, delivered: Option<&str>) {
        self.channels.send_modify(|channels| {
            if let Some(shown) = channels.get_mut(self.place) {
                if let Some(kind) = delivered {
                    shown.delivered += 1;
                    shown.last_delivery = Some(DeliverySnapshot { at: clock::wall(), kind: kind.to_owned() });
                } else if problem.is_some() {
                    shown.failed += 1;
                }
                shown.problem = problem.map(|problem| problem.say(self.language));
            }
        });
    }
}

pub(super) fn now() -> Moment {
    Moment { awake: clock::awake(), elapsed: clock::elapsed(), wall: clock::wall() }
}

pub(super) fn count(waiting: usize) -> u64 {
    u64::try_from(waiting).unwrap_or(u64::MAX)
}

fn sleep(until: Option<i64>) -> Duration {
    until.map_or(LONGEST_SLEEP, |until| {
        Duration::from_millis(u64::try_from(until.saturating_sub(clock::elapsed())).unwrap_or(0)).min(LONGEST_SLEEP)
    })
}

fn test_alert(now: i64) -> GatewayAlert {
    GatewayAlert {
        id: 0,
        gateway: String::new(),
        address: String::new(),
        practice: false,
        alert: Alert { incident: None, kind: AlertKind::Test, at: now },
    }
}
