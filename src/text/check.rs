//! What `lifeguard check` says: what was looked at, how it was found, and in one sentence what that means.

use serde::Serialize;

use super::{Language, Phrase};
use crate::supervisor::event::CheckProblem;

pub mod gateway;
pub mod own;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Lifeguard's configuration file.
    ConfigFile,
    /// Who may read and change it.
    ConfigPermissions,
    /// The files that it names for secrets.
    SecretFiles,
    /// Lifeguard's own folders.
    Folders,
    /// What lies in its state folder.
    StateFiles,
    /// The history.
    History,
    /// How large the logs are.
    LogSizes,
    /// Room on the disks.
    DiskSpace,
    /// The machine's clock.
    Clock,
    /// Whether a Lifeguard runs and answers.
    Running,
    /// Whether the Lifeguard that runs is this one.
    Version,
    /// Alerts that could not be delivered.
    Undelivered,
    /// Desktop notifications.
    Notifications,
    /// Whether Lifeguard starts at login.
    LoginItem,
    /// Discord's webhook.
    Webhook,
    /// The dead-man's switch.
    Deadman,
    /// Other programs that restart the gateway.
    OtherWatchdogs,
    /// The `openclaw` command.
    Openclaw,
    /// Node.js.
    Node,
    /// OpenClaw's configuration.
    GatewayConfig,
    /// The version of the gateway that runs.
    GatewayVersion,
    /// Its service.
    Service,
    /// Whether it comes back after the machine starts anew.
    Reboot,
    /// Whether systemd runs it without a login.
    Linger,
    /// Who has its port.
    Port,
    /// Docker.
    Docker,
    /// The hosts that it needs.
    Network,
}

impl Phrase for Subject {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::ConfigFile => ("configuration", "설정 파일"),
            Self::ConfigPermissions => ("config permissions", "설정 파일 권한"),
            Self::SecretFiles => ("secret files", "비밀 파일"),
            Self::Folders => ("folders", "폴더"),
            Self::StateFiles => ("state files", "상태 파일"),
            Self::History => ("history", "기록"),
            Self::LogSizes => ("log sizes", "로그 크기"),
            Self::DiskSpace => ("disk space", "디스크 공간"),
            Self::Clock => ("clock", "시계"),
            Self::Running => ("running", "실행 상태"),
            Self::Version => ("version", "버전"),
            Self::Undelivered => ("undelivered alerts", "미전달 알림"),
            Self::Notifications => ("notifications", "데스크톱 알림"),
            Self::LoginItem => ("login item", "로그인 항목"),
            Self::Webhook => ("Discord webhook", "Discord 웹훅"),
            Self::Deadman => ("dead-man's switch", "데드맨 스위치"),
            Self::OtherWatchdogs => ("other watchdogs", "다른 감시 프로그램"),
            Self::Openclaw => ("openclaw", "openclaw"),
            Self::Node => ("node", "node"),
            Self::GatewayConfig => ("OpenClaw's configuration", "OpenClaw 설정"),
            Self::GatewayVersion => ("gateway version", "게이트웨이 버전"),
            Self::Service => ("service", "서비스"),
            Self::Reboot => ("after a reboot", "재부팅 후"),
            Self::Linger => ("without a login", "로그인 없이 실행"),
            Self::Port => ("port", "포트"),
            Self::Docker => ("Docker", "Docker"),
            Self::Network => ("network", "네트워크"),
        };
        language.pick(english, korean).to_owned()
    }
}

/// How it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// There is nothing to look at here, or it could not be looked at.
    Skipped,
    /// As it should be.
    Ok,
    /// It works, and could be better.
    Warning,
    /// It does not work, or will not when it is needed.
    Problem,
}

impl Phrase for Grade {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Skipped => ("skipped", "건너뜀"),
            Self::Ok => ("ok", "정상"),
            Self::Warning => ("warning", "주의"),
            Self::Problem => ("problem", "문제"),
        };
        language.pick(english, korean).to_owned()
    }
}

/// Around the findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckPhrase {
    /// How many of each grade there are.
    Summary {
        /// Problems.
        problems: usize,
        /// Warnings.
        warnings: usize,
        /// As they should be.
        good: usize,
        /// Not looked at.
        skipped: usize,
    },
    /// `--fix` mended this: the command that does the same.
    Mended(String),
    /// `--fix` could not mend this.
    NotMended {
        /// The command that does the same.
        mend: String,
        /// What the system said.
        cause: String,
    },
    /// Some of what was found can be mended by `--fix`.
    FixWould,
    /// What the menu and `status` say of the last self-check: its first problem, and how many there are.
    Found {
        /// What and why.
        first: String,
        /// How many problems there are.
        problems: usize,
    },
}

/// The headline of an alert about what the self-check has found anew.
#[must_use]
pub fn alert_title(problems: &[CheckProblem], language: Language) -> String {
    if let [CheckProblem { what, .. }] = problems {
        return language.pick(format!("Self-check: {what}"), format!("자가 점검: {what}"));
    }
    let count = problems.len();
    language.pick(format!("Self-check: {count} new problems"), format!("자가 점검: 새 문제 {count}건"))
}

/// Its sentences: each problem, and the command that mends it.
#[must_use]
pub fn alert_body(problems: &[CheckProblem], language: Language) -> String {
    let one = |CheckProblem { what, sentence, mend }: &CheckProblem| {
        let subject = if problems.len() == 1 { String::new() } else { format!("{what}: ") };
        let mend = mend.as_ref().map_or_else(String::new, |command| {
            language.pick(format!(" To mend it: `{command}`."), format!(" 해결: `{command}`."))
        });
        format!("{subject}{sentence}{mend}")
    };
    problems.iter().map(one).collect::<Vec<_>>().join(" ")
}

impl Phrase for CheckPhrase {
    fn say(&self, language: Language) -> String {
        let english = language == Language::English;
        match self {
            Self::Summary { problems, warnings, good, skipped } if english => {
                let s = |count: &usize| if *count == 1 { "" } else { "s" };
                let (more_problems, more_warnings) = (s(problems), s(warnings));
                format!(
                    "{problems} problem{more_problems}, {warnings} warning{more_warnings}, {good} ok, {skipped} skipped"
                )
            }
            Self::Summary { problems, warnings, good, skipped } => {
                format!("문제 {problems}건, 주의 {warnings}건, 정상 {good}건, 건너뜀 {skipped}건")
            }
            Self::Mended(mend) if english => format!("mended: {mend}"),
            Self::Mended(mend) => format!("고쳤습니다: {mend}"),
            Self::NotMended { mend, cause } if english => format!("not mended: {mend}: {cause}"),
            Self::NotMended { mend, cause } => format!("고치지 못했습니다: {mend}: {cause}"),
            Self::FixWould => language
                .pick(
                    "`lifeguard check --fix` mends what is marked with *.",
                    "*로 표시된 항목은 `lifeguard check --fix`로 고칠 수 있습니다.",
                )
                .to_owned(),
            Self::Found { first, problems: 1 } if english => format!("Self-check: {first}"),
            Self::Found { first, problems } if english => {
                format!("Self-check: {first} ({problems} problems: `lifeguard check`)")
            }
            Self::Found { first, problems: 1 } => format!("자가 점검: {first}"),
            Self::Found { first, problems } => format!("자가 점검: {first} (문제 {problems}건: `lifeguard check`)"),
        }
    }
}
