//! The words of the tray menu and its tooltip.

use std::time::Duration;

use super::words::{about, alert_kind, duration, size};
use super::{Language, Phrase};
use crate::supervisor::verdict::{Health, Verdict};

/// Stands between the parts of a row.
pub const SEPARATOR: &str = " · ";

/// A row of the menu, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum MenuPhrase<'a> {
    /// The gateway is the built-in imitation.
    Practice,
    /// A state and how long it has lasted.
    StateFor(Health, Duration),
    /// Nobody has looked for so long.
    Unseen(Duration),
    /// Hands off until this time of day, or until resumed.
    PausedUntil(Option<&'a str>),
    /// It answers again; health has not held long enough yet.
    Holding,
    /// What start-up waits for.
    WaitsFor(&'a str),
    /// A round of probes began so long ago.
    Checked(Duration),
    /// No round of probes yet.
    NotChecked,
    /// Resident memory, in bytes.
    Memory(u64),
    /// A leak, and how long until the limit.
    Leak(Duration),
    /// The next attempt, from now.
    NextAttempt(Duration),
    /// An incident that lasts: its age and the attempts so far.
    IncidentLasts(Duration, u32),
    /// The newest incident that is over: how long ago it ended, how long it took, what it was.
    LastIncident(Duration, Duration, &'a Verdict),
    /// There has been no incident.
    NoIncident,
    /// Restart, waiting for running work.
    Restart,
    /// Start what does not run.
    Start,
    /// An attempt that runs, and for how long.
    Restarting(Duration),
    /// Restart at once.
    ForceRestart,
    /// Stop, and leave it stopped.
    Stop,
    /// The submenu of pauses.
    Pause,
    /// A pause of this length.
    PauseFor(Duration),
    /// A pause without an end.
    PauseUntilResumed,
    /// End the pause that would end at this time of day.
    Resume(Option<&'a str>),
    /// The crash counter, its limit, and when it clears.
    ResetCounter(u32, u32, Option<Duration>),
    /// The crash counter at zero, and its limit.
    CounterAtZero(u32),
    /// Open the gateway's log.
    OpenLog,
    /// Open the evidence of the newest incident.
    OpenIncident,
    /// Open the status page.
    OpenPage,
    /// Put the configuration back that was last good: so long ago, if it was changed since.
    RollBack(Option<Duration>),
    /// Copy a description of the state.
    CopyDiagnostics,
    /// The submenu of alerts.
    Alerts,
    /// Send a test alert on every channel.
    TestAlerts,
    /// Try at once what waits to be told.
    RetryAlerts,
    /// A channel and its problem.
    ChannelProblem(&'a str, &'a str),
    /// Disturb nobody for so long.
    Mute(Duration),
    /// End the mute that would end at this time of day.
    Unmute(Option<&'a str>),
    /// These are the quiet hours, until this time of day.
    QuietHours(Option<&'a str>),
    /// So many alerts wait.
    Waiting(u64),
    /// A channel that refused an alert for good: kind by name, and how long ago.
    Refused(&'a str, &'a str, Duration),
    /// No channel is set up.
    NoChannel,
    /// A channel and its newest delivery: kind by name, and how long ago.
    Delivered(&'a str, &'a str, Duration),
    /// A channel that has delivered nothing yet.
    NothingDelivered(&'a str),
    /// Start at login.
    StartAtLogin,
    /// Start at login, which the system wants approved.
    StartAtLoginToApprove,
    /// Start at login, switched off in the system's own settings.
    StartAtLoginSwitchedOff,
    /// Start at login, which starts another copy now.
    StartAtLoginElsewhere,
    /// Quit.
    Quit,
}

impl Phrase for MenuPhrase<'_> {
    #[expect(clippy::too_many_lines, reason = "a sentence for each phrase, and no logic")]
    fn say(&self, language: Language) -> String {
        let long = |length: Duration| duration(length, language);
        let fixed = |english: &str, korean: &str| language.pick(english, korean).to_owned();
        let both = |english: String, korean: String| language.pick(english, korean);
        match self {
            Self::Practice => fixed("Practice gateway, not the real one", "연습용 게이트웨이(실제 아님)"),
            Self::StateFor(health, length) => {
                let (health, length) = (health.say(language), long(*length));
                both(format!("{health} for {length}"), format!("{health} · {length}째"))
            }
            Self::Unseen(length) => both(
                format!("Not known: nobody has looked for {}", long(*length)),
                format!("알 수 없음: {} 동안 확인하지 못했습니다", long(*length)),
            ),
            Self::PausedUntil(Some(time)) => both(format!("Paused until {time}"), format!("{time}까지 일시 중지됨")),
            Self::PausedUntil(None) => fixed("Paused until you resume", "재개할 때까지 일시 중지됨"),
            Self::Holding => fixed("it answers again; watching that it holds", "다시 응답함, 안정되는지 확인 중"),
            Self::WaitsFor(what) => both(format!("waits for {what}"), format!("{what} 대기 중")),
            Self::Checked(age) => both(format!("checked {} ago", long(*age)), format!("{} 전 확인", long(*age))),
            Self::NotChecked => fixed("not checked yet", "아직 확인하지 않음"),
            Self::Memory(bytes) => size(*bytes),
            Self::Leak(left) => {
                let left = about(*left, language);
                both(format!("memory limit in {left}"), format!("{left} 뒤 메모리 한도"))
            }
            Self::NextAttempt(wait) if wait.is_zero() => fixed("next attempt now", "곧 다음 시도"),
            Self::NextAttempt(wait) => {
                both(format!("next attempt in {}", long(*wait)), format!("{} 뒤 다음 시도", long(*wait)))
            }
            Self::IncidentLasts(length, 0) => both(
                format!("Incident for {}, nothing tried yet", long(*length)),
                format!("장애 {}째, 시도 없음", long(*length)),
            ),
            Self::IncidentLasts(length, attempts) => {
                let plural = if *attempts == 1 { "" } else { "s" };
                both(
                    format!("Incident for {}, {attempts} attempt{plural}", long(*length)),
                    format!("장애 {}째, 시도 {attempts}회", long(*length)),
                )
            }
            Self::LastIncident(age, length, verdict) => {
                let (age, length, verdict) = (long(*age), long(*length), verdict.say(language));
                both(
                    format!("Last incident {age} ago, over in {length}: {verdict}"),
                    format!("최근 장애: {age} 전, {length} 만에 복구: {verdict}"),
                )
            }
            Self::NoIncident => fixed("No incident so far", "장애 기록 없음"),
            Self::Restart => fixed("Restart", "재시작"),
            Self::Start => fixed("Start gateway", "게이트웨이 시작"),
            Self::Restarting(length) => {
                both(format!("Restarting … ({})", long(*length)), format!("재시작하는 중 … ({})", long(*length)))
            }
            Self::ForceRestart => fixed("Force restart (drops running work)", "강제 재시작(진행 중인 작업 중단)"),
            Self::Stop => fixed("Stop gateway (stays stopped)", "게이트웨이 중지(다시 시작할 때까지)"),
            Self::Pause => fixed("Pause", "일시 중지"),
            Self::PauseFor(length) => both(format!("For {}", long(*length)), format!("{} 동안", long(*length))),
            Self::PauseUntilResumed => fixed("Until I resume", "재개할 때까지"),
            Self::Resume(Some(time)) => {
                both(format!("Resume (paused until {time})"), format!("감시 재개({time}까지 일시 중지)"))
            }
            Self::Resume(None) => fixed("Resume", "감시 재개"),
            Self::ResetCounter(crashes, limit, clears) => {
                let (english, korean) = clears.map_or_else(Default::default, |clears| {
                    (format!(", clears in {}", long(clears)), format!(", {} 뒤 초기화", long(clears)))
                });
                both(
                    format!("Reset crash counter ({crashes} of {limit}{english})"),
                    format!("충돌 횟수 초기화({limit}회 중 {crashes}회{korean})"),
                )
            }
            Self::CounterAtZero(limit) => {
                both(format!("Crash counter: 0 of {limit}"), format!("충돌 횟수: {limit}회 중 0회"))
            }
            Self::OpenLog => fixed("Open log", "로그 열기"),
            Self::OpenIncident => fixed("Open last incident", "최근 장애 기록 열기"),
            Self::OpenPage => fixed("Open status page", "상태 페이지 열기"),
            Self::RollBack(None) => fixed("Roll back config (not changed)", "설정 되돌리기(변경 없음)"),
            Self::RollBack(Some(age)) => both(
                format!("Roll back config (to what was good {} ago)", long(*age)),
                format!("설정 되돌리기({} 전 정상 설정으로)", long(*age)),
            ),
            Self::CopyDiagnostics => fixed("Copy diagnostics", "진단 정보 복사"),
            Self::Alerts => fixed("Alerts", "알림"),
            Self::TestAlerts => fixed("Send a test", "시험 알림 보내기"),
            Self::NoChannel => fixed("No channel is set up", "설정된 채널 없음"),
            Self::Delivered(channel, kind, age) => {
                let kind = alert_kind(kind, language);
                both(format!("{channel}: {kind}, {} ago", long(*age)), format!("{channel}: {kind}, {} 전", long(*age)))
            }
            Self::NothingDelivered(channel) => {
                both(format!("{channel}: nothing sent yet"), format!("{channel}: 아직 보낸 알림 없음"))
            }
            Self::RetryAlerts => fixed("Try what waits now", "대기 중인 알림 다시 보내기"),
            Self::ChannelProblem(channel, problem) => format!("{channel}: {problem}"),
            Self::Mute(length) => {
                both(format!("Mute for {}", long(*length)), format!("{} 동안 알림 끄기", long(*length)))
            }
            Self::Unmute(Some(time)) => {
                both(format!("Muted until {time}: unmute"), format!("{time}까지 알림 꺼짐: 다시 켜기"))
            }
            Self::Unmute(None) => fixed("Muted: unmute", "알림 꺼짐: 다시 켜기"),
            Self::QuietHours(time) => {
                let time = time.unwrap_or("?");
                both(
                    format!("Quiet until {time}; what cannot wait is told"),
                    format!("{time}까지 방해 금지(긴급 알림 제외)"),
                )
            }
            Self::Waiting(count) => both(format!("{count} waiting"), format!("{count}개 대기 중")),
            Self::Refused(channel, kind, age) => {
                let kind = alert_kind(kind, language);
                both(
                    format!("{channel}: {kind} was refused {} ago; `lifeguard alerts list` says why", long(*age)),
                    format!("{channel}: {kind} 거부됨({} 전). 이유는 `lifeguard alerts list`", long(*age)),
                )
            }
            Self::StartAtLogin => fixed("Start at login", "로그인할 때 시작"),
            Self::StartAtLoginToApprove => {
                fixed("Start at login (allow it in System Settings)", "로그인할 때 시작(시스템 설정에서 허용 필요)")
            }
            Self::StartAtLoginSwitchedOff => {
                fixed("Start at login (off in the system's settings)", "로그인할 때 시작(시스템 설정에서 꺼짐)")
            }
            Self::StartAtLoginElsewhere => {
                fixed("Start at login (starts another copy now)", "로그인할 때 시작(지금은 다른 사본이 시작됨)")
            }
            Self::Quit => fixed("Quit (the gateway keeps running)", "종료(게이트웨이는 계속 실행됨)"),
        }
    }
}
