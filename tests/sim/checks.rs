//! What must hold after every step, by the numbers of docs/architecture.md.

use lifeguard::supervisor::Supervisor;
use lifeguard::supervisor::breaker::Breaker;
use lifeguard::supervisor::event::{Action, Alert, AlertKind, Command};
use lifeguard::supervisor::incident::Stage;
use lifeguard::supervisor::intent::Intent;
use lifeguard::supervisor::ladder::{Heal, Outcome, Rung};
use lifeguard::supervisor::moment::Moment;
use lifeguard::supervisor::policy::Manager;
use lifeguard::supervisor::remedy::Remedy;
use lifeguard::supervisor::verdict::{Health, Severity};

use super::auditor::{Auditor, Before};
use super::clock::{HOUR, MINUTE, SECOND, Time};
use super::gateway::Truth;

/// Waits before the second, third, … attempt, as the requirements have them (A5).
const BACKOFF: [Time; 6] = [10 * SECOND, 30 * SECOND, 90 * SECOND, 180 * SECOND, 300 * SECOND, 600 * SECOND];

impl Auditor {
    /// Everything that a step must keep to.
    pub(crate) fn after(&mut self, core: &Supervisor, actions: &[Action], moment: Moment, now: Time) {
        let Some(before) = self.before.take() else { return };
        self.check_counter(core, &before, actions, moment, now);
        if before.exit.is_some() {
            self.good_since = None;
            self.spell = None;
            self.decayed = None;
        }
        self.check_attempt(core, moment, now);
        self.check_limits(core, actions, moment, now);
        self.check_shown(core, now);
        if before.command.is_some() {
            self.check_command(core, &before, actions);
        }
        for action in actions {
            match action {
                Action::Heal(heal) => self.check_heal(core, heal, &before, moment, now),
                Action::Announce(alert) => self.check_alert(core, alert, &before, moment, now),
                Action::Probe | Action::Concluded { .. } | Action::Persist | Action::KeepConfig { .. } => {}
            }
        }
        self.check_incident(core, &before, now);
        if core.running().is_some() {
            // While an attempt runs, nothing that is seen counts as health that holds.
            self.ran_until = now;
            self.good_since = None;
            self.spell = None;
            self.decayed = None;
        }
    }

    /// A core that wants to be woken at once, again and again, keeps a processor busy for nothing.
    pub(crate) fn check_wait(&mut self, wait: Time) {
        self.idle_steps = if wait == 0 { self.idle_steps + 1 } else { 0 };
        if self.idle_steps > 20 {
            self.complain(|| "11 spinning: twenty steps at one instant".to_owned());
        }
        // A look, or the end of one that is given up, is always ahead.
        let interval = Time::try_from(self.awaited.as_millis()).unwrap_or(Time::MAX / 4);
        if wait > interval.max(MINUTE) + SECOND {
            self.complain(|| format!("11 asleep: the next step is {wait} ms away"));
        }
    }

    /// Invariant 6.
    fn check_counter(&mut self, core: &Supervisor, before: &Before, actions: &[Action], moment: Moment, now: Time) {
        let (was, is) = (before.crashes, core.crashes());
        let failed = |action: &Action| {
            matches!(action, Action::Concluded { outcome, .. }
                if !outcome.succeeded() && !matches!(outcome, Outcome::Obstructed(_) | Outcome::Cancelled))
        };
        let obstructed = |action: &Action| matches!(action, Action::Concluded { outcome: Outcome::Obstructed(_), .. });
        let failed = actions.iter().any(failed);
        let outage = core.verdict().severity() == Severity::Outage;
        let launched = actions.iter().any(|action| matches!(action, Action::Heal(_)));
        let began = !before.outage && (outage || launched);
        // What a person has taken in hand meanwhile counts for nothing.
        if failed && outage && core.remedy() != Remedy::Person && core.pause().is_none() {
            self.last_strike = Some(moment);
        }
        if is > self.policy.crash_limit {
            self.complain(|| format!("6 counter: {is} is more than its limit"));
        }
        if is > was {
            self.last_strike = Some(moment);
            let inherited = began && self.inherited && before.incident.is_some();
            if is > was + 1 || !(failed || began) || (inherited && !failed) {
                self.complain(|| format!("6 counter: it rose from {was} to {is} without a crash"));
            }
        }
        if began {
            self.inherited = false;
        }
        if is < was {
            let cleared = matches!(before.command, Some(Command::Restart { .. } | Command::Reset))
                || std::mem::take(&mut self.edited)
                || self.last_strike.is_none_or(|last| moment.elapsed_since(last) >= self.policy.crash_reset);
            let forgiven = is + 1 == was && actions.iter().any(obstructed);
            let from = self.decayed.or(self.spell.map(|(since, _)| since));
            let decayed =
                is + 1 == was && from.is_some_and(|from| moment.awake_since(from) >= self.policy.decay_interval);
            if decayed {
                self.decayed = Some(moment);
            }
            let edited = before.looked && before.breaker != Breaker::Closed && is == 0;
            let known = !self.blind && (is + 1 < was || !self.is_disturbed(now));
            if known && !cleared && !forgiven && !decayed && !edited {
                self.complain(|| format!("6 counter: it fell from {was} to {is} without a reason"));
            }
        }
        if is > 0 && !self.is_disturbed(now) {
            let from = self.decayed.or(self.spell.map(|(since, _)| since));
            let due = self.policy.decay_interval + std::time::Duration::from_mins(2) + 2 * self.policy.probe_interval;
            let unstruck = self.last_strike.is_none_or(|last| moment.awake_since(last) >= due);
            if unstruck && from.is_some_and(|from| moment.awake_since(from) >= due) {
                self.complain(|| format!("6 counter: it stays at {is} in health"));
            }
        }
        if is > 0 && core.crashes_clear().is_none_or(|clear| clear.elapsed <= moment.elapsed) {
            self.complain(|| "6 counter: six hours without a crash did not clear it".to_owned());
        }
        if is >= self.policy.crash_limit && core.breaker() == Breaker::Closed {
            self.complain(|| "6 breaker: closed at the counter's limit".to_owned());
        }
        let killed = before.exit.is_some_and(|exit| matches!(exit.signal, Some(9 | 11)) || exit.code == Some(1));
        let plain = before.health == Health::Healthy
            && self.policy.manager == Manager::Ourselves
            && self.lacks.is_empty()
            && now >= self.deed_until + HOUR
            && !core.state().stopped;
        // Its health may have earned a fall in the moment of its end.
        let earned = self.decayed.or(self.spell.map(|(since, _)| since));
        let earned = earned.is_some_and(|from| moment.awake_since(from) >= self.policy.decay_interval);
        let reset = self.last_strike.is_none_or(|last| moment.elapsed_since(last) >= self.policy.crash_reset);
        let expected = [Some((was + 1).min(self.policy.crash_limit)), earned.then_some(was), reset.then_some(1)];
        if killed && plain && !expected.contains(&Some(is)) {
            self.complain(|| format!("6 counter: a crash was not counted: {was} to {is}"));
        }
    }

    /// Invariant 2, and the limits of the breaker.
    fn check_attempt(&mut self, core: &Supervisor, moment: Moment, now: Time) {
        let state = core.state();
        let farthest = moment.after(self.policy.trial_limit + self.policy.budget_window).elapsed;
        if let Breaker::Open { until, .. } = state.breaker
            && until.elapsed > moment.after(self.policy.trial_limit).elapsed
        {
            self.complain(|| "2 trial: the next one is more than six hours away".to_owned());
        }
        let healable = core.verdict().severity() == Severity::Outage
            && matches!(core.remedy(), Remedy::Attempt { .. })
            && state.pause.is_none()
            && state.running.is_none();
        if !healable {
            return;
        }
        match state.attempt {
            None => self.complain(|| format!("2 attempt: none is scheduled for {}", core.verdict().name())),
            Some(attempt) if attempt.at.elapsed > farthest => {
                self.complain(|| format!("2 attempt: it is too far away for {}", core.verdict().name()));
            }
            Some(attempt) => {
                let late = moment.elapsed_since(attempt.at);
                let slack = std::time::Duration::from_millis(self.detection().unsigned_abs() * 2);
                if late > slack && !self.is_disturbed(now) && self.lacks.is_empty() && self.lasting(now) > MINUTE {
                    self.complain(|| format!("2 attempt: overdue by {late:?} for {}", core.verdict().name()));
                }
            }
        }
    }

    /// Invariant 11: nothing waits without a limit, and somebody looks.
    fn check_limits(&mut self, core: &Supervisor, actions: &[Action], moment: Moment, now: Time) {
        if actions.contains(&Action::Probe) {
            self.looked_at = now;
            self.awaited = self.policy.probe_interval;
        }
        let pause = Time::try_from(self.awaited.as_millis()).unwrap_or(0).max(MINUTE);
        if now - self.looked_at.max(self.disturbed_until - 2 * MINUTE) > pause + 6 * SECOND {
            self.complain(|| "9 look: nobody has looked for too long".to_owned());
        }
        let state = core.state();
        if let Some(running) = &state.running {
            let longest = self.policy.drain_limit
                + self.policy.preparation_limit
                + self.policy.startup_limit
                + std::time::Duration::from_mins(5);
            let over = moment.elapsed > running.deadline.after(std::time::Duration::from_secs(1)).elapsed;
            if over && !self.is_disturbed(now) && now - self.woke > MINUTE {
                self.complain(|| "11 heal: it runs on after its deadline".to_owned());
            }
            if running.deadline.elapsed > moment.after(longest).elapsed {
                self.complain(|| "11 heal: its deadline is too far away".to_owned());
            }
        }
        if state.pause.and_then(|pause| pause.until).is_some_and(|until| moment.elapsed >= until.elapsed) {
            self.complain(|| "11 pause: it did not end in time".to_owned());
        }
    }

    /// What a person is shown is the truth, after the time that it takes to find out.
    fn check_shown(&mut self, core: &Supervisor, now: Time) {
        let state = core.state();
        if state.pause.is_some() || state.running.is_some() || core.health() == Health::Stopped {
            return;
        }
        let lasting = self.lasting(now);
        let health = core.health();
        match self.truth {
            Truth::Down if lasting > self.detection() && health == Health::Healthy => {
                self.complain(|| "9 icon: green, and the gateway is down".to_owned());
            }
            Truth::Down
                if lasting > 5 * MINUTE + self.detection() && now > self.deed_until + 3 * MINUTE + self.slowness() =>
            {
                let told = state.incident.as_ref().is_some_and(|incident| incident.told >= Stage::Down);
                let known = core.verdict().severity() == Severity::Outage;
                let uninstalled = health == Health::NotInstalled;
                let silent = !told || !known;
                if silent && !uninstalled {
                    self.complain(|| format!("3 silence: down for minutes, and shown as {}", health.name()));
                }
            }
            Truth::Whole if lasting > self.detection() => {
                let good = core.verdict().severity() == Severity::Good;
                let held = lasting.min(now - self.ran_until) > self.detection() + 10 * MINUTE + 30 * SECOND;
                if !good || (held && health != Health::Healthy) {
                    self.complain(|| {
                        format!("9 icon: {} and {}, and all is well", health.name(), core.verdict().name())
                    });
                }
            }
            // What was seen during an attempt decides nothing: the looks after its end do.
            Truth::Impaired
                if lasting > 6 * MINUTE + self.slowness() && now - self.ran_until > self.detection() && !self.page =>
            {
                let told = state.incident.as_ref().is_some_and(|incident| incident.told > Stage::Nothing);
                if !told || health != Health::Degraded {
                    self.complain(|| format!("3 silence: impaired for minutes, and shown as {}", health.name()));
                }
            }
            _ => {}
        }
    }

    fn check_command(&mut self, core: &Supervisor, before: &Before, actions: &[Action]) {
        let state = core.state();
        // An attempt whose time was up in the same step has failed after the command, and counts anew.
        let ran_out = before.running.is_some_and(|(running, _)| {
            actions.iter().any(|action| matches!(action, Action::Concluded { id, outcome } if *id == running && *outcome != Outcome::Cancelled))
        });
        let kept = match before.command {
            Some(Command::Restart { .. }) => {
                let asked = state.running.as_ref().is_some_and(|running| running.asked);
                let cleared = core.crashes() == 0 && state.breaker == Breaker::Closed;
                ran_out || asked && (cleared || before.running.is_some())
            }
            Some(Command::Stop) => state.running.as_ref().is_some_and(|running| running.rung == Rung::Stop),
            Some(Command::Reset) => ran_out || (core.crashes() == 0 && state.breaker == Breaker::Closed),
            Some(Command::Pause { .. }) => state.attempt.is_none(),
            Some(Command::Resume) => state.pause.is_none(),
            Some(Command::RollBack | Command::Probe) | None => true,
        };
        if !kept {
            self.complain(|| format!("a person's word: {:?} was not done", before.command));
        }
    }

    /// Invariants 1, 4, 5 and 8, at the moment of a heal.
    fn check_heal(&mut self, core: &Supervisor, heal: &Heal, before: &Before, moment: Moment, now: Time) {
        if heal.target.as_ref().zip(self.ended.as_ref()).is_some_and(|(target, ended)| target.is_same(ended)) {
            self.complain(|| "4 identity: a process is to be signalled that has ended".to_owned());
        }
        if heal.asked {
            if !matches!(before.command, Some(Command::Restart { .. } | Command::Stop)) {
                self.complain(|| "5 asked: nobody has asked for this heal".to_owned());
            }
            return;
        }
        let renewal = core.state().running.as_ref().is_some_and(|running| running.renews.is_some());
        if before.paused && core.state().pause.is_some() {
            self.complain(|| "5 pause: a heal while paused".to_owned());
        }
        if before.running.is_some() && core.state().running.as_ref().map(|running| running.id) != Some(heal.id) {
            self.complain(|| "5 flight: a heal while another one runs".to_owned());
        }
        if now - self.woke < 30 * SECOND {
            self.complain(|| "5 wake: a heal right after a sleep".to_owned());
        }
        if self.lacks.iter().any(|state| !heal.rung.mends(&state.dependency)) {
            self.complain(|| "5 needs: a heal while something is missing that the gateway needs".to_owned());
        }
        let means = match heal.rung {
            Rung::RollBack => self.policy.roll_back,
            Rung::Doctor => self.policy.doctor,
            Rung::Hook => self.policy.hook,
            Rung::Stop => false,
            Rung::Start | Rung::Graceful | Rung::Restart | Rung::StartChannels | Rung::FreePort => true,
        };
        if !means {
            self.complain(|| format!("5 leave: {} is not allowed", heal.rung.name()));
        }
        if self.calm {
            self.complain(|| "8 calm: a heal, and nothing was the matter".to_owned());
        }
        if renewal && !self.memory_ails {
            self.complain(|| "5 renewal: its memory was never much".to_owned());
        }
        if !renewal {
            self.check_reason(heal, now);
            self.check_distance(core, before, moment);
        }
        if let Some((intent, at)) = self.deed
            && self.deed_seen
            && core.state().generation.is_some()
            && !core.state().owes_start
            && now > at + 500
            && now < self.deed_until
            && !self.alive
            && self.is_believable(intent)
            && !self.is_disturbed_beyond_deed(now)
        {
            self.complain(|| format!("5 intent: a heal during {intent:?}"));
        }
        let young = self.heard == Truth::Starting && self.truth == Truth::Starting && now - self.born < 110 * SECOND;
        if young && self.heard_at > self.truth_since && !self.is_disturbed(now) {
            self.complain(|| "5 start: a heal during a start".to_owned());
        }
    }

    /// A record of a gateway that does not tell its age, or that nobody has seen since the boot, cannot be told from an old
    /// one; and a stop after a doctor that did not bring it back, not from Lifeguard's own.
    fn is_believable(&self, intent: Intent) -> bool {
        matches!(intent, Intent::Update) || (!self.page && matches!(intent, Intent::Stop | Intent::Maintenance))
    }

    fn is_disturbed_beyond_deed(&self, now: Time) -> bool {
        self.disturbed_until > self.deed_until + 15 * MINUTE || now - self.woke < 2 * MINUTE || self.died
    }

    /// Whether the truth gives a reason for it.
    fn check_reason(&mut self, heal: &Heal, now: Time) {
        let lasting = self.lasting(now);
        match self.truth {
            Truth::Whole if lasting > self.detection() => {
                self.complain(|| format!("8 reason: {} of a gateway that works", heal.rung.name()));
            }
            Truth::Impaired if lasting > 3 * MINUTE + self.slowness() => {
                let soft = matches!(heal.rung, Rung::Graceful | Rung::StartChannels);
                if !soft || now - self.kind_since < 9 * MINUTE || self.hopeless {
                    self.complain(|| format!("5 patience: {} of a gateway that works in part", heal.rung.name()));
                }
            }
            Truth::Down if self.alive && heal.rung == Rung::Restart => {
                // What starts with errors has been silent for longer.
                let worked = matches!(self.kind_before, Truth::Whole | Truth::Impaired);
                let silent = now - self.kind_since;
                if worked && silent < 20 * SECOND && !self.is_disturbed(now) && now - self.born > 5 * MINUTE {
                    self.complain(|| "5 patience: a silent process was not given its time".to_owned());
                }
            }
            _ => {}
        }
    }

    /// Each attempt keeps its distance from the crash before it.
    fn check_distance(&mut self, core: &Supervisor, before: &Before, moment: Moment) {
        let number = match core.breaker() {
            Breaker::HalfOpen { trials } => self.policy.crash_limit - 1 + trials,
            Breaker::Closed | Breaker::Open { .. } => core.crashes().saturating_sub(1),
        };
        if before.crashes != core.crashes() || core.verdict().severity() != Severity::Outage {
            return;
        }
        let Some(step) = number.checked_sub(1) else { return };
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        let longest = 6 * HOUR;
        let base = match BACKOFF.get(step) {
            Some(wait) => *wait,
            None => BACKOFF[5].saturating_mul(1 << (step - 5).min(20)).min(longest),
        };
        let Some(last) = self.last_strike else { return };
        let waited = Time::try_from(moment.elapsed_since(last).as_millis()).unwrap_or(Time::MAX);
        if waited + SECOND < base {
            self.complain(|| format!("2 backoff: attempt {number} came after {waited} ms instead of {base}"));
        }
    }

    /// Invariants 3, 5 and 8, at the moment of an alert.
    fn check_alert(&mut self, core: &Supervisor, alert: &Alert, before: &Before, moment: Moment, now: Time) {
        let name = alert.kind.name();
        if self.calm {
            self.complain(|| format!("8 calm: {name}, and nothing was the matter"));
        }
        let Some(incident) = &alert.incident else { return };
        if matches!(
            alert.kind,
            AlertKind::Progress { .. }
                | AlertKind::RestartFinished { .. }
                | AlertKind::Memory { .. }
                | AlertKind::Renewed { .. }
        ) {
            return;
        }
        let recovers = matches!(alert.kind, AlertKind::Recovered { .. });
        if !recovers && before.paused && core.pause().is_some() {
            self.complain(|| format!("5 pause: {name} while paused"));
        }
        if self.told.as_ref().is_none_or(|(id, _)| *id != incident.id) {
            if self.told.as_ref().is_some_and(|(id, _)| *id > incident.id) {
                self.complain(|| format!("3 order: news of incident {} after a newer one", incident.id));
            }
            self.told = Some((incident.id, Vec::new()));
        }
        let Some((_, told)) = &mut self.told else { return };
        let again = told.contains(&name);
        let told_before = !told.is_empty();
        told.push(name);
        if again {
            self.complain(|| format!("3 once: incident {} told {name} again", incident.id));
        }
        if let AlertKind::Recovered { downtime, .. } = alert.kind {
            if !told_before {
                self.complain(|| format!("3 recovered: nobody was told of incident {}", incident.id));
            }
            self.check_hold(core, before, downtime, moment, now);
        }
    }

    /// Invariant 6: health must have held; invariant 3: the duration runs from the first failed look to the first good.
    fn check_hold(&mut self, core: &Supervisor, before: &Before, downtime: u64, moment: Moment, now: Time) {
        let state = core.state();
        let looping = state.crashes.recent(moment, self.policy.crash_loop_window) >= self.policy.crash_loop_count;
        // A person's word closes the breaker, and its distances with it.
        let on_trial = before.breaker != Breaker::Closed && before.command != Some(Command::Reset);
        let hold = if looping || on_trial { 10 * MINUTE } else { MINUTE };
        let Some(good) = self.good_since else {
            if !self.is_disturbed(now) {
                self.complain(|| "6 hold: recovered, and it is not well".to_owned());
            }
            return;
        };
        if Time::try_from(moment.awake_since(good).as_millis()).unwrap_or(0) < hold {
            self.complain(|| format!("6 hold: recovered after {:?}", moment.awake_since(good)));
        }
        if let Some((_, began, _)) = before.incident
            && !self.is_disturbed(now)
        {
            let lasted = u64::try_from(good.elapsed_since(began).as_millis()).unwrap_or(u64::MAX);
            if lasted.abs_diff(downtime) > 20_000 {
                self.complain(|| format!("3 duration: {downtime} ms were told, and it was {lasted}"));
            }
        }
    }

    /// Invariant 3: an incident begins with the first failed look.
    fn check_incident(&mut self, core: &Supervisor, before: &Before, now: Time) {
        let Some(incident) = &core.state().incident else { return };
        if before.incident.is_some_and(|(id, _, _)| id == incident.id) {
            if before.incident.is_some_and(|(_, began, _)| began != incident.began) {
                self.complain(|| "3 duration: an incident's begin has moved".to_owned());
            }
            return;
        }
        if before.incident.is_some_and(|(id, _, _)| incident.id <= id) {
            self.complain(|| format!("3 order: incident {} is not new", incident.id));
        }
        let began = incident.began;
        let since = now - self.truth_since;
        let suddenly = self.plain_end && self.kind_before == Truth::Whole;
        if suddenly && !self.is_managed() && !self.is_disturbed(now) && before.running.is_none() {
            let late = Time::try_from(core.shown().since.elapsed_since(began).as_millis()).unwrap_or(0);
            if since < self.detection() && late > since + self.detection() {
                self.complain(|| "3 duration: an incident began before anything failed".to_owned());
            }
        }
    }
}
