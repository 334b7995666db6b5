//! What `lifeguard drill` says.

use std::time::Duration;

use super::words::alert_kind;
use super::{Language, Phrase};
use crate::drill::exercise::Exercise;
use crate::supervisor::verdict::Health;

impl Phrase for Exercise {
    /// What goes wrong, and what Lifeguard is expected to do.
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Kill => ("the gateway is killed: it is started again", "게이트웨이가 강제 종료됨: 다시 시작"),
            Self::Hang => ("it answers nothing any more: it is restarted", "더 이상 응답하지 않음: 재시작"),
            Self::Slow => ("it answers far too late: that is told", "응답이 지나치게 늦음: 알림"),
            Self::Port => (
                "it is killed and another program takes its port: that is told, and it is started once the port is free",
                "강제 종료된 뒤 다른 프로그램이 포트를 차지함: 알리고, 포트가 비면 시작",
            ),
            Self::Config => (
                "its configuration is broken and it is killed: the good configuration is put back",
                "설정이 깨진 채 강제 종료됨: 정상 설정을 복원",
            ),
            Self::Memory => (
                "it takes more memory than it may: it is restarted in order",
                "허용량보다 많은 메모리를 사용함: 순서대로 재시작",
            ),
            Self::Dependency => (
                "it is killed while a host that it needs is gone: it is started once the host is back",
                "필요한 호스트가 없는 동안 강제 종료됨: 호스트가 돌아오면 시작",
            ),
            Self::Webhook => (
                "it is killed while alerts are refused: they are delivered later",
                "알림이 거부되는 동안 강제 종료됨: 나중에 전달",
            ),
            Self::Disk => (
                "it is killed while its disk has too little room: it is started once there is room",
                "디스크 공간이 부족한 동안 강제 종료됨: 공간이 생기면 시작",
            ),
        };
        language.pick(english, korean).to_owned()
    }
}

/// A time of a drill, to a tenth of a second.
#[must_use]
pub fn seconds(time: Duration, language: Language) -> String {
    format!("{:.1}{}", time.as_secs_f64(), language.pick(" s", "초"))
}

/// A column of the scoreboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The drill.
    Drill,
    /// What Lifeguard took it for.
    SeenAs,
    /// How long until it noticed.
    Detected,
    /// When the drill ended the fault.
    Lifted,
    /// How long until the gateway was healthy again.
    Recovered,
    /// What Lifeguard did.
    Rungs,
    /// What it told.
    Alerts,
}

impl Phrase for Column {
    fn say(&self, language: Language) -> String {
        let (english, korean) = match self {
            Self::Drill => ("drill", "훈련"),
            Self::SeenAs => ("seen as", "판정"),
            Self::Detected => ("detected in", "감지"),
            Self::Lifted => ("fault ended after", "장애 해제"),
            Self::Recovered => ("recovered in", "복구"),
            Self::Rungs => ("done", "조치"),
            Self::Alerts => ("alerts", "알림"),
        };
        language.pick(english, korean).to_owned()
    }
}

/// What is said while a drill runs, and at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrillPhrase {
    /// A practice gateway and a Lifeguard for it are started.
    Preparing(Exercise),
    /// The fault is put in, into the gateway with this process id.
    Begins {
        /// The drill.
        exercise: Exercise,
        /// The gateway's process.
        pid: u32,
    },
    /// An alert of this kind arrived.
    Told(String),
    /// The drill has ended its fault.
    Lifted,
    /// The gateway is healthy again, and everything was told.
    Over,
    /// Nothing of this kind.
    Nothing,
    /// So long after the fault was ended.
    AfterLift(String),
    /// What it waits for.
    WaitsFor(String),
    /// It did not happen.
    Missing,
    /// So many drills of so many ended well.
    Sum {
        /// Ended well.
        good: usize,
        /// All of them.
        all: usize,
    },
    /// May also be done to one's own gateway.
    AlsoReal,
    /// Below the list.
    HowToRun,
    /// Asks for the word that confirms.
    Confirm {
        /// The drill, whose name is the word.
        exercise: Exercise,
        /// The gateway's name.
        gateway: String,
        /// Where it listens.
        address: String,
        /// Its process.
        pid: u32,
    },
}

impl Phrase for DrillPhrase {
    fn say(&self, language: Language) -> String {
        let english = language == Language::English;
        match self {
            Self::Preparing(exercise) => language.pick(
                format!("{}: starting a practice gateway and a Lifeguard for it …", exercise.name()),
                format!("{}: 연습용 게이트웨이와 전용 Lifeguard를 시작하는 중…", exercise.name()),
            ),
            Self::Begins { exercise, pid } if english => {
                format!("{}: {} (pid {pid})", exercise.name(), exercise.say(language))
            }
            Self::Begins { exercise, pid } => format!("{}: {} (프로세스 {pid})", exercise.name(), exercise.say(language)),
            Self::Told(kind) => format!("{}: {}", language.pick("alert", "알림"), alert_kind(kind, language)),
            Self::Lifted => language.pick("the drill ends its fault", "훈련이 장애를 해제함").to_owned(),
            Self::Over => language.pick("over", "끝").to_owned(),
            Self::Nothing => language.pick("nothing", "없음").to_owned(),
            Self::AfterLift(time) => language.pick(format!("{time} after that"), format!("해제 {time} 후")),
            Self::WaitsFor(what) => language.pick(format!("waits for {what}"), format!("{what} 대기")),
            Self::Missing => language.pick("never", "안 됨").to_owned(),
            Self::Sum { good, all } => {
                language.pick(format!("{good} of {all} ended well."), format!("{all}건 중 {good}건이 잘 끝났습니다."))
            }
            Self::AlsoReal => language.pick("also with --real", "--real 가능").to_owned(),
            Self::HowToRun => language
                .pick(
                    "`lifeguard drill run NAME` runs one on a practice gateway, `lifeguard drill run all` all of them.",
                    "`lifeguard drill run NAME`은 연습용 게이트웨이에서 하나를, `lifeguard drill run all`은 모두를 실행합니다.",
                )
                .to_owned(),
            Self::Confirm { exercise, gateway, address, pid } => confirmation(*exercise, gateway, address, *pid, language),
        }
    }
}

fn confirmation(exercise: Exercise, gateway: &str, address: &str, pid: u32, language: Language) -> String {
    let word = exercise.name();
    match (exercise, language) {
        (Exercise::Hang, Language::English) => format!(
            "This is your own gateway: \"{gateway}\" at {address}, pid {pid}. It will be frozen (SIGSTOP); Lifeguard has to \
             see it and restart it. Who talks to it waits until then.\nType {word} to go on:"
        ),
        (Exercise::Hang, Language::Korean) => format!(
            "실제 게이트웨이입니다: \"{gateway}\", {address}, 프로세스 {pid}. 프로세스를 멈추고(SIGSTOP) Lifeguard가 감지하여 \
             재시작해야 합니다. 그동안 사용자는 응답을 받지 못합니다.\n계속하려면 {word} 입력:"
        ),
        (_, Language::English) => format!(
            "This is your own gateway: \"{gateway}\" at {address}, pid {pid}. It will be killed (SIGKILL); it has to be \
             brought back. What it is working on is lost.\nType {word} to go on:"
        ),
        (_, Language::Korean) => format!(
            "실제 게이트웨이입니다: \"{gateway}\", {address}, 프로세스 {pid}. 프로세스를 강제 종료하며(SIGKILL) 다시 \
             복구되어야 합니다. 진행 중인 작업은 사라집니다.\n계속하려면 {word} 입력:"
        ),
    }
}

/// Why a drill was not begun, or broke off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrillProblem {
    /// All drills at once are for the practice gateway.
    NotAllForReal,
    /// This one is for the practice gateway only.
    NotForReal(Exercise),
    /// Nobody is there to confirm.
    NotConfirmed,
    /// Something else than the word was typed.
    WrongWord,
    /// The gateway is not healthy to begin with.
    NotHealthy {
        /// The gateway.
        gateway: String,
        /// How it is.
        health: Health,
    },
    /// It has work in flight.
    Busy {
        /// The gateway.
        gateway: String,
        /// Pieces of work.
        work: u32,
    },
    /// Nobody would start it again.
    NobodyStarts(String),
    /// One more crash would open the breaker.
    NearBreaker(String),
    /// Its process could not be confirmed.
    Unconfirmed(String),
    /// The Lifeguard that runs is a demo's.
    OnlyDemo,
    /// The places of the drill could not be made, or something in them not be done; what the system said.
    Place(String),
    /// The drill's own Lifeguard, or its gateway, did not come up in time.
    NotUp {
        /// How the gateway was shown last, if it was.
        health: Option<Health>,
        /// The end of the Lifeguard's own output.
        said: String,
    },
    /// The fault could not be put in; what went wrong.
    NoFault(String),
    /// A signal ended the drill.
    Interrupted,
    /// Something that the drill started is still there.
    LeftBehind(String),
}

impl DrillProblem {
    /// Whether the command line is to blame.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NotAllForReal | Self::NotForReal(_) | Self::NotConfirmed)
    }
}

impl Phrase for DrillProblem {
    fn say(&self, language: Language) -> String {
        match self {
            Self::NotAllForReal => language
                .pick(
                    "With --real one drill is run at a time: name it.",
                    "--real을 쓸 때는 한 번에 하나만 실행합니다. 이름을 지정하세요.",
                )
                .to_owned(),
            Self::NotForReal(exercise) => not_for_real(*exercise, language),
            Self::NotConfirmed => language
                .pick(
                    "A drill with --real is confirmed at a terminal, or with --yes.",
                    "--real 훈련은 터미널에서 확인하거나 --yes를 써야 합니다.",
                )
                .to_owned(),
            Self::WrongWord => {
                language.pick("That is another word: nothing was done.", "다른 단어입니다. 아무것도 하지 않았습니다.").to_owned()
            }
            Self::NotHealthy { gateway, health } => language.pick(
                format!(
                    "\"{gateway}\" is not up and ready ({}): a drill begins with a healthy gateway. Nothing was done.",
                    health.say(language)
                ),
                format!(
                    "\"{gateway}\" 게이트웨이가 정상이 아닙니다({}). 훈련은 정상일 때 시작합니다. 아무것도 하지 않았습니다.",
                    health.say(language)
                ),
            ),
            Self::Busy { gateway, work } => language.pick(
                format!("\"{gateway}\" has {work} pieces of work in flight, which a drill would lose. Try again later."),
                format!("\"{gateway}\" 게이트웨이가 작업 {work}건을 처리 중이며, 훈련을 하면 사라집니다. 나중에 다시 시도하세요."),
            ),
            Self::NobodyStarts(gateway) => language.pick(
                format!(
                    "\"{gateway}\" was started by hand, and `start_when_dead` is off: nobody would start it again. Nothing was done."
                ),
                format!(
                    "\"{gateway}\" 게이트웨이는 직접 시작되었고 `start_when_dead`가 꺼져 있어 아무도 다시 시작하지 않습니다. 아무것도 하지 않았습니다."
                ),
            ),
            Self::NearBreaker(gateway) => language.pick(
                format!("\"{gateway}\" has crashed too often of late: one more opens the breaker. `lifeguard reset` sets the counter to zero."),
                format!("\"{gateway}\" 게이트웨이가 최근 너무 자주 충돌하여 한 번 더 충돌하면 차단기가 열립니다. `lifeguard reset`으로 횟수를 초기화하세요."),
            ),
            Self::Unconfirmed(gateway) => language.pick(
                format!("The process of \"{gateway}\" could not be confirmed as a gateway of yours. Nothing was signalled."),
                format!("\"{gateway}\" 프로세스가 본인의 게이트웨이인지 확인하지 못했습니다. 신호를 보내지 않았습니다."),
            ),
            Self::OnlyDemo => language
                .pick("What runs here is a demo; `lifeguard drill run` without --real is for that.", "여기서 실행 중인 것은 체험용입니다. --real 없이 `lifeguard drill run`을 쓰세요.")
                .to_owned(),
            Self::Place(cause) => language.pick(
                format!("The drill has no place to work in: {cause}. Set TMPDIR to a folder that can be written."),
                format!("훈련에 쓸 폴더를 만들 수 없습니다: {cause}. TMPDIR을 쓸 수 있는 폴더로 지정하세요."),
            ),
            Self::NotUp { health, said } => not_up(*health, said, language),
            Self::NoFault(cause) => {
                language.pick(format!("The fault could not be put in: {cause}"), format!("장애를 일으키지 못했습니다: {cause}"))
            }
            Self::Interrupted => language
                .pick("Broken off. What the drill had started is gone.", "중단했습니다. 훈련이 시작한 것은 모두 정리했습니다.")
                .to_owned(),
            Self::LeftBehind(what) => language.pick(
                format!("Something of the drill is left: {what}. Remove it by hand."),
                format!("훈련이 남긴 것이 있습니다: {what}. 직접 제거하세요."),
            ),
        }
    }
}

fn not_up(health: Option<Health>, said: &str, language: Language) -> String {
    let shown = health
        .map_or_else(|| language.pick("it did not answer", "응답 없음").to_owned(), |health| health.say(language));
    let said = if said.is_empty() { String::new() } else { format!("\n{said}") };
    language.pick(
        format!(
            "The practice gateway was not up and ready in time ({shown}): a drill begins with a healthy gateway.{said}"
        ),
        format!("연습용 게이트웨이가 제때 준비되지 않았습니다({shown}). 훈련은 정상일 때 시작합니다.{said}"),
    )
}

fn not_for_real(exercise: Exercise, language: Language) -> String {
    let (english, korean) = match exercise {
        Exercise::Kill | Exercise::Hang => ("it is safe", "안전합니다"),
        Exercise::Slow => {
            ("a real gateway cannot be made slow from outside", "실제 게이트웨이를 밖에서 느리게 만들 수 없습니다")
        }
        Exercise::Port => (
            "the gateway would stay down for as long as its port is taken",
            "포트를 차지하는 동안 게이트웨이가 계속 중단됩니다",
        ),
        Exercise::Config => ("your configuration is not touched", "사용자의 설정은 건드리지 않습니다"),
        Exercise::Memory => {
            ("a real gateway cannot be made to take memory", "실제 게이트웨이의 메모리를 늘릴 수 없습니다")
        }
        Exercise::Dependency => ("what your gateway needs is not cut off", "게이트웨이에 필요한 것을 끊지 않습니다"),
        Exercise::Webhook => ("the receivers of your alerts are not ours", "알림을 받는 쪽을 바꿀 수 없습니다"),
        Exercise::Disk => ("your disk is not filled", "사용자의 디스크를 채우지 않습니다"),
    };
    let name = exercise.name();
    language.pick(
        format!("`{name}` is not for your own gateway: {english}. With --real: kill, hang."),
        format!("`{name}` 훈련은 실제 게이트웨이에 쓸 수 없습니다: {korean}. --real 가능: kill, hang."),
    )
}
