//! The menu as a value: which rows there are, what they say and what a click on them asks for.
//!
//! Rows come and go only when a person changes something (a pause, the configuration); everything else changes
//! their text. So an open menu keeps its shape under the pointer.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::platform::desktop::login_item::LoginItem;
use crate::snapshot::{BreakerSnapshot, ChannelSnapshot, GatewaySnapshot, Snapshot};
use crate::supervisor::ladder::Rung;
use crate::supervisor::verdict::{Health, Verdict};
use crate::text::menu::{MenuPhrase, SEPARATOR};
use crate::text::{Language, Phrase, report};
use crate::tray::row::{Choice, Row};

/// Length of the mute.
const MUTE: Duration = Duration::from_hours(1);
/// How long a refused alert is shown.
const REFUSAL_SHOWN: Duration = Duration::from_hours(24);
/// Lengths of the timed pauses.
const PAUSES: [Duration; 3] = [Duration::from_mins(15), Duration::from_hours(1), Duration::from_hours(4)];
/// Longest text of a row, in characters: menus have no line breaks.
const LONGEST_ROW: usize = 110;

/// From where a snapshot is looked at.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// Now, on the clock that counts sleep: milliseconds since boot. Ages are counted on this clock, so that a step
    /// of the wall clock changes none of them.
    pub elapsed: i64,
    /// Language of all rows.
    pub language: Language,
    /// For times of day.
    pub zone: &'a TimeZone,
    /// Whether Lifeguard starts at login.
    pub login_item: &'a LoginItem,
}

/// The whole menu, and what the icon needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuModel {
    /// The state that the icon shows: the worst of all gateways.
    pub health: Health,
    /// The state in words, without ages: it changes no more often than the state.
    pub tooltip: String,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

impl MenuModel {
    /// The menu of a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot, view: &View<'_>) -> Self {
        let scene = Scene { snapshot, view };
        let mut rows = match snapshot.gateways.as_slice() {
            [] => vec![text("sentence", Health::NotInstalled.say(view.language))],
            [only] => scene.gateway_rows(only),
            several => several
                .iter()
                .map(|gateway| Row::Submenu {
                    key: format!("gateway/{}", gateway.name),
                    text: tidy(&format!("{}: {}", gateway.name, scene.sentence(gateway))),
                    rows: scene.gateway_rows(gateway),
                })
                .collect(),
        };
        rows.extend(scene.common_rows());
        Self { health: scene.worst_health(), tooltip: scene.tooltip(), rows }
    }
}

/// A snapshot seen from somewhere.
struct Scene<'a> {
    snapshot: &'a Snapshot,
    view: &'a View<'a>,
}

impl Scene<'_> {
    fn say(&self, phrase: &MenuPhrase<'_>) -> String {
        phrase.say(self.view.language)
    }

    /// Unix milliseconds of now, on the wall clock as it was when the snapshot was taken.
    fn now(&self) -> i64 {
        self.snapshot.taken.saturating_add(self.view.elapsed.saturating_sub(self.snapshot.taken_elapsed))
    }

    fn since(&self, moment: i64) -> Duration {
        milliseconds(self.now().saturating_sub(moment))
    }

    fn until(&self, moment: i64) -> Duration {
        milliseconds(moment.saturating_sub(self.now()))
    }

    fn health(&self, gateway: &GatewaySnapshot) -> Health {
        self.snapshot.health(gateway, self.view.elapsed)
    }

    fn worst_health(&self) -> Health {
        let all = self.snapshot.gateways.iter().map(|gateway| self.health(gateway));
        all.min_by_key(|health| urgency(*health)).unwrap_or(Health::NotInstalled)
    }

    fn tooltip(&self) -> String {
        let lines: Vec<_> = self
            .snapshot
            .gateways
            .iter()
            .map(|gateway| {
                let health = self.health(gateway);
                let mut parts = vec![format!("{}: {}", gateway.name, health.say(self.view.language))];
                if tells_verdict(health, &gateway.verdict) {
                    parts.push(gateway.verdict.say(self.view.language));
                }
                if gateway.practice {
                    parts.push(self.say(&MenuPhrase::Practice));
                }
                tidy(&parts.join(SEPARATOR))
            })
            .collect();
        if lines.is_empty() { Health::NotInstalled.say(self.view.language) } else { lines.join("\n") }
    }

    fn gateway_rows(&self, gateway: &GatewaySnapshot) -> Vec<Row> {
        let name = &gateway.name;
        let mut rows = Vec::new();
        if gateway.practice {
            rows.push(text(&format!("practice/{name}"), self.say(&MenuPhrase::Practice)));
        }
        rows.push(text(&format!("sentence/{name}"), self.sentence(gateway)));
        rows.push(text(&format!("detail/{name}"), self.detail(gateway)));
        rows.push(text(&format!("incident/{name}"), self.incident(gateway)));
        if let Some(notice) = &gateway.notice {
            rows.push(text(&format!("notice/{name}"), format!("⚠ {notice}")));
        }
        rows.push(separator(&format!("separator/{name}/actions")));
        rows.extend(self.restart_rows(gateway));
        rows.push(self.pause_row(gateway));
        rows.push(self.counter_row(gateway));
        rows.push(item(
            Choice::OpenLog { gateway: name.clone() },
            self.say(&MenuPhrase::OpenLog),
            gateway.log.is_some(),
        ));
        rows.push(item(
            Choice::OpenIncident { gateway: name.clone() },
            self.say(&MenuPhrase::OpenIncident),
            gateway.evidence.is_some(),
        ));
        let good = gateway.config_change.as_ref().map(|change| self.since(change.good));
        rows.push(item(
            Choice::RollBack { gateway: name.clone() },
            self.say(&MenuPhrase::RollBack(good)),
            good.is_some() && gateway.heal.is_none(),
        ));
        rows
    }

    fn sentence(&self, gateway: &GatewaySnapshot) -> String {
        let language = self.view.language;
        let health = self.health(gateway);
        let state = match health {
            Health::Stale => self.say(&MenuPhrase::Unseen(self.since(self.snapshot.taken))),
            Health::Paused => {
                let until = gateway.pause.and_then(|pause| pause.until).map(|until| self.time_of_day(until));
                self.say(&MenuPhrase::PausedUntil(until.as_deref()))
            }
            Health::NotInstalled | Health::Stopped | Health::Blocked => health.say(language),
            _ => self.say(&MenuPhrase::StateFor(health, self.since(gateway.since))),
        };
        let mut parts = vec![state];
        if let (Health::Healing, Some(heal)) = (health, gateway.heal) {
            parts.push(heal.rung.say(language));
        } else if health == Health::Healing && gateway.verdict == Verdict::Healthy {
            parts.push(self.say(&MenuPhrase::Holding));
        } else if let (Health::Starting, Verdict::Starting(reason)) = (health, &gateway.verdict) {
            parts.extend((!reason.is_empty()).then(|| self.say(&MenuPhrase::WaitsFor(reason))));
        } else if tells_verdict(health, &gateway.verdict) {
            parts.push(gateway.verdict.say(language));
        }
        parts.join(SEPARATOR)
    }

    fn detail(&self, gateway: &GatewaySnapshot) -> String {
        let checked = gateway.checked.map_or(MenuPhrase::NotChecked, |at| MenuPhrase::Checked(self.since(at)));
        let mut parts = vec![self.say(&checked), gateway.address.clone()];
        let health = self.health(gateway);
        if health != Health::Stale {
            parts.extend(gateway.memory.map(|bytes| self.say(&MenuPhrase::Memory(bytes))));
            let leak = gateway.leak.map(|leak| Duration::from_millis(leak.limit_in));
            parts.extend(leak.map(|left| self.say(&MenuPhrase::Leak(left))));
            if matches!(health, Health::Down | Health::SafeMode) {
                parts.extend(gateway.next_attempt.map(|at| self.say(&MenuPhrase::NextAttempt(self.until(at)))));
            }
        }
        parts.join(SEPARATOR)
    }

    fn incident(&self, gateway: &GatewaySnapshot) -> String {
        let phrase = if let Some(incident) = &gateway.incident {
            MenuPhrase::IncidentLasts(self.since(incident.began), incident.attempts)
        } else if let Some(incident) = &gateway.last_incident {
            let ended = incident.ended.unwrap_or(incident.began);
            MenuPhrase::LastIncident(self.since(ended), Duration::from_millis(incident.duration), &incident.verdict)
        } else {
            MenuPhrase::NoIncident
        };
        self.say(&phrase)
    }

    fn restart_rows(&self, gateway: &GatewaySnapshot) -> [Row; 3] {
        let runs = runs(&gateway.verdict);
        let installed = gateway.health != Health::NotInstalled;
        let (label, enabled) = match gateway.heal {
            Some(heal) if heal.rung == Rung::Stop => (MenuPhrase::Start, installed),
            Some(heal) => (MenuPhrase::Restarting(self.since(heal.began)), false),
            None if runs => (MenuPhrase::Restart, installed),
            None => (MenuPhrase::Start, installed),
        };
        let choice = |force| Choice::Restart { gateway: gateway.name.clone(), force };
        [
            item(choice(false), self.say(&label), enabled),
            item(choice(true), self.say(&MenuPhrase::ForceRestart), installed && (runs || gateway.heal.is_some())),
            item(
                Choice::Stop { gateway: gateway.name.clone() },
                self.say(&MenuPhrase::Stop),
                installed && gateway.verdict != Verdict::Stopped,
            ),
        ]
    }

    fn pause_row(&self, gateway: &GatewaySnapshot) -> Row {
        let name = &gateway.name;
        if let Some(pause) = gateway.pause {
            let until = pause.until.map(|until| self.time_of_day(until));
            return item(
                Choice::Resume { gateway: name.clone() },
                self.say(&MenuPhrase::Resume(until.as_deref())),
                true,
            );
        }
        let timed = PAUSES.map(|length| (Some(length), MenuPhrase::PauseFor(length)));
        let rows = timed
            .into_iter()
            .chain([(None, MenuPhrase::PauseUntilResumed)])
            .map(|(length, phrase)| item(Choice::Pause { gateway: name.clone(), length }, self.say(&phrase), true));
        Row::Submenu { key: format!("pause/{name}"), text: self.say(&MenuPhrase::Pause), rows: rows.collect() }
    }

    fn counter_row(&self, gateway: &GatewaySnapshot) -> Row {
        let zero = gateway.crashes == 0 && gateway.breaker == BreakerSnapshot::Closed;
        let phrase = if zero {
            MenuPhrase::CounterAtZero(gateway.crash_limit)
        } else {
            let clears = gateway.crashes_clear.map(|at| self.until(at));
            MenuPhrase::ResetCounter(gateway.crashes, gateway.crash_limit, clears)
        };
        item(Choice::Reset { gateway: gateway.name.clone() }, self.say(&phrase), !zero)
    }

    fn common_rows(&self) -> Vec<Row> {
        let notices = self.snapshot.notices.iter().enumerate();
        let mut rows: Vec<Row> =
            notices.map(|(place, notice)| text(&format!("notice/-{place}"), format!("⚠ {notice}"))).collect();
        rows.push(separator("separator/common"));
        rows.extend(self.snapshot.day.map(|day| text("day", report::row(day, self.view.language))));
        rows.extend([
            Row::Submenu { key: "alerts".to_owned(), text: self.say(&MenuPhrase::Alerts), rows: self.alert_rows() },
            item(Choice::OpenPage, self.say(&MenuPhrase::OpenPage), self.snapshot.page.is_some()),
            item(Choice::CopyDiagnostics, self.say(&MenuPhrase::CopyDiagnostics), true),
            self.login_row(),
            separator("separator/quit"),
            item(Choice::Quit, self.say(&MenuPhrase::Quit), true),
        ]);
        rows
    }

    fn alert_rows(&self) -> Vec<Row> {
        let channels = &self.snapshot.channels;
        let mut rows = vec![
            item(Choice::TestAlerts, self.say(&MenuPhrase::TestAlerts), !channels.is_empty()),
            item(Choice::RetryAlerts, self.say(&MenuPhrase::RetryAlerts), channels.iter().any(|one| one.waiting > 0)),
        ];
        let quiet = channels.iter().find_map(|channel| channel.quiet);
        let until = quiet.and_then(|quiet| quiet.until).map(|until| self.time_of_day(until));
        if quiet.is_some_and(|quiet| quiet.muted) {
            rows.push(item(Choice::UnmuteAlerts, self.say(&MenuPhrase::Unmute(until.as_deref())), true));
        } else {
            rows.push(item(Choice::MuteAlerts(MUTE), self.say(&MenuPhrase::Mute(MUTE)), !channels.is_empty()));
            rows.extend(quiet.map(|_| text("quiet-hours", self.say(&MenuPhrase::QuietHours(until.as_deref())))));
        }
        rows.push(separator("separator/channels"));
        if channels.is_empty() {
            rows.push(text("no-channel", self.say(&MenuPhrase::NoChannel)));
        }
        for channel in channels {
            let name = &channel.name;
            rows.push(text(&format!("channel/{name}"), self.channel(channel)));
            rows.extend(
                channel.problem.as_ref().map(|problem| {
                    text(&format!("problem/{name}"), self.say(&MenuPhrase::ChannelProblem(name, problem)))
                }),
            );
            // A person who has not been told wants to know why for longer than the channel's trouble lasts.
            let refused = channel.refused.as_ref().filter(|refused| self.since(refused.at) < REFUSAL_SHOWN);
            rows.extend(refused.map(|refused| {
                let phrase = MenuPhrase::Refused(name, &refused.kind, self.since(refused.at));
                text(&format!("refused/{name}"), self.say(&phrase))
            }));
        }
        rows
    }

    fn channel(&self, channel: &ChannelSnapshot) -> String {
        let name = &channel.name;
        let mut parts = vec![match &channel.last_delivery {
            Some(delivery) => self.say(&MenuPhrase::Delivered(name, &delivery.kind, self.since(delivery.at))),
            None => self.say(&MenuPhrase::NothingDelivered(name)),
        }];
        parts.extend((channel.waiting > 0).then(|| self.say(&MenuPhrase::Waiting(channel.waiting))));
        parts.join(SEPARATOR)
    }

    fn login_row(&self) -> Row {
        let (phrase, checked, enabled) = match self.view.login_item {
            LoginItem::On => (MenuPhrase::StartAtLogin, true, true),
            LoginItem::Off => (MenuPhrase::StartAtLogin, false, true),
            LoginItem::NeedsApproval => (MenuPhrase::StartAtLoginToApprove, false, true),
            LoginItem::SwitchedOff => (MenuPhrase::StartAtLoginSwitchedOff, false, true),
            LoginItem::AnotherCopy(_) => (MenuPhrase::StartAtLoginElsewhere, false, true),
            LoginItem::Agent => (MenuPhrase::StartAtLogin, true, false),
            LoginItem::Unavailable => (MenuPhrase::StartAtLogin, false, false),
        };
        Row::Check { choice: Choice::SetLoginItem(!checked), text: self.say(&phrase), enabled, checked }
    }

    fn time_of_day(&self, wall: i64) -> String {
        jiff::Timestamp::from_millisecond(wall)
            .map_or_else(|_| "?".to_owned(), |time| time.to_zoned(self.view.zone.clone()).strftime("%H:%M").to_string())
    }
}

/// Whether the verdict adds anything to the state's own words.
fn tells_verdict(health: Health, verdict: &Verdict) -> bool {
    match health {
        Health::Healthy | Health::Stopped | Health::NotInstalled | Health::Stale => false,
        Health::Starting => *verdict == Verdict::Draining,
        _ => *verdict != Verdict::Healthy,
    }
}

/// Whether there is a gateway process to restart, as far as the verdict tells; if not, it is to be started.
fn runs(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Gone
        | Verdict::CrashLoop
        | Verdict::StaleGateway { .. }
        | Verdict::NotSpawned(_)
        | Verdict::Parked
        | Verdict::Updating
        | Verdict::PortTaken { .. }
        | Verdict::Refuses
        | Verdict::ServiceNotLoaded
        | Verdict::ServiceDisabled
        | Verdict::Stopped
        | Verdict::NotInstalled => false,
        Verdict::Unknown(_)
        | Verdict::Healthy
        | Verdict::Starting(_)
        | Verdict::Draining
        | Verdict::NotReady(_)
        | Verdict::ChannelsSuppressed(_)
        | Verdict::ChannelsSilent(_)
        | Verdict::ChannelsDown(_)
        | Verdict::Overdue
        | Verdict::ModelRefused(_)
        | Verdict::LoggedOut(_)
        | Verdict::Orphan
        | Verdict::Slow
        | Verdict::Zombie
        | Verdict::Hung
        | Verdict::Failing(_) => true,
    }
}

/// Which state the icon shows when several gateways differ: the lowest number wins.
fn urgency(health: Health) -> u8 {
    match health {
        Health::Stale => 0,
        Health::Blocked => 1,
        Health::SafeMode => 2,
        Health::Down => 3,
        Health::Healing => 4,
        Health::Degraded => 5,
        Health::Starting => 6,
        Health::Paused => 7,
        Health::Stopped => 8,
        Health::NotInstalled => 9,
        Health::Healthy => 10,
    }
}

fn text(key: &str, text: impl AsRef<str>) -> Row {
    Row::Text { key: key.to_owned(), text: tidy(text.as_ref()) }
}

fn item(choice: Choice, text: impl AsRef<str>, enabled: bool) -> Row {
    Row::Item { choice, text: tidy(text.as_ref()), enabled }
}

fn separator(key: &str) -> Row {
    Row::Separator { key: key.to_owned() }
}

/// One line of bearable length.
fn tidy(text: &str) -> String {
    let mut words = String::new();
    for word in text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty())
    {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    if words.chars().count() > LONGEST_ROW {
        words = words.chars().take(LONGEST_ROW - 1).collect();
        words.push('…');
    }
    words
}

fn milliseconds(difference: i64) -> Duration {
    Duration::from_millis(u64::try_from(difference).unwrap_or(0))
}
