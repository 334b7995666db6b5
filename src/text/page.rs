//! The words of the status page, and its sentences.

use super::words::duration;
use super::{Language, Phrase};
use crate::history::timeline::Happening;
use crate::supervisor::dependency::{Dependency, DependencyState};
use crate::supervisor::observation::Exit;
use std::time::Duration;

/// Words of the page by their key: English, Korean. `{}` stands for what the page puts in.
pub const WORDS: &[(&str, &str, &str)] = &[
    ("skip", "To the state", "상태로 이동"),
    ("gateways", "Gateways", "게이트웨이"),
    ("advice_healthy", "Nothing for you to do.", "하실 일은 없습니다."),
    (
        "advice_degraded",
        "A restart would not mend it; see what is named above.",
        "재시작으로는 해결되지 않습니다. 위 내용을 확인하세요.",
    ),
    (
        "advice_stale",
        "Nobody has looked for a while. Restart Lifeguard.",
        "한동안 확인하지 못했습니다. Lifeguard를 다시 시작하세요.",
    ),
    ("advice_stopped", "Start it from the menu when you want it back.", "다시 쓰려면 메뉴에서 시작하세요."),
    ("past", "Availability", "가용성"),
    ("span", "Span of time", "기간"),
    ("day", "24 h", "24시간"),
    ("week", "7 days", "7일"),
    ("month", "30 days", "30일"),
    ("latency", "Response time", "응답 시간"),
    ("memory", "Memory", "메모리"),
    ("incidents", "Incidents", "장애"),
    ("older", "Older incidents", "이전 장애 더 보기"),
    ("breaker", "Crash counter and breaker", "충돌 횟수와 차단기"),
    ("needs", "What it needs", "필요한 것"),
    ("channels", "Who is told", "알림 채널"),
    ("unit_d", "d", "일"),
    ("unit_h", "h", "시간"),
    ("unit_min", "min", "분"),
    ("unit_s", "s", "초"),
    ("unit_space", " ", ""),
    ("state_healthy", "Up and ready", "정상"),
    ("state_starting", "Starting", "시작 중"),
    ("state_degraded", "Up, but not whole", "일부 기능 이상"),
    ("state_down", "Down", "중단됨"),
    ("state_healing", "Healing", "복구 중"),
    ("state_safe_mode", "Safe mode", "안전 모드"),
    ("state_blocked", "Needs you", "직접 조치 필요"),
    ("state_paused", "Paused", "일시 중지됨"),
    ("state_stopped", "Stopped on purpose", "의도적으로 중지됨"),
    ("state_not_installed", "No gateway found", "게이트웨이 없음"),
    ("state_stale", "Not known", "알 수 없음"),
    ("headline_offline", "Not known", "알 수 없음"),
    ("last_known", "The last word was “{}”, {}.", "마지막 상태: {} ({})"),
    (
        "offline",
        "Not live: Lifeguard has not answered for {}. Is it running?",
        "실시간 아님: Lifeguard가 {} 동안 응답하지 않습니다. 실행 중인지 확인하세요.",
    ),
    (
        "never_heard",
        "Lifeguard does not answer. Is it running?",
        "Lifeguard가 응답하지 않습니다. 실행 중인지 확인하세요.",
    ),
    ("for", "for {}", "{}째"),
    ("ago", "{} ago", "{} 전"),
    ("trying", "trying: {}, for {}", "시도 중: {}, {}째"),
    ("next_attempt", "Lifeguard tries again in {}.", "Lifeguard가 {} 뒤에 다시 시도합니다."),
    ("next_now", "Lifeguard is about to try again.", "Lifeguard가 곧 다시 시도합니다."),
    ("next_trial", "next trial in {}", "{} 뒤 다음 시도"),
    ("paused_until", "Hands off until {}.", "{}까지 관여하지 않습니다."),
    ("paused", "Hands off until you resume.", "재개할 때까지 관여하지 않습니다."),
    (
        "advice_healing",
        "Lifeguard is bringing it back. Nothing for you to do.",
        "Lifeguard가 복구하고 있습니다. 하실 일은 없습니다.",
    ),
    ("advice_starting", "Nothing for you to do.", "하실 일은 없습니다."),
    (
        "advice_down",
        "Lifeguard is about to act. Nothing for you to do yet.",
        "Lifeguard가 곧 조치합니다. 아직 하실 일은 없습니다.",
    ),
    (
        "advice_safe_mode",
        "It failed too often. Look at the log; Lifeguard goes on trying.",
        "너무 자주 실패했습니다. 로그를 확인하세요. Lifeguard는 계속 시도합니다.",
    ),
    (
        "advice_blocked",
        "No restart mends this: it is yours to mend.",
        "재시작으로는 해결되지 않습니다. 직접 조치하세요.",
    ),
    (
        "advice_not_installed",
        "Install OpenClaw, or start its gateway.",
        "OpenClaw를 설치하거나 게이트웨이를 시작하세요.",
    ),
    ("practice", "practice gateway, not the real one", "연습용 게이트웨이(실제 아님)"),
    ("fact_checked", "Checked", "확인"),
    ("fact_uptime", "Up for", "가동"),
    ("fact_latency", "Answers in", "응답"),
    ("fact_memory", "Memory", "메모리"),
    ("fact_work", "Work in flight", "진행 중인 작업"),
    ("fact_version", "OpenClaw", "OpenClaw"),
    ("fact_address", "At", "주소"),
    ("fact_service", "Run by", "실행 주체"),
    ("down_for", "down for {} in all; incidents: {}", "총 {} 중단, 장애 {}건"),
    ("never_down", "never down while watched", "감시하는 동안 중단 없음"),
    ("no_data", "Nothing was measured in this span yet.", "이 기간에는 아직 측정값이 없습니다."),
    ("kind_good", "up", "정상"),
    ("kind_impaired", "not whole", "일부 이상"),
    ("kind_healing", "starting or healing", "시작·복구 중"),
    ("kind_bad", "down", "중단"),
    ("kind_calm", "paused or stopped", "일시 중지·중지"),
    ("kind_none", "not watched", "감시 안 함"),
    ("axis_now", "now", "지금"),
    ("slow_from", "slow from {}", "{}부터 느림"),
    ("latency_label", "Response time; the slowest answer took {}", "응답 시간. 가장 느린 응답 {}"),
    ("latency_note", "Slowest: {}. It counts as slow from {}.", "가장 느린 응답 {}. {}부터 느림으로 봅니다."),
    ("memory_label", "Memory; the most was {}", "메모리. 최대 {}"),
    (
        "memory_note",
        "Most: {}. Restarted at a quiet moment before {}.",
        "최대 {}. {}에 이르기 전 한가할 때 재시작합니다.",
    ),
    (
        "leak_note",
        "It leaks: {} more each hour; the limit is reached in {}.",
        "메모리 누수: 시간당 {} 증가, {} 뒤 한도 도달.",
    ),
    ("warning", "warning", "경고"),
    ("critical", "critical", "위험"),
    ("limit", "limit", "한도"),
    ("breaker_closed", "closed", "닫힘"),
    ("breaker_open", "open", "열림"),
    ("breaker_half_open", "trying", "시험 중"),
    ("breaker_note_closed", "Attempts follow one another as usual.", "평소대로 복구를 시도합니다."),
    ("breaker_note_open", "Trials go on at growing distances.", "간격을 늘려 가며 시도합니다."),
    ("breaker_note_half_open", "One trial is running.", "시험 시도가 진행 중입니다."),
    ("crashes", "{} of {} crashes", "충돌 {}회 (한도 {}회)"),
    ("clears", "the counter is zero in {}", "{} 뒤 횟수 초기화"),
    ("need_fine", "{}: nothing known to be missing", "{}: 문제없음"),
    ("channel", "Channel", "채널"),
    ("last_delivery", "Last delivered", "마지막 전달"),
    ("waiting", "Waiting", "대기"),
    ("delivered", "{}, {} ago", "{}, {} 전"),
    ("nothing_delivered", "nothing yet", "아직 없음"),
    ("no_channels", "Nobody is told: no alert channel is set up.", "알림 채널이 설정되지 않았습니다."),
    ("no_incidents", "No incident so far.", "장애 기록이 없습니다."),
    ("lasting", "lasts", "진행 중"),
    ("no_answer", "Lifeguard did not answer.", "Lifeguard가 응답하지 않았습니다."),
    ("no_timeline", "What happened in it was not written down yet at that time.", "당시의 경과 기록이 없습니다."),
    ("deliveries", "Told", "알림 전달"),
    ("evidence", "Evidence", "증거"),
    ("log_tail", "The end of the gateway's log", "게이트웨이 로그 끝부분"),
    ("about", "Lifeguard {} · picture of {} · this page only looks", "Lifeguard {} · {} 기준 · 보기 전용"),
];

/// The words of a language, by their key.
pub fn words(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    WORDS.iter().map(move |(key, english, korean)| (*key, language.pick(*english, *korean)))
}

/// A dependency by a name that fits into a box.
#[must_use]
pub fn need_name(dependency: &Dependency, language: Language) -> String {
    match dependency {
        Dependency::Disk => language.pick("Disk", "디스크").to_owned(),
        Dependency::Configuration => language.pick("Configuration", "설정").to_owned(),
        Dependency::ServiceManager => language.pick("Service manager", "서비스 관리자").to_owned(),
        Dependency::Network { host } => host.clone(),
        Dependency::Program { name } => name.clone(),
        Dependency::Docker => "Docker".to_owned(),
    }
}

/// What is the matter with a dependency, in one sentence; nothing if all is well.
#[must_use]
pub fn need(state: &DependencyState, language: Language) -> String {
    if state.trouble.is_none() {
        return state.dependency.say(language);
    }
    capitalised(&super::dependency::list(std::slice::from_ref(state), language))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl Phrase for Happening {
    fn say(&self, language: Language) -> String {
        let both = |english: String, korean: String| language.pick(english, korean);
        match self {
            Self::Observed { verdict } => {
                let verdict = verdict.say(language);
                both(format!("First failed look: {verdict}"), format!("첫 이상 감지: {verdict}"))
            }
            Self::Changed { verdict, health } => format!("{}: {}", health.say(language), verdict.say(language)),
            Self::ProcessEnded { pid, exit } => {
                let how = ended(*exit, language);
                both(format!("Process {pid} ended{how}"), format!("프로세스 {pid} 종료{how}"))
            }
            Self::HealBegan { rung, attempt, asked, .. } => {
                let rung = rung.say(language);
                match asked {
                    true => both(format!("Begun, as a person asked: {rung}"), format!("사용자 요청으로 시작: {rung}")),
                    false => both(format!("Attempt {attempt} begins: {rung}"), format!("시도 {attempt} 시작: {rung}")),
                }
            }
            Self::HealEnded { rung, outcome, .. } => {
                format!("{}: {}", capitalised(&rung.say(language)), outcome.say(language))
            }
            Self::Told { alert } => {
                let alert = super::words::alert_kind(alert, language);
                both(format!("Alert: {alert}"), format!("알림: {alert}"))
            }
            Self::Over { downtime } => {
                let length = duration(Duration::from_millis(*downtime), language);
                both(
                    format!("Over: health has held. It was down for {length}."),
                    format!("종료: 정상 상태 유지 확인. 중단 시간 {length}."),
                )
            }
        }
    }
}

/// How a process ended, to follow "ended"; nothing where the system does not tell.
fn ended(exit: Exit, language: Language) -> String {
    match (exit.signal, exit.code) {
        (Some(signal), _) => language.pick(format!(" by signal {signal}"), format!("(시그널 {signal})")),
        (None, Some(code)) => language.pick(format!(" with exit code {code}"), format!("(종료 코드 {code})")),
        (None, None) => String::new(),
    }
}

/// What became of one alert on one channel.
#[must_use]
pub fn delivery(channel: &str, kind: &str, status: &str, problem: Option<&str>, language: Language) -> String {
    let kind = super::words::alert_kind(kind, language);
    let status = match status {
        "delivered" => language.pick("delivered", "전달됨"),
        "folded" => language.pick("told by another message", "다른 알림에 포함됨"),
        "expired" => language.pick("given up after a day", "하루가 지나 포기함"),
        "refused" => language.pick("refused", "거부됨"),
        _ => language.pick("waits", "대기 중"),
    };
    let problem =
        problem.filter(|problem| !problem.is_empty()).map_or_else(String::new, |problem| format!(" ({problem})"));
    format!("{channel}: {kind}, {status}{problem}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::dependency::Trouble;
    use crate::supervisor::verdict::Health;

    #[test]
    fn every_key_is_there_once_and_both_languages_take_the_same_parts() {
        let mut keys: Vec<_> = WORDS.iter().map(|(key, ..)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), WORDS.len());
        for (key, english, korean) in WORDS {
            assert_eq!(english.matches("{}").count(), korean.matches("{}").count(), "{key}");
            assert!(!english.is_empty() && (!korean.is_empty() || *key == "unit_space"), "{key}");
        }
    }

    #[test]
    fn every_state_has_its_word() {
        for health in Health::ALL {
            let key = format!("state_{}", health.name());
            assert!(WORDS.iter().any(|(known, ..)| *known == key), "{key}");
        }
    }

    #[test]
    fn every_word_that_the_page_asks_for_is_known() {
        let page = concat!(include_str!("../web/page/page.js"), include_str!("../web/page/index.html"));
        let known = |key: &str| WORDS.iter().any(|(word, ..)| *word == key);
        let asked = page
            .split("words.")
            .skip(1)
            .map(|rest| rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().unwrap());
        let said = page.split("say(\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let marks = include_str!("../web/page/index.html").split('@').skip(1).step_by(2);
        let mut found = 0;
        for key in asked.chain(said).chain(marks).filter(|key| !["language", "languages", "words"].contains(key)) {
            found += 1;
            assert!(known(key), "{key}");
        }
        assert!(found > 50, "{found}");
    }

    #[test]
    fn what_is_missing_is_a_sentence() {
        let state = DependencyState { dependency: Dependency::Docker, trouble: Some(Trouble::NotRunning) };
        assert_eq!(need(&state, Language::English), "Docker does not run: start it");
        assert_eq!(need_name(&state.dependency, Language::English), "Docker");
    }
}
