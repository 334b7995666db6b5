//! What the self-check says of a gateway.

use crate::supervisor::dependency::Trouble;
use crate::text::{Language, Phrase};

/// What is said of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayRemark {
    /// A program, by its version.
    Program(String),
    /// A program by its place, whose version is not known; why.
    ProgramUnclear(String, String),
    /// `openclaw` was not found.
    NoOpenclaw,
    /// The configuration names the command itself.
    OwnCommand,
    /// Node.js was not found.
    NoNode,
    /// This Node.js is too old for OpenClaw 2026.9.
    NodeOld(String),
    /// Nothing is known of this that would be of use here.
    NotNeeded,
    /// There is no configuration of OpenClaw's.
    NoConfig(String),
    /// OpenClaw accepts it.
    ConfigGood,
    /// OpenClaw does not; why.
    ConfigBad(String),
    /// The version of the gateway that runs.
    Version(String),
    /// It runs and does not say its version.
    NoVersion,
    /// The gateway does not run.
    NotRunning,
    /// The service manager has it, by this name.
    Managed(String),
    /// No service manager looks after it: who does, by the name in the configuration.
    Unmanaged(String),
    /// There is no gateway here.
    NotInstalled,
    /// The service manager has not loaded it.
    NotLoaded(String),
    /// It is switched off.
    Disabled(String),
    /// The service manager has given up on it, or starts it in vain; why.
    Failed(String),
    /// Its definition cannot work; why.
    BadDefinition(String),
    /// The service manager starts it after a reboot.
    ComesBack,
    /// launchd starts it once somebody has unlocked the disk and logged in.
    WaitsForDisk,
    /// launchd starts it once somebody has logged in.
    WaitsForLogin,
    /// Lifeguard starts it, and is itself started at login.
    LifeguardStarts,
    /// Lifeguard starts it, and is not itself started at login.
    NobodyStartsLifeguard,
    /// Somebody starts it by hand.
    ByHand,
    /// The service manager does not start it after a reboot.
    StaysDown,
    /// systemd keeps the person's units running without a login.
    Lingers,
    /// systemd ends them at logout and starts none before login.
    DoesNotLinger,
    /// The gateway has its port.
    PortOurs(u16, u32),
    /// Nobody has it.
    PortFree(u16),
    /// Another program has it.
    PortTaken {
        /// The port.
        port: u16,
        /// The other program.
        name: String,
        /// Its process id.
        pid: u32,
    },
    /// A program of another user has it.
    PortHidden(u16),
    /// The configuration declares nothing of this kind.
    NotDeclared,
    /// What it needs is there.
    Reached(String),
    /// What it needs is not; what, and what is the matter.
    Missing(String, Trouble),
    /// This could not be found out; why.
    Unclear(String),
}

impl Phrase for GatewayRemark {
    #[expect(clippy::too_many_lines, reason = "one sentence after the other")]
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Program(version) => (format!("{version}."), version.clone()),
            Self::ProgramUnclear(place, cause) => (
                format!("{place} does not tell its version: {cause}"),
                format!("{place}의 버전을 확인하지 못했습니다: {cause}"),
            ),
            Self::NoOpenclaw => ("It was not found.".to_owned(), "찾지 못했습니다.".to_owned()),
            Self::OwnCommand => (
                "The configuration's own command runs the gateway.".to_owned(),
                "설정에 지정된 명령으로 게이트웨이를 실행합니다.".to_owned(),
            ),
            Self::NoNode => {
                ("It was not found; OpenClaw needs it.".to_owned(), "OpenClaw에 필요한데 찾지 못했습니다.".to_owned())
            }
            Self::NodeOld(version) => (
                format!("{version} is too old: OpenClaw 2026.9 needs 24.16 or 26.1 and later."),
                format!("{version}은(는) 너무 오래됐습니다. OpenClaw 2026.9에는 24.16 또는 26.1 이상이 필요합니다."),
            ),
            Self::NotNeeded => ("Not needed here.".to_owned(), "여기서는 필요하지 않습니다.".to_owned()),
            Self::NoConfig(file) => (
                format!("{file} is not there; a gateway starts without one only if it is told to."),
                format!("{file} 파일이 없습니다. 따로 지정하지 않으면 게이트웨이가 시작되지 않습니다."),
            ),
            Self::ConfigGood => ("OpenClaw accepts it.".to_owned(), "OpenClaw에서 사용할 수 있습니다.".to_owned()),
            Self::ConfigBad(reason) => {
                (format!("OpenClaw does not accept it: {reason}"), format!("OpenClaw에서 사용할 수 없습니다: {reason}"))
            }
            Self::Version(version) => (format!("{version}."), version.clone()),
            Self::NoVersion => (
                "It runs and does not say its version: it is older than 2026.9, and some remedies are not used."
                    .to_owned(),
                "버전을 알려주지 않습니다. 2026.9보다 오래되어 일부 복구 방법을 쓰지 않습니다.".to_owned(),
            ),
            Self::NotRunning => ("The gateway does not run now.".to_owned(), "지금 실행 중이 아닙니다.".to_owned()),
            Self::Managed(label) => (format!("{label} is registered."), format!("{label}이(가) 등록되어 있습니다.")),
            Self::Unmanaged(kind) if kind == "child" => {
                ("Lifeguard runs it itself.".to_owned(), "Lifeguard가 직접 실행합니다.".to_owned())
            }
            Self::Unmanaged(_) => {
                ("Somebody starts it by hand.".to_owned(), "직접 시작하는 게이트웨이입니다.".to_owned())
            }
            Self::NotInstalled => ("There is no gateway here.".to_owned(), "게이트웨이가 없습니다.".to_owned()),
            Self::NotLoaded(label) => {
                (format!("{label} is not loaded."), format!("{label}이(가) 로드되지 않았습니다."))
            }
            Self::Disabled(label) => (format!("{label} is switched off."), format!("{label}이(가) 꺼져 있습니다.")),
            Self::Failed(reason) => (
                format!("The service manager does not get it to run: {reason}."),
                format!("서비스 관리자가 게이트웨이를 실행하지 못합니다: {reason}"),
            ),
            Self::BadDefinition(reason) => {
                (format!("Its definition cannot work: {reason}."), format!("서비스 정의가 잘못되었습니다: {reason}"))
            }
            Self::ComesBack => ("The service manager starts it.".to_owned(), "서비스 관리자가 시작합니다.".to_owned()),
            Self::WaitsForDisk => (
                "launchd starts it, but only after somebody has logged in: FileVault keeps the disk locked until then. \
                 A restart on purpose need not wait."
                    .to_owned(),
                "launchd가 시작하지만, FileVault 때문에 누군가 로그인한 뒤에만 시작됩니다. \
                 계획된 재시동은 기다리지 않게 할 수 있습니다."
                    .to_owned(),
            ),
            Self::WaitsForLogin => (
                "launchd starts it, but only after somebody has logged in; automatic login is off.".to_owned(),
                "launchd가 시작하지만, 자동 로그인이 꺼져 있어 누군가 로그인한 뒤에만 시작됩니다.".to_owned(),
            ),
            Self::LifeguardStarts => (
                "Lifeguard starts at login, and starts the gateway.".to_owned(),
                "로그인할 때 Lifeguard가 시작되어 게이트웨이를 시작합니다.".to_owned(),
            ),
            Self::NobodyStartsLifeguard => (
                "Lifeguard starts the gateway, and nobody starts Lifeguard.".to_owned(),
                "게이트웨이는 Lifeguard가 시작하지만 Lifeguard를 시작하는 것이 없습니다.".to_owned(),
            ),
            Self::ByHand => (
                "It stays down until somebody starts it.".to_owned(),
                "직접 시작할 때까지 중지 상태로 남습니다.".to_owned(),
            ),
            Self::StaysDown => (
                "The service manager does not start it: it stays down.".to_owned(),
                "서비스 관리자가 시작하지 않아 중지 상태로 남습니다.".to_owned(),
            ),
            Self::Lingers => ("Units run without a login.".to_owned(), "로그인하지 않아도 실행됩니다.".to_owned()),
            Self::DoesNotLinger => (
                "Units end at logout, and start only at the next login.".to_owned(),
                "로그아웃하면 종료되고 다음 로그인 때에야 시작됩니다.".to_owned(),
            ),
            Self::PortOurs(port, pid) => (
                format!("{port} is the gateway's (pid {pid})."),
                format!("게이트웨이가 {port}번을 쓰고 있습니다(pid {pid})."),
            ),
            Self::PortFree(port) => (format!("Nobody has {port}."), format!("{port}번이 비어 있습니다.")),
            Self::PortTaken { port, name, pid } => (
                format!("{name} (pid {pid}) has {port}, and is not the gateway."),
                format!("게이트웨이가 아닌 {name}(pid {pid})이(가) {port}번을 쓰고 있습니다."),
            ),
            Self::PortHidden(port) => (
                format!("A program of another user has {port}."),
                format!("다른 사용자의 프로그램이 {port}번을 쓰고 있습니다."),
            ),
            Self::NotDeclared => {
                ("Not declared in the configuration.".to_owned(), "설정에서 요구하지 않습니다.".to_owned())
            }
            Self::Reached(what) => (format!("There: {what}."), format!("확인했습니다: {what}")),
            Self::Missing(what, trouble) => {
                let trouble = trouble.say(language);
                (format!("{what} {trouble}."), format!("{what}: {trouble}"))
            }
            Self::Unclear(cause) => (format!("Not known: {cause}"), format!("확인하지 못했습니다: {cause}")),
        };
        language.pick(english, korean)
    }
}
