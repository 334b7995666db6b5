//! Outages: what helps now, what stands in the way, and what an outage costs.

use serde::{Deserialize, Serialize};

use super::Supervisor;
use super::backoff;
use super::breaker::Breaker;
use super::dependency::{Dependency, DependencyState, Trouble};
use super::incident::{Incident, Stage};
use super::intent::Intent;
use super::ladder::Rung;
use super::moment::Moment;
use super::observation::{Observation, ServiceState};
use super::policy::Manager;
use super::remedy::{Means, Remedy, remedy};
use super::verdict::{Severity, Verdict};

/// A deliberate act and what is known of its age, on the clock that never steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    intent: Intent,
    /// When its record was written: Unix milliseconds.
    at: i64,
    /// When it was first seen here.
    pub(super) seen: Moment,
    /// The generation that was known when this was weighed, by its birth on the wall clock.
    born: Option<i64>,
    /// It was done to that generation, and not to an earlier one.
    concerns: bool,
}

/// So far ahead of the clock a record may be dated: its writer and its reader may round differently.
const FUTURE: i64 = 60_000;

impl Supervisor {
    /// What helps against the confirmed verdict.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        let tried = self.state.incident.as_ref().map_or(&[][..], |incident| &incident.tried);
        let means = Means { roll_back: self.policy.roll_back && self.is_config_changed(), ..self.means };
        remedy(&self.verdict, tried, means, &self.policy)
    }

    /// What the next attempt waits for: things that the gateway needs and that are not there.
    #[must_use]
    pub fn waits_for(&self) -> Vec<DependencyState> {
        let Remedy::Attempt { rung, .. } = self.remedy() else { return Vec::new() };
        self.obstacles.iter().filter(|obstacle| !rung.mends(&obstacle.dependency)).cloned().collect()
    }

    pub(super) fn is_obstructed(&self) -> bool {
        !self.obstacles.is_empty() && !self.waits_for().is_empty()
    }

    /// Whether nothing but a person's deed ends this outage, trials aside.
    pub(super) fn needs_person(&self) -> bool {
        match self.remedy() {
            Remedy::Person => true,
            Remedy::Attempt { rung: Rung::Start, .. } => self.verdict == Verdict::Refuses,
            Remedy::Attempt { .. } | Remedy::Nothing => false,
        }
    }

    /// Whether it was stopped on purpose only its service manager knows: an answer that was never seen before must not
    /// make a start of that.
    fn unclear_manager(&self, seen: &Observation) -> Option<DependencyState> {
        let (Manager::ServiceManager { .. }, ServiceState::Unknown(reason)) = (self.policy.manager, &seen.service)
        else {
            return None;
        };
        let trouble = Some(Trouble::Unclear(reason.clone()));
        Some(DependencyState { dependency: Dependency::ServiceManager, trouble })
    }

    /// Notes what surrounds the gateway.
    pub(super) fn note_surroundings(&mut self, now: Moment, seen: &Observation) {
        let troubled = |state: &&DependencyState| state.trouble.is_some();
        self.obstacles = seen.dependencies.iter().filter(troubled).cloned().collect();
        self.obstacles.extend(self.unclear_manager(seen));
        let is_network = |state: &&DependencyState| matches!(state.dependency, Dependency::Network { .. });
        let mut network = seen.dependencies.iter().filter(is_network).peekable();
        self.means = Means {
            roll_back: false,
            doctor: self.policy.doctor,
            hook: self.policy.hook,
            network: network.peek().is_some() && network.all(|state| state.trouble.is_none()),
        };
        self.config.clone_from(&seen.config);
        self.note_config_stamp(seen);
        self.note_deed(now, seen);
    }

    /// A configuration that has been edited deserves a new chance at once.
    fn note_config_stamp(&mut self, seen: &Observation) {
        let Some(stamp) = seen.config_stamp else { return };
        let edited = self.state.config_stamp.replace(stamp).is_some_and(|known| known != stamp);
        let given_up = self.state.breaker != Breaker::Closed && self.verdict.severity() == Severity::Outage;
        if edited && given_up && self.state.running.is_none() {
            self.state.breaker = Breaker::Closed;
            self.state.crashes.clear();
            self.state.attempt = None;
        }
    }

    fn note_deed(&mut self, now: Moment, seen: &Observation) {
        let known = self.state.deed;
        self.state.deed = seen.intent.map(|record| {
            let same = known.filter(|deed| deed.at == record.at && deed.intent == record.intent);
            let generation = self.state.generation.as_ref();
            let born = generation.and_then(|generation| generation.born_wall);
            // Weighed once for each generation: the clock that dates the record may be set later.
            if let Some(weighed) = same.filter(|deed| deed.born == born) {
                return weighed;
            }
            // Dated by the clock as it stands now, as the record is: it may have been set since the generation began.
            let age = generation.and_then(|generation| generation.born_elapsed);
            let age = age.map(|born| now.elapsed.saturating_sub(born));
            let birth = age.map(|age| now.wall.saturating_sub(age)).or(born);
            let concerns = match record.intent {
                Intent::Update | Intent::Maintenance => true,
                // One from the future was dated by a clock that has been set back since.
                Intent::Stop | Intent::Restart => {
                    birth.is_some_and(|birth| record.at >= birth) && record.at <= now.wall.saturating_add(FUTURE)
                }
            };
            Deed { intent: record.intent, at: record.at, seen: same.map_or(now, |deed| deed.seen), born, concerns }
        });
    }

    /// What somebody did on purpose to the generation that is known, as far as it still explains anything.
    pub(super) fn intent(&self, now: Moment) -> Option<Intent> {
        // Neither a restart nor an update goes on while the machine sleeps.
        let lasts = |deed: &Deed| match deed.intent {
            Intent::Stop | Intent::Maintenance => true,
            Intent::Restart => now.awake_since(deed.seen) < self.policy.startup_grace,
            Intent::Update => now.awake_since(deed.seen) < self.policy.update_limit,
        };
        let deed = self.state.deed.filter(|deed| deed.concerns && lasts(deed)).map(|deed| deed.intent);
        // One that was stopped by Lifeguard may still be updated.
        let stopped = self.state.stopped && deed != Some(Intent::Update);
        if stopped { Some(Intent::Stop) } else { deed }
    }

    /// Whether the next end is one too many to speak of single crashes.
    pub(super) fn is_crash_loop(&self, now: Moment) -> bool {
        let counted = self.state.crashes.recent(now, self.policy.crash_loop_window);
        let new = u32::from(self.verdict.severity() != Severity::Outage);
        counted + new >= self.policy.crash_loop_count
    }

    /// How long health must hold before it counts.
    pub(super) fn hold(&self, now: Moment) -> std::time::Duration {
        let looping = self.state.crashes.recent(now, self.policy.crash_loop_window) >= self.policy.crash_loop_count;
        let on_trial = self.state.breaker != Breaker::Closed;
        if looping || on_trial { self.policy.crash_loop_hold } else { self.policy.healthy_hold }
    }

    /// The breaker outlives the incident: until the counter has fallen, one more crash goes on with the distances
    /// that the trials had reached.
    pub(super) fn close_breaker_if_proven(&mut self, now: Moment) {
        let over = self.state.incident.is_none() && self.verdict.severity() == Severity::Good;
        if over && self.state.breaker != Breaker::Closed && !self.state.crashes.is_exceeded(now, &self.policy) {
            self.state.breaker = Breaker::Closed;
        }
    }

    /// An outage is certain: open the incident, count the crash, schedule the attempt.
    pub(super) fn begin_outage(&mut self, now: Moment) {
        let quiet = self.is_quiet_start();
        self.impaired_since = None;
        // An outage that an earlier run of Lifeguard counted goes on: it is the same crash.
        let counted = std::mem::take(&mut self.inherited_outage);
        if !quiet {
            self.open_incident(self.suspect_since.unwrap_or(now));
        }
        if self.state.pause.is_none() && matches!(self.remedy(), Remedy::Attempt { .. }) {
            if !quiet && !counted && !self.is_obstructed() {
                self.strike(now);
                self.opening_strike = true;
            }
            self.schedule(now);
        }
    }

    /// A start that is no outage: of our own gateway that has never run yet, or after an end in good order. It follows at
    /// once; one that has to wait for a trial is none.
    pub(super) fn is_quiet_start(&self) -> bool {
        let never_seen = self.state.generation.is_none();
        self.policy.manager == Manager::Ourselves
            && self.state.incident.is_none()
            && self.state.breaker == Breaker::Closed
            && matches!(self.verdict, Verdict::Gone | Verdict::CrashLoop)
            && (never_seen || self.orderly_end)
    }

    /// Notes whether what lasts is an outage, for the next run of Lifeguard: a crash that it is to count, or one that was
    /// counted.
    pub(super) fn note_outage(&mut self) {
        let known = !matches!(self.verdict, Verdict::Unknown(_));
        if let Some(incident) = self.state.incident.as_mut().filter(|_| known) {
            incident.outage = self.verdict.severity() == Severity::Outage;
        }
    }

    pub(super) fn open_incident(&mut self, began: Moment) {
        match &mut self.state.incident {
            Some(incident) => {
                incident.good_since = None;
                incident.fixed_by = None;
            }
            none => {
                *none = Some(Incident {
                    id: self.state.next_incident,
                    began,
                    verdict: self.verdict.clone(),
                    exit: self.exit.filter(|_| self.shown.process.is_none()),
                    attempts: 0,
                    tried: Vec::new(),
                    fixed_by: None,
                    told: Stage::Nothing,
                    config_told: false,
                    outage: self.verdict.severity() == Severity::Outage,
                    good_since: None,
                });
                self.state.next_incident += 1;
            }
        }
    }

    /// Counts one crash; too many open the breaker, and a failed trial opens it again.
    pub(super) fn strike(&mut self, now: Moment) {
        self.state.crashes.strike(now, &self.policy);
        let trials = match self.state.breaker {
            Breaker::HalfOpen { trials } => Some(trials + 1),
            Breaker::Open { trials, .. } => Some(trials),
            Breaker::Closed if self.state.crashes.is_exceeded(now, &self.policy) => Some(0),
            // Starting it again cannot help until a person has mended its configuration: trials only.
            Breaker::Closed if self.needs_person() => Some(0),
            Breaker::Closed => None,
        };
        if let Some(trials) = trials {
            let number = self.policy.crash_limit.saturating_sub(1).saturating_add(trials);
            let chance = self.chance();
            let wait = backoff::wait(&self.policy, number, chance);
            self.state.breaker = Breaker::Open { until: now.after(wait), trials };
        }
    }

    /// An attempt that could not be made costs nothing.
    pub(super) fn refund(&mut self, now: Moment, asked: bool) {
        if let Some(incident) = &mut self.state.incident {
            incident.attempts = incident.attempts.saturating_sub(1);
            incident.tried.pop();
        }
        if asked {
            return;
        }
        self.state.heals.take_back();
        if std::mem::take(&mut self.opening_strike) {
            self.state.crashes.forgive();
        }
        if let Breaker::HalfOpen { trials } = self.state.breaker {
            self.state.breaker = Breaker::Open { until: now, trials };
        }
    }

    /// A random number in 0..=1 that goes on where the saved state was.
    pub(super) fn chance(&mut self) -> f64 {
        let mut random = fastrand::Rng::with_seed(self.state.seed);
        let chance = random.f64();
        self.state.seed = random.u64(..);
        chance
    }
}
