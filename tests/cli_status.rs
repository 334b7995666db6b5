//! What `lifeguard status` shows.

#[path = "support/snapshots.rs"]
mod snapshots;

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use lifeguard::cli::Exit;
use lifeguard::cli::output::Output;
use lifeguard::cli::status::Report;
use lifeguard::snapshot::{BreakerSnapshot, GatewaySnapshot, HealSnapshot, PauseSnapshot, Snapshot};
use lifeguard::supervisor::ladder::Rung;
use lifeguard::supervisor::verdict::{Health, Verdict};
use lifeguard::text::Language;
use snapshots::{MINUTE, NOON, NOON_ELAPSED, healthy, incident, snapshot};

fn report(snapshot: &Snapshot) -> Report<'_> {
    Report { running: true, snapshot, now: NOON, now_elapsed: NOON_ELAPSED }
}

fn show(report: &Report<'_>, language: Language) -> String {
    report.text(language, Output::plain(), &TimeZone::UTC)
}

fn down() -> GatewaySnapshot {
    GatewaySnapshot {
        health: Health::Down,
        verdict: Verdict::Gone,
        since: NOON - 12_000,
        pid: None,
        uptime: None,
        latency: None,
        memory: None,
        crashes: 2,
        crashes_clear: Some(NOON + 300 * MINUTE),
        next_attempt: Some(NOON + 30_000),
        incident: Some(incident(None)),
        ..healthy()
    }
}

#[test]
fn healthy_after_an_incident() {
    let gateway = GatewaySnapshot { last_incident: Some(incident(Some(NOON - 8 * MINUTE))), ..healthy() };
    let snapshot = snapshot(gateway);
    assert_eq!(report(&snapshot).exit(), Exit::Good);
    assert_snapshot!(show(&report(&snapshot), Language::English), @"
    gateway: Up and ready, for 3 h 10 min

      address        127.0.0.1:18789
      service        systemd
      pid            4242
      version        2026.9.6
      uptime         3 h 10 min
      memory         734 MB
      last checked   4 s ago, answered in 0.5 ms
      crashes        0 of 6
      breaker        closed
      last incident  10 min ago: its process is gone; lasted 1 min 12 s, 2 attempts
      channels       native, discord (last: recovered, 5 min ago)
    ");
    assert_snapshot!(show(&report(&snapshot), Language::Korean), @"
    gateway: 정상, 3시간 10분째

      주소         127.0.0.1:18789
      서비스       systemd
      프로세스     4242
      버전         2026.9.6
      가동 시간    3시간 10분
      메모리       734 MB
      마지막 확인  4초 전, 응답 시간 0.5 ms
      충돌 횟수    6회 중 0회
      차단기       닫힘
      지난 장애    10분 전: 프로세스가 사라짐, 1분 12초 지속, 시도 2회
      알림 채널    native, discord (마지막: recovered, 5분 전)
    ");
}

#[test]
fn down_with_the_next_attempt() {
    let snapshot = snapshot(down());
    assert_eq!(report(&snapshot).exit(), Exit::Bad);
    assert_snapshot!(show(&report(&snapshot), Language::English), @"
    gateway: Down, for 12 s (its process is gone)

      address       127.0.0.1:18789
      service       systemd
      version       2026.9.6
      last checked  4 s ago
      crashes       2 of 6, clears in 5 h
      breaker       closed
      incident      its process is gone; for 10 min now, 2 attempts
      next attempt  in 30 s
      channels      native, discord (last: recovered, 5 min ago)
    ");
    assert_snapshot!(show(&report(&snapshot), Language::Korean), @"
    gateway: 중단됨, 12초째 (프로세스가 사라짐)

      주소         127.0.0.1:18789
      서비스       systemd
      버전         2026.9.6
      마지막 확인  4초 전
      충돌 횟수    6회 중 2회, 5시간 후 초기화
      차단기       닫힘
      장애         프로세스가 사라짐, 10분째, 시도 2회
      다음 시도    30초 후
      알림 채널    native, discord (마지막: recovered, 5분 전)
    ");
}

#[test]
fn healing() {
    let heal = HealSnapshot { id: 3, rung: Rung::Restart, began: NOON - 3_000, asked: false };
    let gateway = GatewaySnapshot { health: Health::Healing, heal: Some(heal), ..down() };
    let snapshot = snapshot(gateway);
    assert_snapshot!(show(&report(&snapshot), Language::English), @"
    gateway: Healing, for 12 s (its process is gone)

      address       127.0.0.1:18789
      service       systemd
      version       2026.9.6
      last checked  4 s ago
      crashes       2 of 6, clears in 5 h
      breaker       closed
      incident      its process is gone; for 10 min now, 2 attempts
      attempt       restart, running for 3 s
      channels      native, discord (last: recovered, 5 min ago)
    ");
    assert_snapshot!(show(&report(&snapshot), Language::Korean), @"
    gateway: 복구 중, 12초째 (프로세스가 사라짐)

      주소         127.0.0.1:18789
      서비스       systemd
      버전         2026.9.6
      마지막 확인  4초 전
      충돌 횟수    6회 중 2회, 5시간 후 초기화
      차단기       닫힘
      장애         프로세스가 사라짐, 10분째, 시도 2회
      시도         재시작, 3초째 진행 중
      알림 채널    native, discord (마지막: recovered, 5분 전)
    ");
}

#[test]
fn safe_mode() {
    let gateway = GatewaySnapshot {
        health: Health::SafeMode,
        verdict: Verdict::Hung,
        breaker: BreakerSnapshot::Open,
        crashes: 6,
        next_attempt: Some(NOON + 20 * MINUTE),
        ..down()
    };
    let snapshot = snapshot(gateway);
    assert_snapshot!(show(&report(&snapshot), Language::English), @"
    gateway: Safe mode, for 12 s (it hangs: it accepts connections and answers nothing)

      address       127.0.0.1:18789
      service       systemd
      version       2026.9.6
      last checked  4 s ago
      crashes       6 of 6, clears in 5 h
      breaker       open: safe mode, trials go on
      incident      its process is gone; for 10 min now, 2 attempts
      next attempt  in 20 min
      channels      native, discord (last: recovered, 5 min ago)
    ");
    assert_snapshot!(show(&report(&snapshot), Language::Korean), @"
    gateway: 안전 모드, 12초째 (멈춤: 연결은 되지만 응답이 없음)

      주소         127.0.0.1:18789
      서비스       systemd
      버전         2026.9.6
      마지막 확인  4초 전
      충돌 횟수    6회 중 6회, 5시간 후 초기화
      차단기       열림: 안전 모드, 시도는 계속됨
      장애         프로세스가 사라짐, 10분째, 시도 2회
      다음 시도    20분 후
      알림 채널    native, discord (마지막: recovered, 5분 전)
    ");
}

#[test]
fn paused_until_tomorrow() {
    let gateway = GatewaySnapshot {
        health: Health::Paused,
        pause: Some(PauseSnapshot { until: Some(NOON + 20 * 60 * MINUTE) }),
        practice: true,
        service: "child".to_owned(),
        ..healthy()
    };
    let snapshot = snapshot(gateway);
    assert_eq!(report(&snapshot).exit(), Exit::Bad);
    assert_snapshot!(show(&report(&snapshot), Language::English), @"
    gateway: Paused, for 3 h 10 min [practice gateway]

      address       127.0.0.1:18789
      service       child (Lifeguard runs it)
      pid           4242
      version       2026.9.6
      uptime        3 h 10 min
      memory        734 MB
      last checked  4 s ago, answered in 0.5 ms
      crashes       0 of 6
      breaker       closed
      pause         until 2026-11-23 08:00
      channels      native, discord (last: recovered, 5 min ago)
    ");
    assert_snapshot!(show(&report(&snapshot), Language::Korean), @"
    gateway: 일시 중지됨, 3시간 10분째 [연습용 게이트웨이]

      주소         127.0.0.1:18789
      서비스       child (Lifeguard가 직접 실행)
      프로세스     4242
      버전         2026.9.6
      가동 시간    3시간 10분
      메모리       734 MB
      마지막 확인  4초 전, 응답 시간 0.5 ms
      충돌 횟수    6회 중 0회
      차단기       닫힘
      일시 중지    2026-11-23 08:00까지
      알림 채널    native, discord (마지막: recovered, 5분 전)
    ");
}

#[test]
fn an_old_picture_is_shown_as_old_whatever_it_said() {
    let snapshot = snapshot(healthy());
    let late = Report { now: NOON + 30 * MINUTE, now_elapsed: NOON_ELAPSED + 30 * MINUTE, ..report(&snapshot) };
    assert_eq!(late.exit(), Exit::Bad);
    assert_snapshot!(show(&late, Language::English), @"
    Lifeguard has not looked for 30 min: what follows is old and may no longer be true.

    gateway: Not known: nobody has looked for a while

      address       127.0.0.1:18789
      service       systemd
      pid           4242
      version       2026.9.6
      uptime        3 h 10 min
      memory        734 MB
      last checked  30 min 4 s ago, answered in 0.5 ms
      crashes       0 of 6
      breaker       closed
      channels      native, discord (last: recovered, 35 min ago)
    ");
    assert_snapshot!(show(&late, Language::Korean), @"
    Lifeguard가 30분 동안 확인하지 못했습니다. 아래 내용은 오래되어 다를 수 있습니다.

    gateway: 알 수 없음: 한동안 확인하지 못했습니다

      주소         127.0.0.1:18789
      서비스       systemd
      프로세스     4242
      버전         2026.9.6
      가동 시간    3시간 10분
      메모리       734 MB
      마지막 확인  30분 4초 전, 응답 시간 0.5 ms
      충돌 횟수    6회 중 0회
      차단기       닫힘
      알림 채널    native, discord (마지막: recovered, 35분 전)
    ");
}

#[test]
fn one_look_while_lifeguard_does_not_run() {
    let gateway = GatewaySnapshot { service: "attached".to_owned(), ..healthy() };
    let snapshot = snapshot(gateway);
    let looked = Report { running: false, ..report(&snapshot) };
    assert_eq!(looked.exit(), Exit::Good);
    assert_snapshot!(show(&looked, Language::English), @"
    Lifeguard is not running; this is what one look just now saw. Start it with `lifeguard`.

    gateway: Up and ready

      address       127.0.0.1:18789
      service       attached (started by hand)
      pid           4242
      version       2026.9.6
      uptime        3 h 10 min
      memory        734 MB
      last checked  4 s ago, answered in 0.5 ms
    ");
    assert_snapshot!(show(&looked, Language::Korean), @"
    Lifeguard가 실행 중이 아닙니다. 아래는 방금 한 번 확인한 결과입니다. `lifeguard`로 시작하세요.

    gateway: 정상

      주소         127.0.0.1:18789
      서비스       attached (직접 시작됨)
      프로세스     4242
      버전         2026.9.6
      가동 시간    3시간 10분
      메모리       734 MB
      마지막 확인  4초 전, 응답 시간 0.5 ms
    ");
}

#[test]
fn the_json_keeps_its_shape() {
    assert_snapshot!(report(&snapshot(down())).json().unwrap(), @r#"
    {
      "schema": 1,
      "lifeguard_running": true,
      "stale": false,
      "taken": 1795348800000,
      "taken_elapsed": 5000000,
      "stale_after": 20000,
      "lifeguard_version": "0.1.0",
      "gateways": [
        {
          "name": "gateway",
          "address": "127.0.0.1:18789",
          "practice": false,
          "service": "systemd",
          "health": "down",
          "verdict": "gone",
          "since": 1795348788000,
          "checked": 1795348796000,
          "pid": null,
          "version": "2026.9.6",
          "uptime": null,
          "latency": null,
          "memory": null,
          "leak": null,
          "in_flight": null,
          "crashes": 2,
          "crash_limit": 6,
          "crashes_clear": 1795366800000,
          "breaker": "closed",
          "next_attempt": 1795348830000,
          "heal": null,
          "incident": {
            "id": 7,
            "began": 1795348200000,
            "ended": null,
            "duration": 72000,
            "verdict": "gone",
            "exit": null,
            "attempts": 2
          },
          "last_incident": null,
          "pause": null,
          "needs": [],
          "log": null,
          "evidence": null,
          "config_change": null,
          "notice": null
        }
      ],
      "channels": [
        {
          "name": "native",
          "last_delivery": null,
          "problem": null,
          "waiting": 0,
          "delivered": 0,
          "failed": 0,
          "refused": null,
          "quiet": null
        },
        {
          "name": "discord",
          "last_delivery": {
            "at": 1795348500000,
            "kind": "recovered"
          },
          "problem": null,
          "waiting": 0,
          "delivered": 0,
          "failed": 0,
          "refused": null,
          "quiet": null
        }
      ],
      "day": null,
      "page": "http://127.0.0.1:18799/",
      "notices": []
    }
    "#);
}

#[test]
fn several_gateways_are_healthy_only_together() {
    let mut both = snapshot(healthy());
    both.gateways.push(GatewaySnapshot { name: "work".to_owned(), ..down() });
    assert_eq!(report(&both).exit(), Exit::Bad);
    both.gateways[1].health = Health::Healthy;
    assert_eq!(report(&both).exit(), Exit::Good);
    both.gateways.clear();
    assert_eq!(report(&both).exit(), Exit::Bad);
}

/// The names that a part of a document's table says in backticks.
fn named(document: &str, row: &str) -> Vec<String> {
    let line = document.lines().find(|line| line.starts_with(row)).unwrap_or_default();
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_field_of_the_json_is_documented() {
    let document = include_str!("../docs/cli.md");
    let json: serde_json::Value = serde_json::from_str(&report(&snapshot(down())).json().unwrap()).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for key in keys(&json) {
        let documented = [format!("| `{key}`"), format!("| `{key}[]`"), format!(", `{key}`")];
        assert!(documented.iter().any(|form| document.contains(form)), "docs/cli.md does not name {key}");
    }
    for (list, row) in [("gateways", "| `gateways[]` |"), ("channels", "| `channels[]` |")] {
        let documented = named(document, row);
        for key in keys(&json[list][0]) {
            assert!(documented.contains(&key), "docs/cli.md does not name {key} of {list}");
        }
    }
}
