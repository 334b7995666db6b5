//! What the self-check says of Lifeguard itself and of the machine.

use std::time::Duration;

use crate::platform::desktop::login_item::LoginItem;
use crate::text::words::size;
use crate::text::{Language, Phrase};

/// What is said of Lifeguard itself and of the machine.
#[derive(Debug, Clone, PartialEq)]
pub enum OwnRemark {
    /// There is no configuration file, and none is needed.
    NoConfig,
    /// The configuration file can be used.
    ConfigGood(String),
    /// It cannot; why.
    ConfigBad(String),
    /// It depends on the configuration, which cannot be used.
    ConfigFirst,
    /// Only its owner can change this file.
    FileGuarded(String),
    /// Others can change this file.
    OthersWrite(String),
    /// Others can read a file that holds a secret.
    OthersRead(String),
    /// No file is named for a secret.
    NoSecretFiles,
    /// Only the owner can read these files.
    FilesClosed(usize),
    /// Others can read some files: one of them, and how many.
    FilesOpen(String, usize),
    /// A file that was named is not there.
    NoSuchFile(String),
    /// The folders are there, the owner's alone, and writable.
    FoldersGood(String),
    /// A folder is not there yet.
    NoFolder(String),
    /// A folder belongs to somebody else.
    FolderForeign(String),
    /// Others can enter a folder.
    FolderOpen(String),
    /// A folder cannot be written to; why.
    FolderReadOnly(String, String),
    /// There is no history yet.
    NoHistory,
    /// The history is whole: its size.
    HistoryGood(u64),
    /// It is damaged; how.
    HistoryBad(String),
    /// It is larger than it should be.
    HistoryLarge(u64),
    /// The logs are of a bearable size together.
    LogsSmall(u64),
    /// One log is large.
    LogLarge(String, u64),
    /// The least room of all the disks.
    Room(u64),
    /// The disk of a folder is nearly full.
    NoRoom(String, u64),
    /// The clock is right, as far as can be told.
    ClockGood,
    /// The clock shows a time before this program was made.
    ClockBehind(String),
    /// Nobody sets the clock by the network.
    ClockAlone,
    /// A Lifeguard runs and answers.
    Answers,
    /// None runs.
    NotRunning,
    /// One runs and does not answer; why.
    Silent(String),
    /// The Lifeguard that runs is this one.
    SameVersion(String),
    /// Another version runs.
    OtherVersion {
        /// Of this program.
        own: String,
        /// Of the one that runs.
        running: String,
    },
    /// All alerts were delivered.
    AllDelivered,
    /// A channel is in trouble; which, and why.
    ChannelTrouble(String, String),
    /// Desktop notifications are switched off in the configuration.
    NotificationsOff,
    /// The desktop takes notifications.
    NotificationsGood,
    /// It does not; why.
    NotificationsBad(String),
    /// What the system does at the next login.
    Login(LoginItem),
    /// This is not configured.
    NotConfigured,
    /// The address has the right shape, and was not contacted.
    Shaped,
    /// The other side answers.
    Reached(Duration),
    /// It does not; why.
    NotReached(String),
    /// What was fetched for an address is none.
    NotAnAddress,
    /// Nothing else restarts the gateway.
    NoRivals,
    /// Something else does: of each its command or label, and where it is set up.
    Rivals(Vec<(String, String)>),
    /// This could not be found out; why.
    Unclear(String),
}

impl Phrase for OwnRemark {
    #[expect(clippy::too_many_lines, reason = "one sentence after the other")]
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::NoConfig => {
                ("There is no file; the defaults hold.".to_owned(), "파일이 없어 기본값을 씁니다.".to_owned())
            }
            Self::ConfigGood(file) => (format!("{file} is valid."), format!("{file}에 문제가 없습니다.")),
            Self::ConfigBad(problem) => return problem.clone(),
            Self::ConfigFirst => (
                "It depends on the configuration, which must be mended first.".to_owned(),
                "먼저 설정 파일을 고쳐야 확인할 수 있습니다.".to_owned(),
            ),
            Self::FileGuarded(file) => {
                (format!("Only you can change {file}."), format!("{file}은(는) 본인만 바꿀 수 있습니다."))
            }
            Self::OthersWrite(file) => {
                (format!("Others can change {file}."), format!("다른 사용자가 {file}을(를) 바꿀 수 있습니다."))
            }
            Self::OthersRead(file) => (
                format!("Others can read {file}, which may hold a secret."),
                format!("비밀이 있을 수 있는 {file}을(를) 다른 사용자가 읽을 수 있습니다."),
            ),
            Self::NoSecretFiles => {
                ("The configuration names none.".to_owned(), "설정에 지정된 파일이 없습니다.".to_owned())
            }
            Self::FilesClosed(count) => {
                (format!("Only you can read them ({count})."), format!("본인만 읽을 수 있습니다({count}개)."))
            }
            Self::FilesOpen(file, 1) => {
                (format!("Others can read {file}."), format!("다른 사용자가 {file}을(를) 읽을 수 있습니다."))
            }
            Self::FilesOpen(file, count) => (
                format!("Others can read {count} files, such as {file}."),
                format!("다른 사용자가 {file} 등 파일 {count}개를 읽을 수 있습니다."),
            ),
            Self::NoSuchFile(file) => (format!("{file} is not there."), format!("{file} 파일이 없습니다.")),
            Self::FoldersGood(folder) => {
                (format!("Yours alone, and writable: {folder}."), format!("본인만 쓸 수 있습니다: {folder}"))
            }
            Self::NoFolder(folder) => (
                format!("{folder} is not there yet; Lifeguard makes it when it starts."),
                format!("{folder} 폴더가 아직 없습니다. Lifeguard가 시작할 때 만듭니다."),
            ),
            Self::FolderForeign(folder) => (
                format!("{folder} belongs to another user: nothing in it can be trusted."),
                format!("{folder} 폴더가 다른 사용자의 것이라 믿을 수 없습니다."),
            ),
            Self::FolderOpen(folder) => {
                (format!("Others can enter {folder}."), format!("다른 사용자가 {folder}에 들어갈 수 있습니다."))
            }
            Self::FolderReadOnly(folder, cause) => (
                format!("{folder} cannot be written to ({cause}): nothing would be remembered."),
                format!("{folder}에 쓸 수 없어({cause}) 아무것도 저장되지 않습니다."),
            ),
            Self::NoHistory => ("There is none yet.".to_owned(), "아직 없습니다.".to_owned()),
            Self::HistoryGood(bytes) => {
                (format!("Whole, {}.", size(*bytes)), format!("이상이 없습니다({}).", size(*bytes)))
            }
            Self::HistoryBad(cause) => (
                format!("It is damaged ({cause}); Lifeguard keeps it aside at its next start and begins a new one."),
                format!("손상되었습니다({cause}). Lifeguard가 다음에 시작할 때 따로 보관하고 새로 만듭니다."),
            ),
            Self::HistoryLarge(bytes) => {
                (format!("It has grown to {}.", size(*bytes)), format!("크기가 {}입니다.", size(*bytes)))
            }
            Self::LogsSmall(bytes) => (format!("{} together.", size(*bytes)), format!("모두 {}입니다.", size(*bytes))),
            Self::LogLarge(file, bytes) => {
                (format!("{file} has grown to {}.", size(*bytes)), format!("{file}의 크기가 {}입니다.", size(*bytes)))
            }
            Self::Room(free) => {
                (format!("At least {} free.", size(*free)), format!("{} 이상 남아 있습니다.", size(*free)))
            }
            Self::NoRoom(folder, free) => (
                format!("Only {} is free on the disk of {folder}.", size(*free)),
                format!("{folder}의 디스크에 {}만 남았습니다.", size(*free)),
            ),
            Self::ClockGood => {
                ("It is right, as far as can be told.".to_owned(), "확인되는 문제가 없습니다.".to_owned())
            }
            Self::ClockBehind(now) => (
                format!("It shows {now}, which is before this program was made."),
                format!("이 프로그램이 만들어지기 전인 {now}로 되어 있습니다."),
            ),
            Self::ClockAlone => (
                "It is not set by the network: alerts may bear wrong times.".to_owned(),
                "네트워크로 맞추지 않아 알림의 시각이 틀릴 수 있습니다.".to_owned(),
            ),
            Self::Answers => {
                ("Lifeguard runs and answers.".to_owned(), "Lifeguard가 실행 중이고 응답합니다.".to_owned())
            }
            Self::NotRunning => (
                "Lifeguard does not run: nobody watches the gateway.".to_owned(),
                "Lifeguard가 실행 중이 아니어서 게이트웨이를 감시하지 않습니다.".to_owned(),
            ),
            Self::Silent(cause) => (
                format!("Lifeguard runs and does not answer: {cause}"),
                format!("Lifeguard가 실행 중이지만 응답하지 않습니다: {cause}"),
            ),
            Self::SameVersion(version) => {
                (format!("{version}, the one that runs."), format!("실행 중인 것과 같은 {version}입니다."))
            }
            Self::OtherVersion { own, running } => (
                format!("This is {own}, and {running} runs."),
                format!("이 프로그램은 {own}이고 실행 중인 것은 {running}입니다."),
            ),
            Self::AllDelivered => ("None.".to_owned(), "없습니다.".to_owned()),
            Self::ChannelTrouble(channel, problem) => {
                (format!("{channel}: {problem}"), format!("{channel}: {problem}"))
            }
            Self::NotificationsOff => {
                ("Switched off in the configuration.".to_owned(), "설정에서 꺼져 있습니다.".to_owned())
            }
            Self::NotificationsGood => {
                ("The desktop takes them.".to_owned(), "데스크톱에 표시할 수 있습니다.".to_owned())
            }
            Self::NotificationsBad(problem) => return problem.clone(),
            Self::Login(item) => return item.say(language),
            Self::NotConfigured => ("Not configured.".to_owned(), "설정되지 않았습니다.".to_owned()),
            Self::Shaped => (
                "Its address has the right shape; `lifeguard check --online` contacts it.".to_owned(),
                "주소 형식이 올바릅니다. `lifeguard check --online`으로 접속까지 확인합니다.".to_owned(),
            ),
            Self::Reached(took) => {
                (format!("It answers, in {} ms.", took.as_millis()), format!("응답합니다({} ms).", took.as_millis()))
            }
            Self::NotReached(reason) => (format!("It does not work: {reason}"), format!("쓸 수 없습니다: {reason}")),
            Self::NotAnAddress => {
                ("What the keychain holds is no address.".to_owned(), "키체인에 있는 값이 주소가 아닙니다.".to_owned())
            }
            Self::NoRivals => (
                "Nothing else was found that restarts the gateway.".to_owned(),
                "게이트웨이를 재시작하는 다른 프로그램이 없습니다.".to_owned(),
            ),
            Self::Rivals(rivals) => {
                let told: Vec<String> = rivals.iter().map(|(what, place)| format!("{what} ({place})")).collect();
                let (told, restarts) =
                    (told.join("; "), if rivals.len() == 1 { "This restarts" } else { "These restart" });
                (
                    format!("{restarts} the gateway too, and would fight with Lifeguard: {told}."),
                    format!("게이트웨이를 함께 재시작하여 Lifeguard와 충돌합니다: {told}"),
                )
            }
            Self::Unclear(cause) => (format!("Not known: {cause}"), format!("확인하지 못했습니다: {cause}")),
        };
        language.pick(english, korean)
    }
}
