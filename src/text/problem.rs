//! What may be wrong with a channel of alerts, and what to do about it.

use std::time::Duration;

use super::place::PlaceProblem;
use super::{Language, Phrase, words};

/// Why an alert was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Something between us and a service on the network.
    Remote {
        /// The service's name in sentences, `Discord`.
        service: &'static str,
        /// What.
        problem: RemoteProblem,
    },
    /// The secret of the channel is not there.
    NoSecret(PlaceProblem),
    /// There is no session bus.
    NoSessionBus,
    /// Nobody on the session bus shows notifications.
    NoNotificationDaemon,
    /// The notification daemon refused.
    DaemonRefused(String),
    /// Not started from an .app bundle.
    NotInBundle,
    /// The person, or a profile, said no to notifications.
    NotPermitted,
    /// This channel is not configured.
    NoSuchChannel,
    /// The receiving side did not confirm within this time.
    NotConfirmed(Duration),
    /// Lifeguard's own alert tasks have ended.
    Ended,
}

/// What may be wrong between us and a service on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteProblem {
    /// The address that we are to send to does not exist (any more).
    Unknown(u16),
    /// The service is there, but not the place that we are to write to; the service's own words, redacted.
    NoPlace(String),
    /// Our token is not accepted.
    Forbidden(u16),
    /// The service refused this very message.
    MessageRefused {
        /// HTTP status.
        status: u16,
        /// The service's own words, redacted.
        detail: String,
    },
    /// Too many messages; the service said when to come back.
    RateLimited(Duration),
    /// The service answered with an error of its own.
    ServerError(u16),
    /// The service sent us elsewhere.
    Redirected(u16),
    /// The answer is not the service's.
    NotUnderstood,
    /// No whole answer in time: the message may have arrived.
    TimedOut,
    /// The connection broke before the answer: the message may have arrived.
    Cut,
    /// No connection.
    Unreachable,
    /// The connection is not secure.
    Untrusted,
    /// The HTTP client could not be built.
    NoHttpClient,
}

impl Phrase for Problem {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Remote { service, problem } => return problem.say(service, language),
            Self::NoSecret(reason) => return reason.say(language),
            Self::NoSessionBus => (
                "No desktop session bus here: notifications need a desktop session.",
                "데스크톱 세션 버스가 없습니다. 알림을 보려면 데스크톱 세션이 필요합니다.",
            ),
            Self::NoNotificationDaemon => (
                "Nothing on this desktop shows notifications: start a notification daemon such as xfce4-notifyd or dunst.",
                "알림을 표시하는 프로그램이 없습니다. xfce4-notifyd나 dunst 같은 알림 데몬을 실행하세요.",
            ),
            Self::DaemonRefused(reason) => {
                return match language {
                    Language::English => format!("The notification daemon refused: {reason}"),
                    Language::Korean => format!("알림 데몬이 거부했습니다: {reason}"),
                };
            }
            Self::NotInBundle => (
                "macOS shows notifications only for an app bundle: start Lifeguard from Lifeguard.app.",
                "macOS는 앱 번들의 알림만 표시합니다. Lifeguard.app으로 실행하세요.",
            ),
            Self::NotPermitted => (
                "Notifications are not allowed: System Settings > Notifications > Lifeguard.",
                "알림이 허용되지 않았습니다: 시스템 설정 > 알림 > Lifeguard.",
            ),
            Self::NoSuchChannel => ("This channel is not configured.", "설정되지 않은 채널입니다."),
            Self::NotConfirmed(limit) => {
                let limit = words::duration(*limit, language);
                return match language {
                    Language::English => format!("No confirmation within {limit}."),
                    Language::Korean => format!("{limit} 안에 확인을 받지 못했습니다."),
                };
            }
            Self::Ended => ("Lifeguard is about to quit.", "Lifeguard가 종료되는 중입니다."),
        };
        language.pick(english, korean).to_owned()
    }
}

impl RemoteProblem {
    /// The sentence about `service`.
    #[must_use]
    pub fn say(&self, service: &str, language: Language) -> String {
        match language {
            Language::English => self.say_english(service),
            Language::Korean => self.say_korean(service),
        }
    }

    fn say_english(&self, service: &str) -> String {
        match self {
            Self::Unknown(status) => format!(
                "{service} does not know the configured address ({status}): create a new one and put it into the configuration."
            ),
            Self::NoPlace(detail) => {
                format!("{service} cannot deliver to the configured place ({detail}): check it, or choose another one.")
            }
            Self::Forbidden(status) => format!(
                "{service} does not accept us ({status}): check that the configured address or token is whole, or create a new one."
            ),
            Self::MessageRefused { status, detail } => format!("{service} refused a message ({status}): {detail}"),
            Self::RateLimited(wait) => {
                let wait = words::duration(*wait, Language::English);
                format!("{service} asks to wait {wait}; the message will follow by itself.")
            }
            Self::ServerError(status) => format!("{service} has trouble of its own ({status}); tried again by itself."),
            Self::Redirected(status) => format!(
                "{service} leads elsewhere ({status}), which Lifeguard does not follow: enter the final address."
            ),
            Self::NotUnderstood => {
                format!("The answer did not come from {service}: is there a proxy or a log-in page in between?")
            }
            Self::TimedOut => format!("{service} did not answer in time; tried again by itself."),
            Self::Cut => {
                format!(
                    "The connection broke before {service} answered; tried again by itself, marked as a possible repeat."
                )
            }
            Self::Unreachable => format!("{service} cannot be reached: is the network up? Tried again by itself."),
            Self::Untrusted => {
                format!("The secure connection to {service} failed: check the clock and any proxy in between.")
            }
            Self::NoHttpClient => "The HTTP client could not be set up: the log has the cause.".to_owned(),
        }
    }

    /// The service's name stands apart: the particles that would follow it depend on its last sound.
    fn say_korean(&self, service: &str) -> String {
        let sentence = match self {
            Self::Unknown(status) => {
                format!("설정된 주소가 존재하지 않습니다({status}). 새로 만들어 설정에 입력하세요.")
            }
            Self::NoPlace(detail) => {
                format!("설정된 곳으로 전달할 수 없습니다({detail}). 설정을 확인하거나 다른 곳을 선택하세요.")
            }
            Self::Forbidden(status) => {
                format!("접근이 거부되었습니다({status}). 설정된 주소나 토큰이 온전한지 확인하거나 새로 만드세요.")
            }
            Self::MessageRefused { status, detail } => format!("메시지가 거부되었습니다({status}): {detail}"),
            Self::RateLimited(wait) => {
                let wait = words::duration(*wait, Language::Korean);
                format!("전송 제한으로 {wait} 기다립니다. 이후 자동으로 전송됩니다.")
            }
            Self::ServerError(status) => format!("서버 오류({status}). 자동으로 다시 시도합니다."),
            Self::Redirected(status) => {
                format!("다른 주소로 연결됩니다({status}). 따라가지 않으니 최종 주소를 입력하세요.")
            }
            Self::NotUnderstood => {
                "이 서비스의 응답이 아닙니다. 중간에 프록시나 로그인 페이지가 있는지 확인하세요.".to_owned()
            }
            Self::TimedOut => "제때 응답하지 않았습니다. 자동으로 다시 시도합니다.".to_owned(),
            Self::Cut => "응답 전에 연결이 끊어졌습니다. 중복일 수 있다고 표시하여 자동으로 다시 보냅니다.".to_owned(),
            Self::Unreachable => "연결할 수 없습니다. 네트워크를 확인하세요. 자동으로 다시 시도합니다.".to_owned(),
            Self::Untrusted => "보안 연결에 실패했습니다. 시계와 프록시를 확인하세요.".to_owned(),
            Self::NoHttpClient => "HTTP 클라이언트를 준비하지 못했습니다. 로그에서 원인을 확인하세요.".to_owned(),
        };
        format!("{service}: {sentence}")
    }
}
