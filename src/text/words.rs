//! What several places share: durations, sizes, and what verdicts, rungs and outcomes are called.

use std::time::Duration;

use super::dependency::list;
use super::{Language, Phrase};
use crate::supervisor::activity::{ModelRefusal, RefusalCause};
use crate::supervisor::configuration::Alteration;
use crate::supervisor::ladder::{Outcome, Rung};
use crate::supervisor::verdict::{Health, Verdict};

/// A duration in at most two units: `42 s`, `3 min 12 s`, `3 d 4 h`.
#[must_use]
pub fn duration(duration: Duration, language: Language) -> String {
    let seconds = duration.as_secs();
    let units = [
        (86_400, language.pick("d", "일")),
        (3_600, language.pick("h", "시간")),
        (60, language.pick("min", "분")),
        (1, language.pick("s", "초")),
    ];
    let space = language.pick(" ", "");
    let largest = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(3);
    let (size, name) = units[largest];
    let mut text = format!("{}{space}{name}", seconds / size);
    if let Some((next_size, next_name)) = units.get(largest + 1) {
        let rest = seconds % size / next_size;
        if rest > 0 {
            text = format!("{text} {rest}{space}{next_name}");
        }
    }
    text
}

/// A duration that is only estimated, in one unit: `3 h`, `40 min`.
#[must_use]
pub fn about(length: Duration, language: Language) -> String {
    let hour = Duration::from_hours(1);
    let unit = if length >= hour * 48 {
        hour * 24
    } else if length >= hour {
        hour
    } else {
        Duration::from_mins(1)
    };
    let seconds = unit.as_secs();
    let rounded = (length.as_secs() + seconds / 2) / seconds * seconds;
    format!("{} {}", language.pick("about", "약"), duration(Duration::from_secs(rounded.max(60)), language))
}

/// A size in binary megabytes or gigabytes: `612 MB`, `2.4 GB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one decimal of a size in gigabytes")]
pub fn size(bytes: u64) -> String {
    let megabytes = bytes / (1024 * 1024);
    if megabytes < 1024 { format!("{megabytes} MB") } else { format!("{:.1} GB", megabytes as f64 / 1024.0) }
}

/// What became of a configuration, as part of a sentence.
#[must_use]
pub fn alteration(alteration: &Alteration, language: Language) -> String {
    let text = match alteration {
        Alteration::Missing => language.pick("the file is gone", "파일이 없습니다"),
        Alteration::Broken { line: 0, .. } => language.pick("it is no JSON any more", "더 이상 JSON이 아닙니다"),
        Alteration::Broken { line, column } => {
            return match language {
                Language::English => format!("it is no JSON any more (line {line}, column {column})"),
                Language::Korean => format!("더 이상 JSON이 아닙니다({line}행 {column}열)"),
            };
        }
        Alteration::Settings(settings) if settings.is_empty() => {
            language.pick("only its layout or comments differ", "배치나 주석만 다릅니다")
        }
        Alteration::Settings(settings) => return settings.join("; "),
    };
    text.to_owned()
}

impl Phrase for Health {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Healthy => ("Up and ready", "정상"),
            Self::Starting => ("Starting", "시작 중"),
            Self::Degraded => ("Up, but not whole", "일부 기능 이상"),
            Self::Down => ("Down", "중단됨"),
            Self::Healing => ("Healing", "복구 중"),
            Self::SafeMode => ("Safe mode", "안전 모드"),
            Self::Blocked => ("Needs you", "직접 조치 필요"),
            Self::Paused => ("Paused", "일시 중지됨"),
            Self::Stopped => ("Stopped on purpose", "의도적으로 중지됨"),
            Self::NotInstalled => ("No gateway found", "게이트웨이 없음"),
            Self::Stale => ("Not known: nobody has looked for a while", "알 수 없음: 한동안 확인하지 못했습니다"),
        };
        language.pick(english, korean).to_owned()
    }
}

impl Phrase for Verdict {
    #[expect(clippy::too_many_lines, reason = "a sentence for each verdict, and no logic")]
    fn say(&self, language: Language) -> String {
        let text = match self {
            Self::Unknown(reason) if reason.is_empty() => language.pick("not looked at yet", "아직 확인하지 않음"),
            Self::Unknown(reason) => return format!("{} ({reason})", language.pick("not clear", "판단할 수 없음")),
            Self::Healthy => language.pick("live and ready", "응답하며 준비됨"),
            Self::Starting(reason) if reason.is_empty() => language.pick("starting", "시작하는 중"),
            Self::Starting(reason) => return format!("{} ({reason})", language.pick("starting", "시작하는 중")),
            Self::Draining => language.pick("finishing its work before it stops", "작업을 마무리하고 종료하는 중"),
            Self::NotReady(failing) => {
                return format!(
                    "{}: {}",
                    language.pick("alive, but not ready", "실행 중이나 준비되지 않음"),
                    failing.join(", ")
                );
            }
            Self::ChannelsSuppressed(channels) => {
                return format!(
                    "{}: {}",
                    language.pick(
                        "up, but it holds channels back after its own crashes",
                        "실행 중이나 반복 충돌로 채널이 보류됨"
                    ),
                    channels.join(", ")
                );
            }
            Self::Orphan => language.pick(
                "up and ready, but started by somebody else: its service tries in vain to start its own",
                "정상이지만 서비스가 아닌 다른 곳에서 시작되어, 서비스가 계속 시작에 실패함",
            ),
            Self::Slow => language.pick("up and ready, but slow to answer", "정상이지만 응답이 느림"),
            Self::ModelRefused(ModelRefusal { provider, cause: RefusalCause::Credentials }) => {
                return match language {
                    Language::English => format!("up, but {provider} refuses its credentials, so it answers nobody"),
                    Language::Korean => format!("실행 중이나 {provider}의 인증이 거부되어 응답하지 못함"),
                };
            }
            Self::ModelRefused(ModelRefusal { provider, cause: RefusalCause::Credit }) => {
                return match language {
                    Language::English => format!("up, but {provider} has no credit left, so it answers nobody"),
                    Language::Korean => format!("실행 중이나 {provider}의 잔액이 없어 응답하지 못함"),
                };
            }
            Self::LoggedOut(channels) => {
                return format!(
                    "{}: {}",
                    language.pick(
                        "up, but the other side refuses its credentials: log in again",
                        "실행 중이나 인증이 거부됨. 다시 로그인 필요"
                    ),
                    channels.join(", ")
                );
            }
            Self::ChannelsSilent(channels) => {
                return format!(
                    "{}: {}",
                    language.pick(
                        "up, but channels that look connected carry nothing",
                        "실행 중이나 연결된 채널에 아무 활동이 없음"
                    ),
                    channels.join(", ")
                );
            }
            Self::ChannelsDown(channels) => {
                return format!(
                    "{}: {}",
                    language
                        .pick("up and ready, but channels are not connected", "정상이지만 연결되지 않은 채널이 있음"),
                    channels.join(", ")
                );
            }
            Self::Overdue => language.pick(
                "up and ready, but scheduled work that is long due has not begun",
                "정상이지만 예정된 작업이 시작되지 않음",
            ),
            Self::CrashLoop => {
                language.pick("it keeps ending soon after each start", "시작할 때마다 곧 종료되는 일이 반복됨")
            }
            Self::StaleGateway { pid } => {
                return match language {
                    Language::English => format!("a leftover gateway (pid {pid}) holds its port and does not answer"),
                    Language::Korean => format!("응답 없는 이전 게이트웨이(pid {pid})가 포트를 잡고 있음"),
                };
            }
            Self::NotSpawned(reason) => {
                return format!(
                    "{}: {reason}",
                    language.pick("its service manager does not start it", "서비스 관리자가 시작하지 않음")
                );
            }
            Self::Parked => language
                .pick("OpenClaw has parked its own service for maintenance", "OpenClaw가 점검을 위해 서비스를 멈춰 둠"),
            Self::Updating => language.pick("OpenClaw is being updated", "OpenClaw를 업데이트하는 중"),
            Self::Gone => language.pick("its process is gone", "프로세스가 사라짐"),
            Self::Zombie => {
                language.pick("its process runs, but nothing listens", "프로세스는 있으나 포트가 닫혀 있음")
            }
            Self::Hung => {
                language.pick("it hangs: it accepts connections and answers nothing", "멈춤: 연결은 되지만 응답이 없음")
            }
            Self::Failing(reason) => {
                return format!("{}: {reason}", language.pick("it answers with errors", "오류로 응답함"));
            }
            Self::PortTaken { pid, name } => {
                let pid = pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
                return match language {
                    Language::English => format!("another program ({name}{pid}) holds its port"),
                    Language::Korean => format!("다른 프로그램({name}{pid})이 포트를 사용 중"),
                };
            }
            Self::Refuses => language.pick(
                "it refuses to start (exit code 78): its configuration or state must be mended",
                "시작을 거부함(종료 코드 78): 설정이나 상태를 고쳐야 함",
            ),
            Self::ServiceNotLoaded => {
                language.pick("its service is installed, but not loaded", "서비스가 설치되었으나 로드되지 않음")
            }
            Self::ServiceDisabled => language.pick("its service is switched off", "서비스가 비활성화됨"),
            Self::Stopped => language.pick("stopped on purpose", "의도적으로 중지됨"),
            Self::NotInstalled => language.pick("no gateway is installed here", "설치된 게이트웨이가 없음"),
        };
        text.to_owned()
    }
}

impl Phrase for Rung {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Start => ("start", "시작"),
            Self::Graceful => ("graceful restart", "정상 재시작"),
            Self::Restart => ("restart", "재시작"),
            Self::StartChannels => ("starting the channels", "채널 시작"),
            Self::FreePort => ("ending a leftover gateway and starting", "이전 게이트웨이 종료 후 시작"),
            Self::RollBack => ("putting the last good configuration back", "마지막 정상 설정 복원"),
            Self::Doctor => ("`openclaw doctor --fix`", "`openclaw doctor --fix`"),
            Self::Hook => ("your own command", "사용자 지정 명령"),
            Self::Stop => ("stop", "중지"),
        };
        language.pick(english, korean).to_owned()
    }
}

impl Phrase for Outcome {
    fn say(&self, language: Language) -> String {
        let text = match self {
            Self::Restarted => {
                language.pick("A new generation answers ready.", "새로 시작된 게이트웨이가 준비되었습니다.")
            }
            Self::CameBack => language
                .pick("It came back by itself; nothing was restarted.", "스스로 복구되어 재시작하지 않았습니다."),
            Self::DiedAgain => language
                .pick("The new process ended before it was ready.", "새 프로세스가 준비되기 전에 종료되었습니다."),
            Self::NotReadyInTime => {
                language.pick("No new generation was ready in time.", "제한 시간 안에 준비되지 않았습니다.")
            }
            Self::ServiceFailed(reason) => {
                return format!(
                    "{} {reason}",
                    language.pick("The service could not do it:", "서비스가 수행하지 못했습니다:")
                );
            }
            Self::Obstructed(missing) => {
                return format!(
                    "{} {}",
                    language.pick(
                        "Nothing was touched, for something is missing:",
                        "필요한 것이 없어 아무것도 하지 않았습니다:"
                    ),
                    list(missing, language)
                );
            }
            Self::Unprepared(reason) => {
                return format!(
                    "{} {reason}",
                    language.pick("What comes before the start did not work:", "시작 전 단계가 실패했습니다:")
                );
            }
            Self::ConfigRestored => language.pick(
                "The last good configuration is back; nothing had to be restarted.",
                "마지막 정상 설정을 복원했으며, 재시작할 필요가 없었습니다.",
            ),
            Self::ChannelsStarted => language
                .pick("The channels run again; nothing was restarted.", "채널이 다시 동작하며, 재시작하지 않았습니다."),
            Self::Stopped => language.pick(
                "It is stopped, and stays so until you start it.",
                "중지되었습니다. 직접 시작할 때까지 중지 상태로 유지됩니다.",
            ),
            Self::Cancelled => language.pick("It was given up, as asked.", "요청에 따라 취소되었습니다."),
        };
        text.to_owned()
    }
}

/// What an alert of this kind said, for the kinds of [`AlertKind::name`](crate::supervisor::event::AlertKind::name).
#[must_use]
pub fn alert_kind(name: &str, language: Language) -> String {
    let (english, korean) = match name {
        "down" => ("down", "중단"),
        "degraded" => ("not whole", "일부 이상"),
        "safe_mode" => ("safe mode", "안전 모드"),
        "blocked" => ("needs you", "직접 조치 필요"),
        "config_suspect" => ("configuration changed", "설정 변경됨"),
        "recovered" => ("recovered", "복구됨"),
        "restart_finished" => ("restart finished", "재시작 완료"),
        "memory" => ("memory", "메모리"),
        "renewed" => ("restarted for memory", "메모리 확보 재시작"),
        "progress" => ("attempt", "시도"),
        "digest" => ("digest", "모아 보기"),
        "test" => ("test", "시험"),
        other => (other, other),
    };
    language.pick(english, korean).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_at_most_two_units() {
        let say = |seconds| duration(Duration::from_secs(seconds), Language::English);
        assert_eq!(say(0), "0 s");
        assert_eq!(say(42), "42 s");
        assert_eq!(say(192), "3 min 12 s");
        assert_eq!(say(3_600), "1 h");
        assert_eq!(say(3 * 86_400 + 4 * 3_600 + 59), "3 d 4 h");
        assert_eq!(duration(Duration::from_secs(192), Language::Korean), "3분 12초");
    }

    #[test]
    fn a_size_changes_its_unit_at_a_gigabyte() {
        assert_eq!(size(612 * 1024 * 1024), "612 MB");
        assert_eq!(size(2_516_582_400), "2.3 GB");
    }
}
