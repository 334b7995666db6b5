//! What `lifeguard status` says.

use std::time::Duration;

use super::words::duration;
use super::{Language, Phrase};

/// A row of `lifeguard status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Address.
    Address,
    /// Who runs it.
    Service,
    /// Process id.
    Pid,
    /// OpenClaw's version.
    Version,
    /// Uptime.
    Uptime,
    /// Memory of the process tree.
    Memory,
    /// The last look.
    Checked,
    /// The crash counter.
    Crashes,
    /// The breaker.
    Breaker,
    /// The incident that lasts.
    Incident,
    /// The newest incident that is over.
    LastIncident,
    /// The attempt that is running.
    Attempt,
    /// The next attempt.
    NextAttempt,
    /// The pause.
    Pause,
    /// The alert channels.
    Channels,
    /// Something that the person should know.
    Notice,
}

impl Phrase for Row {
    fn say(&self, language: Language) -> String {
        match self {
            Self::Address => language.pick("address", "주소"),
            Self::Service => language.pick("service", "서비스"),
            Self::Pid => language.pick("pid", "프로세스"),
            Self::Version => language.pick("version", "버전"),
            Self::Uptime => language.pick("uptime", "가동 시간"),
            Self::Memory => language.pick("memory", "메모리"),
            Self::Checked => language.pick("last checked", "마지막 확인"),
            Self::Crashes => language.pick("crashes", "충돌 횟수"),
            Self::Breaker => language.pick("breaker", "차단기"),
            Self::Incident => language.pick("incident", "장애"),
            Self::LastIncident => language.pick("last incident", "지난 장애"),
            Self::Attempt => language.pick("attempt", "시도"),
            Self::NextAttempt => language.pick("next attempt", "다음 시도"),
            Self::Pause => language.pick("pause", "일시 중지"),
            Self::Channels => language.pick("channels", "알림 채널"),
            Self::Notice => language.pick("notice", "참고"),
        }
        .to_owned()
    }
}

/// Parts of `lifeguard status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusPhrase {
    /// No Lifeguard runs: what follows is one look just now.
    NotRunning,
    /// There is nothing to show.
    NoGateway,
    /// The picture is old: its age.
    Stale(Duration),
    /// So long ago.
    Ago(Duration),
    /// In so long.
    In(Duration),
    /// Due now.
    Now,
    /// A state that has lasted so long.
    For(Duration),
    /// An attempt that is running.
    Underway {
        /// How hard.
        rung: String,
        /// How long it has been running.
        length: Duration,
    },
    /// The practice gateway.
    Practice,
    /// The service, by its name in the configuration.
    Service(String),
    /// How fast it answered, in tenths of a millisecond.
    Latency(u64),
    /// Not looked at yet.
    NotChecked,
    /// The crash counter.
    Crashes {
        /// Now.
        count: u32,
        /// Where the breaker opens.
        limit: u32,
        /// Until it resets.
        clears: Option<Duration>,
    },
    /// The breaker is closed.
    BreakerClosed,
    /// The breaker is open.
    BreakerOpen,
    /// A trial is running.
    BreakerHalfOpen,
    /// An incident that is over.
    IncidentOver {
        /// What was the matter.
        verdict: String,
        /// How long ago it began.
        began: Duration,
        /// How long it lasted.
        lasted: Duration,
        /// Attempts made.
        attempts: u32,
    },
    /// An incident that lasts.
    IncidentLasts {
        /// What was the matter at first.
        verdict: String,
        /// How long it has lasted.
        lasts: Duration,
        /// Attempts made.
        attempts: u32,
    },
    /// Paused until a time of day.
    PausedUntil(String),
    /// Paused until resumed.
    PausedUntilResumed,
    /// The newest delivery of a channel.
    LastDelivery {
        /// The alert's kind, by name.
        kind: String,
        /// How long ago.
        ago: Duration,
    },
    /// There is no channel.
    NoChannels,
}

impl Phrase for StatusPhrase {
    fn say(&self, language: Language) -> String {
        let time = |length: &Duration| duration(*length, language);
        let english = language == Language::English;
        match self {
            Self::NotRunning => language
                .pick(
                    "Lifeguard is not running; this is what one look just now saw. Start it with `lifeguard`.",
                    "Lifeguard가 실행 중이 아닙니다. 아래는 방금 한 번 확인한 결과입니다. `lifeguard`로 시작하세요.",
                )
                .to_owned(),
            Self::NoGateway => {
                language.pick("There is no gateway to show.", "표시할 게이트웨이가 없습니다.").to_owned()
            }
            Self::Stale(age) if english => {
                format!("Lifeguard has not looked for {}: what follows is old and may no longer be true.", time(age))
            }
            Self::Stale(age) => {
                format!("Lifeguard가 {} 동안 확인하지 못했습니다. 아래 내용은 오래되어 다를 수 있습니다.", time(age))
            }
            Self::Ago(length) if english => format!("{} ago", time(length)),
            Self::Ago(length) => format!("{} 전", time(length)),
            Self::In(length) if english => format!("in {}", time(length)),
            Self::In(length) => format!("{} 후", time(length)),
            Self::Now => language.pick("now", "지금").to_owned(),
            Self::For(length) if english => format!("for {}", time(length)),
            Self::For(length) => format!("{}째", time(length)),
            Self::Underway { rung, length } if english => format!("{rung}, running for {}", time(length)),
            Self::Underway { rung, length } => format!("{rung}, {}째 진행 중", time(length)),
            Self::Practice => language.pick("practice gateway", "연습용 게이트웨이").to_owned(),
            Self::Service(name) => match name.as_str() {
                "child" => language.pick("child (Lifeguard runs it)", "child (Lifeguard가 직접 실행)").to_owned(),
                "attached" => language.pick("attached (started by hand)", "attached (직접 시작됨)").to_owned(),
                other => other.to_owned(),
            },
            Self::Latency(tenths) if english => format!("answered in {}.{} ms", tenths / 10, tenths % 10),
            Self::Latency(tenths) => format!("응답 시간 {}.{} ms", tenths / 10, tenths % 10),
            Self::NotChecked => language.pick("not yet", "아직 없음").to_owned(),
            Self::Crashes { count, limit, clears } => {
                let clears = clears.as_ref().map_or_else(String::new, |clears| {
                    if english {
                        format!(", clears in {}", time(clears))
                    } else {
                        format!(", {} 후 초기화", time(clears))
                    }
                });
                if english {
                    format!("{count} of {limit}{clears}")
                } else {
                    format!("{limit}회 중 {count}회{clears}")
                }
            }
            Self::BreakerClosed => language.pick("closed", "닫힘").to_owned(),
            Self::BreakerOpen => {
                language.pick("open: safe mode, trials go on", "열림: 안전 모드, 시도는 계속됨").to_owned()
            }
            Self::BreakerHalfOpen => language.pick("half open: a trial is running", "반열림: 시험 복구 중").to_owned(),
            Self::IncidentOver { verdict, began, lasted, attempts } if english => {
                format!("{} ago: {verdict}; lasted {}, {}", time(began), time(lasted), attempts_made(*attempts))
            }
            Self::IncidentOver { verdict, began, lasted, attempts } => {
                format!("{} 전: {verdict}, {} 지속, 시도 {attempts}회", time(began), time(lasted))
            }
            Self::IncidentLasts { verdict, lasts, attempts } if english => {
                format!("{verdict}; for {} now, {}", time(lasts), attempts_made(*attempts))
            }
            Self::IncidentLasts { verdict, lasts, attempts } => {
                format!("{verdict}, {}째, 시도 {attempts}회", time(lasts))
            }
            Self::PausedUntil(clock) if english => format!("until {clock}"),
            Self::PausedUntil(clock) => format!("{clock}까지"),
            Self::PausedUntilResumed => {
                language.pick("until resumed (`lifeguard resume`)", "재개할 때까지 (`lifeguard resume`)").to_owned()
            }
            Self::LastDelivery { kind, ago } if english => format!("last: {kind}, {} ago", time(ago)),
            Self::LastDelivery { kind, ago } => format!("마지막: {kind}, {} 전", time(ago)),
            Self::NoChannels => language.pick("none", "없음").to_owned(),
        }
    }
}

fn attempts_made(attempts: u32) -> String {
    match attempts {
        0 => "no attempt needed".to_owned(),
        1 => "1 attempt".to_owned(),
        more => format!("{more} attempts"),
    }
}
