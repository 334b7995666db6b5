//! What alerts say, wherever they are read: a notification, Discord, the menu's channel rows.

use std::time::Duration;

use super::dependency::list;
use super::{Language, Phrase, words};
use crate::request::Reply;
use crate::supervisor::activity::{ModelRefusal, RefusalCause};
use crate::supervisor::configuration::ConfigChange;
use crate::supervisor::dependency::DependencyState;
use crate::supervisor::event::{AlertKind, DigestEntry, DigestReason};
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::trend::{Leak, MemoryLevel};
use crate::supervisor::verdict::{Severity, Verdict};

/// How a moment (Unix milliseconds) is written where the text will be read.
pub type SayMoment<'a> = &'a dyn Fn(i64) -> String;

/// Whether a moment is as good as the reference (both Unix milliseconds): nobody wants to read the clock for that.
#[must_use]
pub fn is_now(at: i64, reference: i64) -> bool {
    at <= reference.saturating_add(1_500)
}

/// The word for such a moment.
#[must_use]
pub fn now(language: Language) -> &'static str {
    language.pick("now", "지금")
}

/// What an alert calls its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its name in the configuration.
    pub name: &'a str,
    /// The built-in practice gateway.
    pub practice: bool,
}

impl Phrase for Subject<'_> {
    fn say(&self, language: Language) -> String {
        let kind = if self.practice {
            language.pick("Practice gateway", "연습용 게이트웨이")
        } else {
            language.pick("OpenClaw gateway", "OpenClaw 게이트웨이")
        };
        // "gateway" is the name that a configuration without names gives: it would say the same thing twice.
        if self.name.is_empty() || self.name == "gateway" || self.practice {
            kind.to_owned()
        } else {
            format!("{kind} “{}”", self.name)
        }
    }
}

/// The headline of an alert.
#[must_use]
pub fn title(kind: &AlertKind, subject: Subject<'_>, language: Language) -> String {
    let who = subject.say(language);
    match (kind, language) {
        (AlertKind::Down { .. }, Language::English) => format!("{who} is down"),
        (AlertKind::Down { .. }, Language::Korean) => format!("{who} 중단됨"),
        (AlertKind::Degraded { .. }, Language::English) => format!("{who} works only in part"),
        (AlertKind::Degraded { .. }, Language::Korean) => format!("{who} 일부 기능 이상"),
        (AlertKind::Progress { verdict, .. }, _) => {
            let verdict = verdict.clone();
            let kind = if verdict.severity() == Severity::Impaired {
                AlertKind::Degraded { verdict }
            } else {
                AlertKind::Down { verdict, next: None, next_at: None, waits_for: Vec::new() }
            };
            title(&kind, subject, language)
        }
        (AlertKind::SafeMode { .. }, Language::English) => format!("{who} keeps failing: safe mode"),
        (AlertKind::SafeMode { .. }, Language::Korean) => format!("{who} 반복 실패: 안전 모드"),
        (AlertKind::Blocked { waits_for, .. }, Language::English) if !waits_for.is_empty() => {
            format!("{who} waits for something that is missing")
        }
        (AlertKind::Blocked { waits_for, .. }, Language::Korean) if !waits_for.is_empty() => {
            format!("{who} 필요한 것이 없어 대기 중")
        }
        (AlertKind::Blocked { .. }, Language::English) => format!("{who} needs you"),
        (AlertKind::Blocked { .. }, Language::Korean) => format!("{who} 직접 조치 필요"),
        (AlertKind::ConfigSuspect { .. }, Language::English) => format!("{who}: its configuration was changed"),
        (AlertKind::ConfigSuspect { .. }, Language::Korean) => format!("{who} 설정이 변경되었음"),
        (AlertKind::Recovered { downtime, .. }, _) => {
            let time = words::duration(Duration::from_millis(*downtime), language);
            match language {
                Language::English => format!("Recovered in {time}"),
                Language::Korean => format!("{time} 만에 복구됨"),
            }
        }
        (AlertKind::RestartFinished { outcome: Outcome::ConfigRestored }, _) => {
            language.pick("Configuration rolled back", "설정을 되돌렸습니다").to_owned()
        }
        (AlertKind::RestartFinished { outcome }, _) if outcome.succeeded() => {
            language.pick("Restart finished", "재시작 완료").to_owned()
        }
        (AlertKind::RestartFinished { .. }, _) => {
            language.pick("The restart did not work", "재시작하지 못했습니다").to_owned()
        }
        (AlertKind::Memory { leak: Some(leak), .. }, _) => {
            let left = words::about(Duration::from_millis(leak.limit_in), language);
            match language {
                Language::English => format!("{who} loses memory: its limit is {left} away"),
                Language::Korean => format!("{who} 메모리 누수: {left} 뒤 한도 도달"),
            }
        }
        (AlertKind::Memory { bytes, .. }, _) => {
            let size = words::size(*bytes);
            match language {
                Language::English => format!("{who} takes {size} of memory"),
                Language::Korean => format!("{who} 메모리 사용량 {size}"),
            }
        }
        (AlertKind::Renewed { .. }, Language::English) => format!("{who} was restarted to free memory"),
        (AlertKind::Renewed { .. }, Language::Korean) => format!("{who} 메모리 확보를 위해 재시작됨"),
        (AlertKind::Report(report), _) => super::report::title(report, language),
        (AlertKind::Check(problems), _) => super::check::alert_title(problems, language),
        (AlertKind::Digest { reason, entries, more, .. }, _) => {
            let count = entries.len() + usize::try_from(*more).unwrap_or(usize::MAX);
            let plural = if count == 1 { "" } else { "s" };
            match reason {
                DigestReason::Storm => {
                    language.pick(format!("{count} more alert{plural} in 10 min"), format!("10분간 알림 {count}개 더"))
                }
                DigestReason::Quiet => language
                    .pick(format!("While it was quiet: {count} alert{plural}"), format!("방해 금지 중 알림 {count}개")),
            }
        }
        (AlertKind::Test, _) => language.pick("Test alert from Lifeguard", "Lifeguard 시험 알림").to_owned(),
    }
}

/// The headline that takes the place of [`title`] on the message of an outage that is over.
#[must_use]
pub fn over(downtime: Duration, subject: Subject<'_>, language: Language) -> String {
    let (who, downtime) = (subject.say(language), words::duration(downtime, language));
    match language {
        Language::English => format!("{who} was down for {downtime}"),
        Language::Korean => format!("{who} 중단 종료: {downtime}"),
    }
}

/// The sentences below the headline: what happened, then what is being done or what to do.
#[must_use]
pub fn body(kind: &AlertKind, subject: Subject<'_>, language: Language, moment: SayMoment<'_>) -> String {
    let who = subject.say(language);
    match kind {
        AlertKind::Down { verdict, next, next_at, waits_for } => {
            let rest = waiting(waits_for, language).unwrap_or_else(|| plan(verdict, *next, *next_at, language, moment));
            format!("{} {rest}", sentence(&verdict.say(language)))
        }
        AlertKind::Progress { verdict, rung, attempt } => {
            let (matter, rung) = (sentence(&verdict.say(language)), rung.say(language));
            match language {
                Language::English => format!("{matter} Attempt {attempt} is running: {rung}."),
                Language::Korean => format!("{matter} {attempt}번째 시도 진행 중: {rung}."),
            }
        }
        AlertKind::Degraded { verdict } => {
            let rest = in_part(verdict, language);
            format!("{} {rest}", sentence(&verdict.say(language)))
        }
        AlertKind::SafeMode { verdict, next_trial_at } => {
            let trial = moment(*next_trial_at);
            let rest = match language {
                Language::English => format!(
                    "Restarting did not help, so Lifeguard waits: the next trial is {trial}. The log says why it fails."
                ),
                Language::Korean => format!(
                    "재시작해도 나아지지 않아 잠시 기다립니다. 다음 시도: {trial}. 실패 원인은 로그에서 확인할 수 있습니다."
                ),
            };
            format!("{} {rest}", sentence(&verdict.say(language)))
        }
        AlertKind::Blocked { verdict, waits_for } => {
            let rest = waiting(waits_for, language).unwrap_or_else(|| {
                let rest = language.pick(
                    "A restart would not help. Mend this, and Lifeguard takes over again.",
                    "재시작으로는 해결되지 않습니다. 문제를 고치면 Lifeguard가 다시 맡습니다.",
                );
                rest.to_owned()
            });
            format!("{} {rest}", sentence(&verdict.say(language)))
        }
        AlertKind::ConfigSuspect { change, rolls_back, .. } => suspicion(change, *rolls_back, language),
        AlertKind::Recovered { attempts, fixed_by, .. } => recovery(&who, *attempts, *fixed_by, language),
        AlertKind::RestartFinished { outcome } => match language {
            Language::English => format!("{who}: {}", outcome.say(language)),
            Language::Korean => format!("{who}: {}", outcome.say(language)),
        },
        AlertKind::Memory { level, bytes, leak, renews } => {
            format!("{} {}", memory(*bytes, *leak, language), renewal(*level, *renews, language))
        }
        AlertKind::Renewed { before } => {
            let size = words::size(*before);
            match language {
                Language::English => {
                    format!("It had grown to {size}. Running work was finished first; nothing was down.")
                }
                Language::Korean => {
                    format!("{size}까지 늘어나 있었습니다. 진행 중인 작업을 마친 뒤 재시작했으며 중단은 없었습니다.")
                }
            }
        }
        AlertKind::Report(report) => super::report::body(report, language).join(" "),
        AlertKind::Check(problems) => super::check::alert_body(problems, language),
        AlertKind::Digest { entries, more, made, .. } => digest(entries, *more, *made, language),
        AlertKind::Test => language
            .pick(
                "If you can read this, alerts reach you here. Nothing is wrong.",
                "이 메시지가 보이면 알림이 정상적으로 전달되는 것입니다. 문제는 없습니다.",
            )
            .to_owned(),
    }
}

/// What was gathered, one after the other.
fn digest(entries: &[DigestEntry], more: u32, made: i64, language: Language) -> String {
    let mut lines: Vec<String> = entries
        .iter()
        .map(|entry| {
            let subject = Subject { name: &entry.gateway, practice: entry.practice };
            let what = match &entry.kind {
                AlertKind::Recovered { downtime, .. } => over(Duration::from_millis(*downtime), subject, language),
                kind => title(kind, subject, language),
            };
            let age = u64::try_from(made.saturating_sub(entry.at)).unwrap_or(0);
            let age = words::duration(Duration::from_millis(age), language);
            language.pick(format!("{age} ago: {what}."), format!("{age} 전: {what}."))
        })
        .collect();
    if more > 0 {
        lines.push(language.pick(format!("And {more} more."), format!("그 외 {more}개.")));
    }
    lines.join(" ")
}

fn plan(
    verdict: &Verdict,
    next: Option<Rung>,
    next_at: Option<i64>,
    language: Language,
    moment: SayMoment<'_>,
) -> String {
    let Some(rung) = next else { return for_the_person(verdict, language).to_owned() };
    if *verdict == Verdict::Refuses {
        let mend = for_the_person(verdict, language);
        let Some(at) = next_at.map(moment) else { return mend.to_owned() };
        return match language {
            Language::English => format!("{mend} Lifeguard tries again {at}."),
            Language::Korean => format!("{mend} 다음 시도: {at}."),
        };
    }
    let what = match rung {
        Rung::Start => language.pick("Lifeguard starts it again", "Lifeguard가 다시 시작합니다"),
        Rung::Graceful => {
            language.pick("Lifeguard restarts it in good order", "Lifeguard가 작업을 마무리한 뒤 재시작합니다")
        }
        Rung::Restart => language.pick("Lifeguard restarts it", "Lifeguard가 재시작합니다"),
        Rung::StartChannels => language.pick(
            "Lifeguard asks it to start the channels that it holds back",
            "Lifeguard가 보류된 채널을 시작하도록 요청합니다",
        ),
        Rung::FreePort => language.pick(
            "Lifeguard ends the leftover and starts the gateway",
            "Lifeguard가 이전 게이트웨이를 종료하고 다시 시작합니다",
        ),
        Rung::RollBack => language.pick(
            "Lifeguard puts the last good configuration back; your edit is kept beside it",
            "Lifeguard가 마지막 정상 설정을 복원합니다. 수정한 설정은 옆에 보관됩니다",
        ),
        Rung::Doctor => language.pick(
            "Lifeguard runs `openclaw doctor --fix`, after a backup",
            "Lifeguard가 백업 후 `openclaw doctor --fix`를 실행합니다",
        ),
        Rung::Hook => language.pick("Lifeguard runs your own command", "Lifeguard가 사용자 지정 명령을 실행합니다"),
        Rung::Stop => language.pick("Lifeguard stops it, as asked", "Lifeguard가 요청대로 중지합니다"),
    };
    next_at.map_or_else(|| format!("{what}."), |at| format!("{what} ({}).", moment(at)))
}

/// What was changed before it came to this, and what follows from that.
fn suspicion(change: &ConfigChange, rolls_back: bool, language: Language) -> String {
    let what = words::alteration(&change.alteration, language);
    let rest = if rolls_back {
        language.pick(
            "Lifeguard puts the good one back; yours is kept beside it, as `openclaw.json.rejected-…`.",
            "Lifeguard가 정상 설정을 복원합니다. 수정한 설정은 `openclaw.json.rejected-…`로 옆에 보관됩니다.",
        )
    } else {
        language.pick(
            "That may be why. `lifeguard config-guard roll-back` puts the good one back; yours is kept beside it.",
            "이것이 원인일 수 있습니다. `lifeguard config-guard roll-back`으로 정상 설정을 복원하면 수정한 설정은 옆에 보관됩니다.",
        )
    };
    match language {
        Language::English => format!("OpenClaw's configuration is not the one that was last good: {what}. {rest}"),
        Language::Korean => format!("OpenClaw 설정이 마지막으로 정상이던 때와 다릅니다: {what}. {rest}"),
    }
}

/// What an attempt waits for.
fn waiting(waits_for: &[DependencyState], language: Language) -> Option<String> {
    if waits_for.is_empty() {
        return None;
    }
    let list = list(waits_for, language);
    Some(match language {
        Language::English => {
            format!("It needs something that is missing: {list}. Lifeguard goes on by itself as soon as that is back.")
        }
        Language::Korean => format!("필요한 것이 없습니다: {list}. 준비되면 Lifeguard가 스스로 계속합니다."),
    })
}

/// What follows from a gateway that works in part.
fn in_part(verdict: &Verdict, language: Language) -> &'static str {
    match verdict {
        Verdict::ModelRefused(ModelRefusal { cause: RefusalCause::Credentials, .. }) => language.pick(
            "No restart mends that: log in to the model's provider again (`openclaw models auth login`).",
            "재시작으로는 해결되지 않습니다. 모델 제공자에 다시 로그인하세요(`openclaw models auth login`).",
        ),
        Verdict::ModelRefused(ModelRefusal { cause: RefusalCause::Credit, .. }) => language.pick(
            "No restart mends that: top up the account, or choose another model (`openclaw models set`).",
            "재시작으로는 해결되지 않습니다. 잔액을 충전하거나 다른 모델을 선택하세요(`openclaw models set`).",
        ),
        Verdict::LoggedOut(_) => language.pick(
            "No restart mends that: log in to the channel again (`openclaw channels login`).",
            "재시작으로는 해결되지 않습니다. 채널에 다시 로그인하세요(`openclaw channels login`).",
        ),
        Verdict::ChannelsSuppressed(_) => language.pick(
            "A restart would make it worse. Lifeguard leaves it alone for a while, then asks it to start them.",
            "재시작하면 더 나빠집니다. Lifeguard가 잠시 기다린 뒤 채널 시작을 요청합니다.",
        ),
        Verdict::Orphan => language.pick(
            "Stop the one that was started by hand, and its service takes over; or uninstall the service.",
            "직접 시작한 게이트웨이를 종료하면 서비스가 이어받습니다. 아니면 서비스를 제거하세요.",
        ),
        _ => language.pick("Lifeguard keeps watching.", "Lifeguard가 계속 지켜보고 있습니다."),
    }
}

/// What the memory of a gateway that works comes to.
fn memory(bytes: u64, leak: Option<Leak>, language: Language) -> String {
    let size = words::size(bytes);
    let grows = leak.map(|leak| {
        let hourly = words::size(leak.per_hour);
        match language {
            Language::English => format!("It takes {size}, and {hourly} more every hour."),
            Language::Korean => format!("현재 {size}이며 시간당 {hourly}씩 늘고 있습니다."),
        }
    });
    grows.unwrap_or_else(|| match language {
        Language::English => format!("It works, but takes {size}."),
        Language::Korean => format!("정상 동작 중이나 {size}를 사용하고 있습니다."),
    })
}

/// What Lifeguard does about the memory of a gateway that works.
fn renewal(level: MemoryLevel, renews: bool, language: Language) -> &'static str {
    match level {
        _ if !renews => language.pick(
            "Restart it before it runs out: Lifeguard only tells, for this gateway is not its to restart for that.",
            "한도에 이르기 전에 재시작하세요. 이 게이트웨이는 Lifeguard가 알리기만 하고 재시작하지 않습니다.",
        ),
        MemoryLevel::Limit => language.pick(
            "That is its limit: Lifeguard restarts it in good order, twice in six hours at most.",
            "한도에 도달했습니다. Lifeguard가 작업을 마무리한 뒤 재시작합니다(6시간에 최대 2회).",
        ),
        MemoryLevel::Calm | MemoryLevel::Warning | MemoryLevel::Critical => language.pick(
            "Lifeguard restarts it in good order before it runs out, at a moment when no work is in flight.",
            "한도에 이르기 전, 진행 중인 작업이 없을 때 Lifeguard가 재시작합니다.",
        ),
    }
}

/// What only a person can do.
fn for_the_person(verdict: &Verdict, language: Language) -> &'static str {
    match verdict {
        Verdict::Refuses => language.pick(
            "Run `openclaw config validate` and mend what it names.",
            "`openclaw config validate`를 실행해 지적된 항목을 고치세요.",
        ),
        Verdict::PortTaken { .. } => language.pick(
            "Quit that program or give the gateway another port; Lifeguard takes over as soon as the port is free.",
            "그 프로그램을 종료하거나 게이트웨이의 포트를 바꾸세요. 포트가 비면 Lifeguard가 다시 맡습니다.",
        ),
        Verdict::Parked => language.pick(
            "Lifeguard keeps its hands off: OpenClaw starts it again after its maintenance, or `openclaw doctor` tells why it does not.",
            "OpenClaw가 점검을 마치면 다시 시작하므로 Lifeguard는 개입하지 않습니다. 시작되지 않으면 `openclaw doctor`가 이유를 알려 줍니다.",
        ),
        Verdict::ServiceDisabled => language.pick(
            "Switch the service on again; Lifeguard then takes over.",
            "서비스를 다시 켜면 Lifeguard가 다시 맡습니다.",
        ),
        _ => language.pick(
            "Nobody starts this one by itself: use Start in Lifeguard's menu, or `lifeguard restart`.",
            "자동으로 시작되지 않는 게이트웨이입니다. Lifeguard 메뉴의 시작이나 `lifeguard restart`를 사용하세요.",
        ),
    }
}

fn recovery(who: &str, attempts: u32, fixed_by: Option<Rung>, language: Language) -> String {
    match (fixed_by, language) {
        (None, Language::English) => format!("{who} came back by itself and has stayed up."),
        (None, Language::Korean) => format!("{who}: 스스로 복구되어 안정적으로 동작합니다."),
        (Some(rung), Language::English) => {
            let tries = if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") };
            format!("{who} is up again and has stayed up, after {tries}; what helped: {}.", rung.say(language))
        }
        (Some(rung), Language::Korean) => {
            format!("{who}: {attempts}번 시도 끝에 복구되어 안정적으로 동작합니다. 해결 방법: {}.", rung.say(language))
        }
    }
}

/// A phrase in the middle of a line made a sentence: a capital at its head, a full stop at its end.
fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let Some(first) = letters.next() else { return String::new() };
    let mut text: String = first.to_uppercase().chain(letters).collect();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// The note on an alert that was delivered long after it happened.
#[must_use]
pub fn late(happened: &str, delay: Duration, language: Language) -> String {
    let delay = words::duration(delay, language);
    match language {
        Language::English => format!("Delivered {delay} late: this happened {happened}."),
        Language::Korean => format!("{delay} 늦게 전달됨. 발생 시각: {happened}."),
    }
}

/// What to add to a message that an earlier attempt may have brought already.
#[must_use]
pub fn repeat(language: Language) -> &'static str {
    language.pick(
        "Possibly a repeat: the connection broke before the first attempt was confirmed.",
        "중복일 수 있음: 첫 시도가 확인되기 전에 연결이 끊어졌습니다.",
    )
}

/// What to add to a message that stands for one that could not be sent.
#[must_use]
pub fn folded(language: Language) -> &'static str {
    language.pick(
        "The alert of the trouble itself could not be sent in time; this message tells both.",
        "장애 알림을 제때 보내지 못해 이 메시지로 함께 알립니다.",
    )
}

/// The name of a fact that is listed below an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The gateway's name.
    Gateway,
    /// Its address.
    Address,
    /// What is the matter.
    Matter,
    /// When the incident began.
    Since,
    /// How long the incident lasted.
    Lasted,
    /// Attempts so far.
    Attempts,
    /// When the next attempt is due.
    Next,
    /// The incident's number.
    Incident,
    /// The machine's name.
    Host,
}

impl Phrase for Field {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Gateway => ("Gateway", "게이트웨이"),
            Self::Address => ("Address", "주소"),
            Self::Matter => ("What is the matter", "상태"),
            Self::Since => ("Since", "시작"),
            Self::Lasted => ("Lasted", "지속 시간"),
            Self::Attempts => ("Attempts", "시도 횟수"),
            Self::Next => ("Next attempt", "다음 시도"),
            Self::Incident => ("Incident", "장애 번호"),
            Self::Host => ("Host", "호스트"),
        };
        language.pick(english, korean).to_owned()
    }
}

/// The label on what comes from the practice gateway.
#[must_use]
pub fn practice(language: Language) -> &'static str {
    language.pick("practice", "연습")
}

/// A button of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Button {
    /// Restart the gateway.
    Restart,
    /// Start a gateway that nobody else starts.
    Start,
    /// Open its log.
    OpenLog,
    /// Hands off for an hour.
    Pause,
    /// Put the last good configuration back.
    RollBack,
}

impl Phrase for Button {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Restart => ("Restart", "재시작"),
            Self::Start => ("Start", "시작"),
            Self::OpenLog => ("Open log", "로그 열기"),
            Self::Pause => ("Pause 1 h", "1시간 일시 중지"),
            Self::RollBack => ("Roll back config", "설정 되돌리기"),
        };
        language.pick(english, korean).to_owned()
    }
}

/// What a notification says after one of its buttons was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// It is being done.
    Working(Button),
    /// It is done, or not; the answer says which.
    Answered(Button, Reply),
    /// No answer came in time.
    NoAnswer,
    /// Lifeguard is about to quit.
    Quitting,
}

impl Pressed {
    /// Whether nothing is left to press: it is being done, or was done.
    #[must_use]
    pub fn helped(&self) -> bool {
        match self {
            Self::Working(_) | Self::Answered(_, Reply::Done) | Self::Quitting => true,
            Self::Answered(_, Reply::Concluded(outcome)) => outcome.succeeded(),
            Self::Answered(_, Reply::Refused(_)) | Self::NoAnswer => false,
        }
    }
}

impl Phrase for Pressed {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Working(Button::Restart) => language.pick("Restarting …", "재시작하는 중…").to_owned(),
            Self::Working(Button::Start) => language.pick("Starting …", "시작하는 중…").to_owned(),
            Self::Working(Button::OpenLog) => language.pick("Opening the log …", "로그를 여는 중…").to_owned(),
            Self::Working(Button::Pause) => language.pick("Pausing …", "일시 중지하는 중…").to_owned(),
            Self::Working(Button::RollBack) => {
                language.pick("Putting the good configuration back …", "정상 설정을 복원하는 중…").to_owned()
            }
            Self::Answered(Button::Pause, Reply::Done) => language
                .pick(
                    "Paused: Lifeguard keeps its hands off for 1 h.",
                    "일시 중지됨: 1시간 동안 Lifeguard가 개입하지 않습니다.",
                )
                .to_owned(),
            Self::Answered(_, Reply::Done) => language.pick("Done.", "완료되었습니다.").to_owned(),
            Self::Answered(_, Reply::Concluded(outcome)) => outcome.say(language),
            Self::Answered(_, Reply::Refused(reason)) => match language {
                Language::English => format!("Not done: {reason}"),
                Language::Korean => format!("수행하지 못했습니다: {reason}"),
            },
            Self::NoAnswer => language
                .pick(
                    "No answer yet: the menu and `lifeguard status` show how it goes.",
                    "아직 응답이 없습니다. 메뉴나 `lifeguard status`에서 진행 상황을 확인하세요.",
                )
                .to_owned(),
            Self::Quitting => language
                .pick("Not done: Lifeguard is about to quit.", "수행하지 못했습니다: Lifeguard가 종료되는 중입니다.")
                .to_owned(),
        }
    }
}

/// What to say where buttons cannot be shown.
#[must_use]
pub fn without_buttons(language: Language) -> &'static str {
    language.pick(
        "Lifeguard's menu and `lifeguard restart` can restart it.",
        "Lifeguard 메뉴나 `lifeguard restart`로 재시작할 수 있습니다.",
    )
}
