//! What the command line says.

use std::time::Duration;

use super::config::PlaceProblem;
use super::words::duration;
use super::{Language, Phrase};

/// Help for every command and option: its place (`command.option`), English, Korean.
pub const HELP: &[(&str, &str, &str)] = &[
    (
        "",
        "Watches, heals and reports on an OpenClaw gateway. Without a command: the menu-bar app.",
        "OpenClaw 게이트웨이를 감시하고 복구하며 상태를 알립니다. 명령이 없으면 메뉴 막대 앱을 실행합니다.",
    ),
    (".config", "Configuration file to use [env: LIFEGUARD_CONFIG]", "사용할 설정 파일 [환경 변수: LIFEGUARD_CONFIG]"),
    (".language", "Language: auto, en, ko", "언어: auto, en, ko"),
    (".no_color", "No colours [env: NO_COLOR]", "색을 쓰지 않음 [환경 변수: NO_COLOR]"),
    (
        ".practice_if_none",
        "Where there is no gateway, show everything on the practice gateway",
        "게이트웨이가 없으면 연습용 게이트웨이로 실행",
    ),
    (".help", "Print help", "도움말 출력"),
    (".version", "Print version", "버전 출력"),
    ("watch", "Watch and heal without a menu-bar icon", "메뉴 막대 아이콘 없이 감시하고 복구"),
    ("status", "Show how the gateway is", "게이트웨이 상태 표시"),
    ("status.watch", "Show it anew every second, until Ctrl-C", "Ctrl-C를 누를 때까지 1초마다 다시 표시"),
    ("status.json", "As JSON, for programs", "프로그램용 JSON으로 출력"),
    ("restart", "Restart the gateway and wait for the outcome", "게이트웨이를 재시작하고 결과를 기다림"),
    ("restart.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("restart.force", "Do not wait for running work", "진행 중인 작업을 기다리지 않음"),
    (
        "stop",
        "Stop the gateway; it stays stopped until somebody starts it",
        "게이트웨이를 중지. 다시 시작할 때까지 중지 상태 유지",
    ),
    ("stop.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("reset", "Set the crash counter to zero and close the breaker", "충돌 횟수를 0으로 하고 차단기를 닫음"),
    ("reset.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("pause", "Hands off for a while: look, but do not heal", "일시 중지: 확인만 하고 복구하지 않음"),
    ("pause.when", "15m, 1h, until 08:00; left out, until resumed", "15m, 1h, until 08:00. 생략하면 재개할 때까지"),
    ("pause.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("resume", "End of the pause", "일시 중지 해제"),
    ("resume.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("logs", "Show a log", "로그 표시"),
    ("logs.source", "gateway or watchdog [default: gateway]", "gateway 또는 watchdog [기본값: gateway]"),
    ("logs.lines", "How many of the last lines [default: 50]", "마지막 줄 수 [기본값: 50]"),
    ("logs.follow", "Go on as the log grows, across rotations", "로그가 늘어나는 대로 계속 표시"),
    (
        "logs.since",
        "Everything since then: 1h, 30m, or a time such as 2026-11-26T22:00:00Z",
        "이때부터 모두: 1h, 30m, 또는 2026-11-26T22:00:00Z 같은 시각",
    ),
    ("logs.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("incidents", "List the evidence that was stored of incidents", "장애 때 저장된 증거 목록"),
    ("incidents.gateway", "Name of the gateway; left out, all of them", "게이트웨이 이름. 생략하면 모두"),
    ("incidents show", "Show the evidence of an incident", "장애의 증거 표시"),
    ("incidents show.number", "Number of the incident; left out, the newest one", "장애 번호. 생략하면 가장 최근"),
    ("incidents show.json", "Only the report, as JSON", "보고서만 JSON으로"),
    ("report", "What happened in the last day or week", "지난 하루 또는 한 주 동안 일어난 일"),
    ("report.period", "daily or weekly; left out, daily", "daily 또는 weekly. 생략하면 daily"),
    ("report.chart", "Write the picture into this file, as PNG", "그림을 이 파일에 PNG로 저장"),
    ("report.json", "The numbers, as JSON", "수치를 JSON으로"),
    ("history", "What was measured and what happened", "측정값과 장애 기록"),
    ("history export", "Write it out for other programs", "다른 프로그램용으로 내보내기"),
    ("history export.csv", "What was measured, as CSV", "측정값을 CSV로"),
    ("history export.json", "Everything, incidents and attempts too, as JSON", "장애와 복구 시도까지 모두 JSON으로"),
    ("history export.gateway", "Name of the gateway; left out, all of them", "게이트웨이 이름. 생략하면 모두"),
    ("history export.since", "How far back: 12h, 7d, 4w [default: 48h]", "기간: 12h, 7d, 4w [기본값: 48h]"),
    ("open", "Open the status page", "상태 페이지 열기"),
    ("check", "Check that everything will work when it is needed", "필요할 때 모두 제대로 동작할지 점검"),
    ("check.fix", "Mend what is safe to mend: rights that are too wide", "안전한 것(지나치게 열린 권한)은 바로 고침"),
    ("check.online", "Contact the addresses of the configuration too", "설정된 주소에 실제로 접속하여 확인"),
    ("check.json", "As JSON, for programs", "프로그램용 JSON으로 출력"),
    (
        "config-guard",
        "List the copies of OpenClaw's configuration that were good",
        "정상이던 OpenClaw 설정의 사본 목록",
    ),
    ("config-guard.gateway", "Name of the gateway; left out, the first one", "게이트웨이 이름. 생략하면 첫 번째"),
    ("config-guard diff", "Show what was changed since the newest copy", "가장 최근 사본 이후 변경된 내용 표시"),
    (
        "config-guard roll-back",
        "Put the newest copy back; what is there is kept beside it",
        "가장 최근 사본을 복원. 현재 설정은 옆에 보관",
    ),
    ("alerts", "Alerts", "알림"),
    ("alerts test", "Really send a test alert", "시험 알림을 실제로 보냄"),
    (
        "alerts test.channel",
        "Only to this channel: native, discord, slack, telegram, ntfy, webhook",
        "이 채널로만 보냄: native, discord, slack, telegram, ntfy, webhook",
    ),
    ("alerts list", "What was told, and what became of it on each channel", "전달한 알림과 채널별 결과"),
    ("alerts list.lines", "How many of the newest alerts [default: 20]", "최근 알림 수 [기본값: 20]"),
    ("alerts retry", "Try at once what waits to be told", "대기 중인 알림을 바로 다시 보냄"),
    ("alerts retry.channel", "Only on this channel", "이 채널만"),
    (
        "alerts mute",
        "Disturb nobody for a while; what cannot wait is told all the same",
        "한동안 알림을 끔(긴급 알림 제외)",
    ),
    (
        "alerts mute.when",
        "1h, until 08:00, off; left out, until `alerts mute off`",
        "1h, until 08:00, off. 생략하면 `alerts mute off`까지",
    ),
    ("secrets", "Secrets in the system's keychain", "시스템 키체인의 비밀 값"),
    (
        "secrets set",
        "Keep a secret, asked for or read from standard input",
        "비밀 값을 저장(물어보거나 표준 입력에서 읽음)",
    ),
    (
        "secrets set.name",
        "Its name: the configuration calls it \"keychain:NAME\"",
        "이름. 설정에는 \"keychain:NAME\"으로 씀",
    ),
    ("secrets list", "Names of the secrets that are kept", "저장된 비밀 값의 이름"),
    ("secrets remove", "Forget a secret", "비밀 값 삭제"),
    ("secrets remove.name", "Its name", "이름"),
    (
        "import",
        "Take over the settings of an older watchdog of scripts; shows what it would do",
        "이전 감시 스크립트의 설정 가져오기. 먼저 할 일만 보여 줌",
    ),
    ("import.yes", "Do it", "실제로 가져오기"),
    ("login-item", "Start Lifeguard at login", "로그인할 때 Lifeguard 시작"),
    ("login-item.change", "on, off or status", "on, off 또는 status"),
    (
        "install-agent",
        "Start Lifeguard at login and again if it dies (launchd, systemd)",
        "로그인할 때와 비정상 종료 후에 Lifeguard 시작 (launchd, systemd)",
    ),
    ("uninstall-agent", "Undo install-agent", "install-agent 취소"),
    ("config", "Lifeguard's own configuration", "Lifeguard 설정"),
    (
        "config init",
        "Make a file to begin with: every key, commented out",
        "모든 항목이 주석 처리된 시작용 파일 만들기",
    ),
    ("config show", "Print the file, without its secrets", "비밀을 가리고 파일 출력"),
    (
        "config check",
        "Check it: every problem with line, column and hint",
        "점검: 모든 문제를 행, 열, 도움말과 함께 출력",
    ),
    ("config path", "Print where it is", "파일 위치 출력"),
    (
        "config edit",
        "Open it in $VISUAL or $EDITOR, and check what came of it",
        "$VISUAL 또는 $EDITOR로 열고 끝나면 점검",
    ),
    ("completions", "Print completions for a shell", "셸 자동 완성 출력"),
    ("completions.shell", "bash, zsh or fish", "bash, zsh 또는 fish"),
    ("man", "Write manual pages", "매뉴얼 페이지 만들기"),
    ("man.folder", "Folder that takes them", "저장할 폴더"),
    ("drill", "Faults on purpose, and what Lifeguard makes of them", "일부러 장애를 일으켜 Lifeguard의 대응을 확인"),
    ("drill list", "List the drills", "훈련 목록"),
    (
        "drill run",
        "Run a drill on a practice gateway, and show the scoreboard",
        "연습용 게이트웨이에서 훈련을 실행하고 결과 표시",
    ),
    ("drill run.which", "Name of the drill, or all", "훈련 이름, 또는 all"),
    (
        "drill run.real",
        "On your own gateway, watched by the Lifeguard that runs: kill, hang",
        "실행 중인 Lifeguard가 감시하는 실제 게이트웨이에서 실행: kill, hang",
    ),
    (
        "drill run.gateway",
        "With --real: name of the gateway; left out, the first one",
        "--real과 함께: 게이트웨이 이름. 생략하면 첫 번째",
    ),
    ("drill run.yes", "With --real: do not ask", "--real과 함께: 묻지 않음"),
    ("drill run.json", "Only the scoreboard, as JSON", "결과만 JSON으로"),
    ("demo", "Try everything on a practice gateway", "연습용 게이트웨이로 모든 기능 체험"),
];

/// Words around the help.
#[derive(Debug, Clone, Copy)]
pub enum HelpWord {
    /// Above the usage line.
    Usage,
    /// Above the options.
    Options,
    /// Above the arguments.
    Arguments,
    /// Above the commands.
    Commands,
    /// Above the examples.
    Examples,
    /// Below the help of the program.
    ExitCodes,
}

impl HelpWord {
    /// The word.
    #[must_use]
    pub fn word(self, language: Language) -> &'static str {
        match self {
            Self::Usage => language.pick("Usage", "사용법"),
            Self::Options => language.pick("Options", "옵션"),
            Self::Arguments => language.pick("Arguments", "인자"),
            Self::Commands => language.pick("Commands", "명령"),
            Self::Examples => language.pick("Examples", "예"),
            Self::ExitCodes => language.pick(
                "Exit codes: 0 healthy or done, 1 not healthy or not done, 2 usage or configuration, 3 Lifeguard is not running",
                "종료 코드: 0 정상 또는 완료, 1 이상 또는 실패, 2 사용법이나 설정 오류, 3 Lifeguard가 실행 중이 아님",
            ),
        }
    }
}

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

/// Everything else that a command says.
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
