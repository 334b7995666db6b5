//! What the command line says, but for its help and for `lifeguard status`.

use std::time::Duration;

use super::place::PlaceProblem;
use super::words::duration;
use super::{Language, Phrase};

/// Everything that a command says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandPhrase {
    /// No Lifeguard runs, and this command needs one.
    NotRunning,
    /// Lifeguard runs, and did not answer.
    NoAnswer,
    /// Lifeguard could not be asked, and why.
    CannotAsk(String),
    /// Another Lifeguard runs; the app makes it show itself.
    AlreadyRunning {
        /// Its process id.
        pid: Option<u32>,
        /// It was asked to show itself, and did.
        shown: bool,
    },
    /// Another Lifeguard runs, and `watch` cannot run beside it.
    WatchedAlready {
        /// Its process id.
        pid: Option<u32>,
    },
    /// There is no gateway here: the practice gateway stands in.
    Practising,
    /// Lifeguard's own agent was installed; its file.
    AgentInstalled(String),
    /// Lifeguard's own agent was taken away.
    AgentUninstalled,
    /// There is no agent of Lifeguard's own.
    NoAgent,
    /// An option that goes without a command.
    OnlyForTheApp(&'static str),
    /// A restart was asked for.
    Restarting {
        /// Without waiting for running work.
        force: bool,
    },
    /// A stop was asked for.
    Stopping,
    /// A restart is over: the outcome, and how long it took.
    Concluded {
        /// The outcome's sentence.
        outcome: String,
        /// How long it took.
        took: Duration,
    },
    /// It was done.
    Done,
    /// The counter was reset.
    WasReset,
    /// Paused until a time of day; `None`: until resumed.
    Paused(Option<String>),
    /// Resumed.
    Resumed,
    /// The words after `pause` are not understood.
    NotAPause(String),
    /// The pause is longer than a year, or already over.
    PauseOutOfBounds,
    /// No bundle of evidence is stored.
    NoEvidence,
    /// The good configuration is being put back.
    RollingBack,
    /// No copy of OpenClaw's configuration is kept.
    NoCopies,
    /// OpenClaw's configuration could not be compared.
    NotCompared,
    /// OpenClaw's configuration is the one that was good.
    ConfigUnchanged,
    /// OpenClaw's configuration was changed since it was good, at this time.
    ConfigChanged(String),
    /// No bundle of this incident is stored.
    NoSuchIncident(u64),
    /// Nothing was measured yet.
    NoHistory,
    /// The history cannot be read.
    HistoryUnreadable(String),
    /// The words after `--since` are not understood.
    NotASpan(String),
    /// The Lifeguard that runs has no status page.
    NoPage,
    /// A bundle cannot be read.
    EvidenceUnreadable(String),
    /// A report could not be made, or its picture not be written: why.
    NoReport(String),
    /// There is no log there.
    NoLog(String),
    /// Nobody knows where the gateway's log is.
    LogUnknown,
    /// A log cannot be read.
    LogUnreadable {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// There is a configuration file already.
    ConfigThere(String),
    /// A configuration file was made.
    ConfigMade(String),
    /// The configuration file can be used.
    ConfigGood(String),
    /// There is no configuration file.
    NoConfig(String),
    /// A configuration file cannot be read or written.
    ConfigUnusable {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// The editor did not do its work.
    NoEditor {
        /// The editor.
        program: String,
        /// What the system said.
        cause: String,
    },
    /// Manual pages were written into a folder.
    ManualWritten(String),
    /// Something could not be written.
    NotWritten {
        /// Where.
        place: String,
        /// What the system said.
        cause: String,
    },
    /// What ought to say since when.
    NotAMoment(String),
    /// No gateway has this name.
    NoSuchGateway(String),
    /// A log was replaced by a new one.
    LogRotated(String),
    /// A test alert arrived.
    Delivered(String),
    /// A test alert did not arrive.
    NotDelivered {
        /// The channel.
        channel: String,
        /// What went wrong and what to do.
        problem: String,
    },
    /// There is no channel to test.
    NothingToTest,
    /// Nothing waits on this channel any more.
    NothingWaits(String),
    /// Alerts are muted until this time of day, or until they are unmuted.
    Muted(Option<String>),
    /// Alerts are told again.
    Unmuted,
    /// Nothing was told yet.
    NoAlerts,
    /// What became of an alert on one channel.
    AlertWay {
        /// The channel.
        channel: String,
        /// `waiting`, `delivered`, `folded`, `expired`, `refused`.
        status: String,
        /// It changed an earlier message.
        edit: bool,
        /// Attempts made.
        attempts: u32,
        /// What was wrong last.
        problem: Option<String>,
    },
    /// The runtime could not be started; what the system said.
    NoRuntime(String),
    /// Asks for the secret of this name.
    SecretAsked(String),
    /// The secret of this name is kept.
    SecretKept(String),
    /// The secret of this name is forgotten.
    SecretRemoved(String),
    /// The keychain keeps nothing of ours.
    NoSecrets,
    /// Nothing was given that could be kept.
    NothingKept,
    /// A secret could not be kept, had or forgotten.
    Keychain(PlaceProblem),
}

impl Phrase for CommandPhrase {
    #[expect(clippy::too_many_lines, reason = "one sentence after the other")]
    fn say(&self, language: Language) -> String {
        let english = language == Language::English;
        let text = match self {
            Self::NotRunning => language.pick(
                "Lifeguard is not running. Start it with `lifeguard`, or `lifeguard watch` without a screen.",
                "Lifeguard가 실행 중이 아닙니다. `lifeguard`로 시작하거나, 화면이 없으면 `lifeguard watch`를 쓰세요.",
            ),
            Self::NoAnswer => language.pick(
                "Lifeguard runs, but did not answer in time. `lifeguard logs watchdog` may say why.",
                "Lifeguard가 실행 중이지만 제때 응답하지 않았습니다. `lifeguard logs watchdog`에서 원인을 확인하세요.",
            ),
            Self::CannotAsk(cause) => {
                return format!(
                    "{} {cause}",
                    language.pick("Lifeguard could not be asked:", "Lifeguard에 요청하지 못했습니다:")
                );
            }
            Self::AlreadyRunning { pid, shown } => {
                let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
                let shown = match (shown, english) {
                    (true, true) => " Its icon is in the menu bar.",
                    (true, false) => " 메뉴 막대에 아이콘이 있습니다.",
                    (false, true) => " It did not answer; look for its icon.",
                    (false, false) => " 응답이 없습니다. 아이콘을 찾아보세요.",
                };
                return if english {
                    format!("Lifeguard is already running{pid}.{shown}")
                } else {
                    format!("Lifeguard가 이미 실행 중입니다{pid}.{shown}")
                };
            }
            Self::WatchedAlready { pid } => {
                let pid = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
                return if english {
                    format!(
                        "Lifeguard is already running{pid}; two would fight. Quit it first, or set LIFEGUARD_STATE_DIR for a second one."
                    )
                } else {
                    format!(
                        "Lifeguard가 이미 실행 중입니다{pid}. 둘이 함께 동작할 수 없으니 먼저 종료하거나 LIFEGUARD_STATE_DIR를 따로 지정하세요."
                    )
                };
            }
            Self::Practising => language.pick(
                "No OpenClaw gateway was found here, so Lifeguard looks after its built-in practice gateway.",
                "OpenClaw 게이트웨이를 찾지 못해 내장된 연습용 게이트웨이로 실행합니다.",
            ),
            Self::AgentInstalled(file) if english => {
                return format!(
                    "Lifeguard is kept running by {file}: it starts at login, and again if it dies. \
                     One that runs already goes on until it ends."
                );
            }
            Self::AgentInstalled(file) => {
                return format!(
                    "{file}에 등록했습니다. 로그인할 때와 비정상 종료 후에 시작됩니다. \
                     이미 실행 중인 Lifeguard는 종료할 때까지 그대로 실행됩니다."
                );
            }
            Self::AgentUninstalled => language.pick(
                "Lifeguard's own agent is gone; what it ran has ended.",
                "Lifeguard 에이전트를 제거했습니다. 에이전트가 실행하던 Lifeguard는 종료되었습니다.",
            ),
            Self::NoAgent => {
                language.pick("There is no agent of Lifeguard's own.", "설치된 Lifeguard 에이전트가 없습니다.")
            }
            Self::OnlyForTheApp(option) if english => return format!("{option} goes without a command."),
            Self::OnlyForTheApp(option) => return format!("{option}은(는) 명령 없이 쓰는 옵션입니다."),
            Self::Restarting { force: false } => language
                .pick("Restarting; running work is finished first.", "재시작합니다. 진행 중인 작업을 먼저 마칩니다."),
            Self::Restarting { force: true } => language
                .pick("Restarting now; running work is not waited for.", "작업을 기다리지 않고 바로 재시작합니다."),
            Self::Stopping => language
                .pick("Stopping; running work is finished first.", "중지합니다. 진행 중인 작업을 먼저 마칩니다."),
            Self::Concluded { outcome, took } => return format!("{outcome} ({})", duration(*took, language)),
            Self::Done => language.pick("Done.", "완료했습니다."),
            Self::WasReset => language.pick(
                "The crash counter is zero and the breaker closed.",
                "충돌 횟수를 0으로 하고 차단기를 닫았습니다.",
            ),
            Self::Paused(Some(clock)) if english => {
                return format!("Paused until {clock}. `lifeguard resume` ends it.");
            }
            Self::Paused(Some(clock)) => {
                return format!("{clock}까지 일시 중지합니다. `lifeguard resume`으로 해제합니다.");
            }
            Self::Paused(None) => language.pick(
                "Paused until you say `lifeguard resume`.",
                "`lifeguard resume`을 실행할 때까지 일시 중지합니다.",
            ),
            Self::Resumed => language.pick("Watching again.", "다시 감시합니다."),
            Self::NotAPause(words) if english => {
                return format!("\"{words}\" is not a pause. Say 15m, 1h, \"1h 30m\" or: until 08:00");
            }
            Self::NotAPause(words) => {
                return format!(
                    "\"{words}\"은(는) 알 수 없는 시간입니다. 15m, 1h, \"1h 30m\" 또는 until 08:00처럼 쓰세요."
                );
            }
            Self::PauseOutOfBounds => {
                language.pick("A pause lasts from a second to a year.", "일시 중지는 1초부터 1년까지 할 수 있습니다.")
            }
            Self::NoEvidence => language.pick(
                "No evidence is stored: it is taken before the first attempt of an incident.",
                "저장된 증거가 없습니다. 장애의 첫 복구 시도 전에 저장됩니다.",
            ),
            Self::RollingBack => {
                language.pick("Putting the last good configuration back …", "마지막 정상 설정을 복원하는 중…")
            }
            Self::NoCopies => language.pick(
                "No copy is kept: one is taken when a gateway that was started with its configuration has been healthy for 5 min.",
                "사본이 없습니다. 현재 설정으로 시작한 게이트웨이가 5분 동안 정상이면 저장됩니다.",
            ),
            Self::NotCompared => language.pick(
                "OpenClaw's configuration cannot be read, or `heal.config_guard` is \"off\".",
                "OpenClaw 설정을 읽을 수 없거나 `heal.config_guard`가 \"off\"입니다.",
            ),
            Self::ConfigUnchanged => language.pick(
                "OpenClaw's configuration is the one that was good.",
                "OpenClaw 설정이 정상이던 때와 같습니다.",
            ),
            Self::ConfigChanged(good) if english => {
                return format!("OpenClaw's configuration was changed since it was good, at {good}:");
            }
            Self::ConfigChanged(good) => return format!("OpenClaw 설정이 정상이던 때({good}) 이후 변경되었습니다:"),
            Self::NoSuchIncident(number) if english => {
                return format!("Nothing is stored of incident {number}: `lifeguard incidents` lists what is.");
            }
            Self::NoSuchIncident(number) => {
                return format!("{number}번 장애의 증거가 없습니다. `lifeguard incidents`로 목록을 확인하세요.");
            }
            Self::NoReport(cause) if english => return format!("The report could not be made: {cause}"),
            Self::NoReport(cause) => return format!("보고를 만들 수 없습니다: {cause}"),
            Self::NoHistory => language.pick(
                "Nothing was measured yet: Lifeguard writes it down each half minute while it runs.",
                "아직 측정값이 없습니다. Lifeguard가 실행되는 동안 30초마다 기록합니다.",
            ),
            Self::HistoryUnreadable(cause) if english => return format!("The history cannot be read: {cause}"),
            Self::HistoryUnreadable(cause) => return format!("기록을 읽을 수 없습니다: {cause}"),
            Self::NotASpan(words) if english => return format!("\"{words}\" is not a span of time. Say 12h, 7d or 4w."),
            Self::NotASpan(words) => return format!("\"{words}\"은(는) 알 수 없는 기간입니다. 12h, 7d, 4w처럼 쓰세요."),
            Self::NoPage => language.pick(
                "There is no status page: `web.enabled` is off, or its port is taken; `lifeguard status` says which.",
                "상태 페이지가 없습니다. `web.enabled`가 꺼져 있거나 포트가 사용 중입니다. `lifeguard status`를 확인하세요.",
            ),
            Self::EvidenceUnreadable(cause) if english => return format!("The evidence cannot be read: {cause}"),
            Self::EvidenceUnreadable(cause) => return format!("증거를 읽을 수 없습니다: {cause}"),
            Self::NoLog(file) if english => return format!("There is no log yet: {file} does not exist."),
            Self::NoLog(file) => return format!("아직 로그가 없습니다: {file} 파일이 없습니다."),
            Self::LogUnknown => language.pick(
                "The gateway's log was not found. Start the gateway, or look at `lifeguard logs watchdog`.",
                "게이트웨이 로그를 찾지 못했습니다. 게이트웨이를 시작하거나 `lifeguard logs watchdog`을 확인하세요.",
            ),
            Self::LogUnreadable { file, cause } if english => return format!("{file} cannot be read: {cause}"),
            Self::LogUnreadable { file, cause } => return format!("{file}을(를) 읽을 수 없습니다: {cause}"),
            Self::ConfigThere(file) if english => {
                return format!("{file} is there already; `lifeguard config edit` opens it.");
            }
            Self::ConfigThere(file) => {
                return format!("{file} 파일이 이미 있습니다. `lifeguard config edit`로 여세요.");
            }
            Self::ConfigMade(file) if english => return format!("Made {file}; `lifeguard config edit` opens it."),
            Self::ConfigMade(file) => return format!("{file} 파일을 만들었습니다. `lifeguard config edit`로 여세요."),
            Self::ConfigGood(file) if english => return format!("{file} is valid."),
            Self::ConfigGood(file) => return format!("{file}에 문제가 없습니다."),
            Self::NoConfig(file) if english => {
                return format!("{file} is not there: the defaults hold. `lifeguard config init` makes one.");
            }
            Self::NoConfig(file) => {
                return format!("{file} 파일이 없어 기본값을 씁니다. `lifeguard config init`으로 만드세요.");
            }
            Self::ConfigUnusable { file, cause } if english => return format!("{file} cannot be used: {cause}"),
            Self::ConfigUnusable { file, cause } => return format!("{file}을(를) 쓸 수 없습니다: {cause}"),
            Self::NoEditor { program, cause } if english => {
                return format!("The editor `{program}` did not work: {cause}. Set EDITOR to another one.");
            }
            Self::NoEditor { program, cause } => {
                return format!("편집기 `{program}`이(가) 동작하지 않습니다: {cause}. EDITOR를 바꿔 보세요.");
            }
            Self::ManualWritten(folder) if english => return format!("Manual pages are in {folder}."),
            Self::ManualWritten(folder) => return format!("매뉴얼 페이지를 {folder}에 만들었습니다."),
            Self::NotWritten { place, cause } if english => return format!("{place} cannot be written: {cause}"),
            Self::NotWritten { place, cause } => return format!("{place}에 쓸 수 없습니다: {cause}"),
            Self::NotAMoment(text) if english => {
                return format!(
                    "\"{text}\" is no time. Say 1h, 30m, \"1h 30m\", or a time such as 2026-11-26T22:00:00Z"
                );
            }
            Self::NotAMoment(text) => {
                return format!(
                    "\"{text}\"은(는) 알 수 없는 시각입니다. 1h, 30m, \"1h 30m\" 또는 2026-11-26T22:00:00Z처럼 쓰세요."
                );
            }
            Self::NoSuchGateway(name) if english => {
                return format!("No gateway is called \"{name}\"; `lifeguard status` names them.");
            }
            Self::NoSuchGateway(name) => {
                return format!("\"{name}\" 게이트웨이가 없습니다. `lifeguard status`에서 이름을 확인하세요.");
            }
            Self::LogRotated(file) if english => return format!("--- a new log began: {file} ---"),
            Self::LogRotated(file) => return format!("--- 새 로그 시작: {file} ---"),
            Self::Delivered(channel) if english => return format!("{channel}: delivered"),
            Self::Delivered(channel) => return format!("{channel}: 전달됨"),
            Self::NotDelivered { channel, problem } if english => {
                return format!("{channel}: not delivered. {problem}");
            }
            Self::NotDelivered { channel, problem } => return format!("{channel}: 전달되지 않음. {problem}"),
            Self::NothingToTest => language.pick(
                "There is no such alert channel; docs/config.md shows how to set one up.",
                "그런 알림 채널이 없습니다. 설정 방법은 docs/config.md에 있습니다.",
            ),
            Self::NothingWaits(channel) => {
                return language.pick(format!("{channel}: nothing waits"), format!("{channel}: 대기 중인 알림 없음"));
            }
            Self::Muted(Some(time)) => {
                return language.pick(
                    format!("Alerts are muted until {time}; what comes is told then, what cannot wait at once."),
                    format!("{time}까지 알림을 끕니다. 그동안의 알림은 끝날 때, 긴급 알림은 바로 전달됩니다."),
                );
            }
            Self::Muted(None) => language.pick(
                "Alerts are muted until `lifeguard alerts mute off`; what cannot wait is told at once.",
                "`lifeguard alerts mute off`까지 알림을 끕니다. 긴급 알림은 바로 전달됩니다.",
            ),
            Self::Unmuted => language.pick("Alerts are told again.", "알림을 다시 켰습니다."),
            Self::NoAlerts => language.pick("Nothing was told yet.", "아직 전달한 알림이 없습니다."),
            Self::AlertWay { channel, status, edit, attempts, problem } => {
                return alert_way(channel, status, *edit, *attempts, problem.as_deref(), language);
            }
            Self::SecretAsked(name) => {
                return language.pick(
                    format!("Secret \"{name}\" (it is not shown):"),
                    format!("비밀 값 \"{name}\" (표시되지 않음):"),
                );
            }
            Self::SecretKept(name) => {
                return language.pick(
                    format!("Kept in the keychain. In the configuration: \"keychain:{name}\""),
                    format!("키체인에 저장했습니다. 설정에는 \"keychain:{name}\"으로 쓰세요."),
                );
            }
            Self::SecretRemoved(name) => {
                return language.pick(
                    format!("\"{name}\" is removed from the keychain."),
                    format!("키체인에서 \"{name}\" 값을 삭제했습니다."),
                );
            }
            Self::NoSecrets => {
                language.pick("The keychain keeps no secret of Lifeguard's.", "키체인에 저장된 비밀 값이 없습니다.")
            }
            Self::NothingKept => language.pick(
                "nothing was given, so nothing is kept; a secret has up to 8 KB",
                "입력된 값이 없어 저장하지 않았습니다. 비밀 값은 8 KB까지입니다.",
            ),
            Self::Keychain(problem) => return problem.say(language),
            Self::NoRuntime(cause) => {
                return format!(
                    "{} {cause}",
                    language.pick("Lifeguard could not start:", "Lifeguard를 시작하지 못했습니다:")
                );
            }
        };
        text.to_owned()
    }
}

/// One line of `alerts list`, indented below its alert.
fn alert_way(
    channel: &str,
    status: &str,
    edit: bool,
    attempts: u32,
    problem: Option<&str>,
    language: Language,
) -> String {
    let (english, korean) = match status {
        "waiting" => ("waits", "대기 중"),
        "delivered" if edit => ("message changed", "메시지 수정됨"),
        "delivered" => ("delivered", "전달됨"),
        "folded" => ("told by a later one", "이후 알림에 포함됨"),
        "expired" => ("given up after a day", "하루가 지나 포기함"),
        "refused" => ("refused", "거부됨"),
        other => (other, other),
    };
    let mut text = format!("    {channel}: {}", language.pick(english, korean));
    if attempts > 1 {
        text += &language.pick(format!(", {attempts} attempts"), format!(", {attempts}회 시도"));
    }
    problem.map_or_else(|| text.clone(), |problem| format!("{text}. {problem}"))
}
