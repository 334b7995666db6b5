//! Examples below the help of commands: the place in the command line, and for each a line and what it does.

/// One example: what to type, English, Korean.
pub type Example = (&'static str, &'static str, &'static str);

/// Examples by the place of their command, as in [`HELP`](super::help::HELP).
pub const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            ("lifeguard", "the menu-bar app", "메뉴 막대 앱"),
            ("lifeguard status", "how the gateway is", "게이트웨이 상태"),
            ("lifeguard check", "whether all will work when it is needed", "필요할 때 제대로 동작할지 점검"),
            ("lifeguard demo", "everything on a practice gateway", "연습용 게이트웨이로 체험"),
        ],
    ),
    (
        "status",
        &[
            ("lifeguard status --watch", "go on until Ctrl-C", "Ctrl-C를 누를 때까지 계속"),
            ("lifeguard status --json | jq .gateways[0].health", "for a script", "스크립트용"),
        ],
    ),
    (
        "restart",
        &[
            ("lifeguard restart", "finish running work first", "진행 중인 작업을 먼저 마침"),
            ("lifeguard restart home --force", "the gateway `home`, now", "`home` 게이트웨이를 바로"),
        ],
    ),
    (
        "pause",
        &[
            ("lifeguard pause 1h 30m", "for an hour and a half", "한 시간 반 동안"),
            ("lifeguard pause until 08:00", "until eight in the morning", "아침 8시까지"),
        ],
    ),
    (
        "logs",
        &[
            ("lifeguard logs -f", "the gateway's log, as it grows", "게이트웨이 로그를 계속"),
            (
                "lifeguard logs watchdog --since 1h",
                "what Lifeguard did in the last hour",
                "Lifeguard가 지난 한 시간 동안 한 일",
            ),
        ],
    ),
    ("incidents show", &[("lifeguard incidents show 7 --json", "the report of incident 7", "7번 장애의 보고서")]),
    (
        "check",
        &[
            ("lifeguard check --fix", "mend what is safe to mend", "안전한 것은 바로 고침"),
            (
                "lifeguard check --json | jq '.findings[] | select(.verdict == \"problem\")'",
                "for a script",
                "스크립트용",
            ),
        ],
    ),
    (
        "config",
        &[
            ("lifeguard config init", "a file to begin with, all of it commented out", "모두 주석 처리된 시작용 파일"),
            ("lifeguard config edit", "open it in $EDITOR, and check what came of it", "$EDITOR로 열고 끝나면 점검"),
        ],
    ),
    (
        "completions",
        &[
            ("lifeguard completions bash > ~/.local/share/bash-completion/completions/lifeguard", "bash", "bash"),
            ("lifeguard completions zsh > \"${fpath[1]}/_lifeguard\"", "zsh", "zsh"),
            ("lifeguard completions fish > ~/.config/fish/completions/lifeguard.fish", "fish", "fish"),
        ],
    ),
    (
        "drill run",
        &[
            ("lifeguard drill run kill", "kill a practice gateway", "연습용 게이트웨이를 강제 종료"),
            ("lifeguard drill run all --json | jq .healed", "for a script", "스크립트용"),
            (
                "lifeguard drill run hang --real",
                "freeze your own gateway, after asking",
                "확인 후 실제 게이트웨이를 멈춤",
            ),
        ],
    ),
    ("man", &[("lifeguard man ~/.local/share/man/man1 && man lifeguard", "read it", "읽기")]),
];
