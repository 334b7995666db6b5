//! What `--help` says.

use super::Language;

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
