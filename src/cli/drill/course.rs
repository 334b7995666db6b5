//! The course of one drill: what is seen and told from the fault on, and when.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::place::LOOK;
use super::score::Score;
use crate::cli::context::{Context, Failure};
use crate::control::client::ControlClient;
use crate::drill::exercise::Exercise;
use crate::platform::clock;
use crate::snapshot::{GatewaySnapshot, Snapshot};
use crate::supervisor::verdict::Health;
use crate::text::Phrase;
use crate::text::drill::{DrillPhrase, seconds};

/// Where alerts are read that have been told since the fault.
pub(super) trait Witness {
    /// Their kinds, in order.
    fn kinds(&self) -> Vec<String>;
}

/// From the fault on.
pub(super) struct Course<'a> {
    exercise: Exercise,
    client: ControlClient,
    gateway: String,
    witness: Arc<dyn Witness>,
    speaker: Option<&'a Context>,
    began: Instant,
    /// Unix milliseconds.
    pub(super) began_wall: i64,
    shown: String,
    told: usize,
    detected: Option<Duration>,
    seen_as: Option<String>,
    waits_for: Vec<String>,
    lifted: Option<Duration>,
    recovered: Option<Duration>,
}

impl<'a> Course<'a> {
    /// The fault is about to be put in. `speaker` tells what happens.
    pub(super) fn begin(
        exercise: Exercise,
        client: ControlClient,
        gateway: &GatewaySnapshot,
        witness: Arc<dyn Witness>,
        speaker: Option<&'a Context>,
    ) -> Result<Self, Failure> {
        if let (Some(context), Some(pid)) = (speaker, gateway.pid) {
            context.say(&DrillPhrase::Begins { exercise, pid })?;
        }
        Ok(Self {
            exercise,
            client,
            gateway: gateway.name.clone(),
            witness,
            speaker,
            began: Instant::now(),
            began_wall: clock::wall(),
            shown: String::new(),
            told: 0,
            detected: None,
            seen_as: None,
            waits_for: Vec::new(),
            lifted: None,
            recovered: None,
        })
    }

    /// Waits until the gateway and what was told are so; `false`: not within `limit`.
    pub(super) async fn until(
        &mut self,
        limit: Duration,
        mut holds: impl FnMut(&GatewaySnapshot, &[String]) -> bool,
    ) -> Result<bool, Failure> {
        let end = Instant::now() + limit;
        loop {
            // A look that fails is no news: a Lifeguard that is started again does not answer for a moment.
            if let Ok(snapshot) = self.client.snapshot().await
                && let Some(gateway) = snapshot.gateways.iter().find(|gateway| gateway.name == self.gateway)
            {
                let kinds = self.witness.kinds();
                self.note(&snapshot, gateway, &kinds)?;
                if holds(gateway, &kinds) {
                    return Ok(true);
                }
            }
            if Instant::now() > end {
                return Ok(false);
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until Lifeguard has noticed.
    pub(super) async fn detect(&mut self, limit: Duration) -> Result<bool, Failure> {
        if self.detected.is_some() {
            return Ok(true);
        }
        self.until(limit, in_trouble).await
    }

    /// Waits until the gateway is healthy again. `old`: the process that must not be it.
    pub(super) async fn recover(&mut self, limit: Duration, old: Option<u32>) -> Result<bool, Failure> {
        let healthy = move |gateway: &GatewaySnapshot, _: &[String]| {
            let quiet = gateway.heal.is_none() && gateway.incident.is_none();
            gateway.health == Health::Healthy && quiet && gateway.pid.is_some() && (old.is_none() || gateway.pid != old)
        };
        let recovered = self.until(limit, healthy).await?;
        if recovered {
            self.recovered = Some(self.began.elapsed());
        }
        Ok(recovered)
    }

    /// The drill ends its fault now.
    pub(super) fn lift(&mut self) -> Result<(), Failure> {
        self.lifted = Some(self.began.elapsed());
        self.say(&DrillPhrase::Lifted.say(self.language()))
    }

    /// Waits until an alert of this kind has arrived.
    pub(super) async fn told(&mut self, limit: Duration, kind: &str) -> Result<bool, Failure> {
        self.until(limit, |_, kinds| kinds.iter().any(|told| told == kind)).await
    }

    /// What came of it.
    pub(super) fn score(self, rungs: Vec<String>, told: bool) -> Result<Score, Failure> {
        let good = self.detected.is_some() && self.recovered.is_some();
        if good {
            self.say(&DrillPhrase::Over.say(self.language()))?;
        }
        let alerts = self.witness.kinds();
        let Self { exercise, gateway, detected, seen_as, waits_for, lifted, recovered, .. } = self;
        Ok(Score { exercise, gateway, detected, seen_as, waits_for, lifted, recovered, rungs, alerts, told })
    }

    fn note(&mut self, snapshot: &Snapshot, gateway: &GatewaySnapshot, kinds: &[String]) -> Result<(), Failure> {
        for kind in kinds.get(self.told..).unwrap_or_default() {
            self.say(&DrillPhrase::Told(kind.clone()).say(self.language()))?;
        }
        self.told = kinds.len();
        let trouble = in_trouble(gateway, kinds);
        if trouble && self.detected.is_none() {
            self.detected = Some(self.began.elapsed());
        }
        // Until the fault is ended, what it is taken for may become clearer.
        if trouble && self.lifted.is_none() && self.recovered.is_none() {
            self.take_for(gateway, kinds);
        }
        if self.speaker.is_some() {
            let language = self.language();
            let health = snapshot.health(gateway, clock::elapsed()).say(language);
            let rung = gateway.heal.map_or_else(String::new, |heal| format!(" [{}]", heal.rung.say(language)));
            let shown = format!("{health}{rung}: {}", gateway.verdict.say(language));
            if self.shown.is_empty() && !trouble {
                // As it was before the fault: no news.
            } else if shown != self.shown {
                self.say(&shown)?;
                self.shown = shown;
            }
        }
        Ok(())
    }

    fn take_for(&mut self, gateway: &GatewaySnapshot, kinds: &[String]) {
        use crate::supervisor::verdict::Severity::{Impaired, Outage};
        let first = gateway.incident.as_ref().map(|incident| incident.verdict.name());
        if matches!(gateway.verdict.severity(), Impaired | Outage) {
            self.seen_as = Some(gateway.verdict.name().to_owned());
        } else if self.seen_as.is_none() {
            self.seen_as = first.map(str::to_owned).or_else(|| kinds.first().cloned());
        }
        let waits_for: Vec<String> =
            gateway.needs.iter().filter(|need| need.trouble.is_some()).map(|need| need.dependency.name()).collect();
        if !waits_for.is_empty() {
            self.waits_for = waits_for;
        }
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        let Some(context) = self.speaker else { return Ok(()) };
        context.line(&format!("  {:>7}  {text}", seconds(self.began.elapsed(), context.language)))
    }

    fn language(&self) -> crate::text::Language {
        self.speaker.map_or(crate::text::Language::English, |context| context.language)
    }
}

/// Whether Lifeguard shows, or has told, that something is the matter.
fn in_trouble(gateway: &GatewaySnapshot, kinds: &[String]) -> bool {
    let shown = gateway.health != Health::Healthy || gateway.incident.is_some() || gateway.heal.is_some();
    shown || !kinds.is_empty()
}
