//! What a report says, in channels and in the terminal.

use std::time::Duration;

use super::{Language, Phrase, words};
use crate::snapshot::DaySnapshot;
use crate::supervisor::report::{GatewayReport, Period, Report};

/// A share of watching below which a report says how long it was watched.
const WHOLE: u64 = 99;

/// The headline.
#[must_use]
pub fn title(report: &Report, language: Language) -> String {
    let name = match report.period {
        Period::Day => language.pick("Daily report", "일일 보고"),
        Period::Week => language.pick("Weekly report", "주간 보고"),
    };
    format!("{name}: {}", outages(report.outages(), report.downtime(), language))
}

/// The row of the menu: what happened in the last day.
#[must_use]
pub fn row(day: DaySnapshot, language: Language) -> String {
    let happened = outages(day.outages, day.downtime, language);
    let healed = match (day.outages, day.open) {
        (0, _) => "",
        (_, 0) => language.pick(", healed", ", 복구됨"),
        _ => language.pick(", not over yet", ", 아직 진행 중"),
    };
    format!("{}: {happened}{healed}", language.pick("Last 24 h", "지난 24시간"))
}

/// The sentences: one line for each gateway.
#[must_use]
pub fn body(report: &Report, language: Language) -> Vec<String> {
    let several = report.gateways.len() > 1;
    let line = |gateway: &GatewayReport| {
        let said = sentences(gateway, report.period, language).join(" ");
        if several { format!("{}: {said}", gateway.name) } else { said }
    };
    report.gateways.iter().map(line).collect()
}

fn outages(count: u32, downtime: u64, language: Language) -> String {
    let time = words::duration(Duration::from_millis(downtime), language);
    match (language, count) {
        (Language::English, 0) => "no outage".to_owned(),
        (Language::English, 1) => format!("1 outage, {time}"),
        (Language::English, _) => format!("{count} outages, {time}"),
        (Language::Korean, 0) => "장애 없음".to_owned(),
        (Language::Korean, _) => format!("장애 {count}회, {time}"),
    }
}

fn sentences(gateway: &GatewayReport, period: Period, language: Language) -> Vec<String> {
    let mut said = Vec::new();
    let length = u64::try_from(period.length()).unwrap_or(u64::MAX);
    let span = |milliseconds| words::duration(Duration::from_millis(milliseconds), language);
    let english = language == Language::English;
    if gateway.watched == 0 {
        said.push(language.pick("Not watched in this time.", "이 기간에는 감시하지 않았습니다.").to_owned());
    } else {
        let up = percent(gateway.up, gateway.up + gateway.down);
        said.push(match up {
            Some(up) if english => format!("Up {up} of the time that it was wanted."),
            Some(up) => format!("필요한 시간 중 {up} 가동."),
            None => language.pick("It was not wanted up.", "가동할 필요가 없었습니다.").to_owned(),
        });
        if gateway.watched.saturating_mul(100) < length.saturating_mul(WHOLE) {
            let watched = span(gateway.watched);
            said.push(if english {
                format!("Watched for {watched} of {}.", span(length))
            } else {
                format!("{} 중 {watched} 동안 감시.", span(length))
            });
        }
    }
    if gateway.outages > 0 {
        let mean = span(gateway.downtime / u64::from(gateway.outages));
        let counted = outages(gateway.outages, gateway.downtime, language);
        said.push(match (gateway.outages, english) {
            (1, true) => format!("{}.", capital(&counted)),
            (_, true) => format!("{} together, {mean} on average.", capital(&counted)),
            (1, false) => format!("{counted}."),
            (_, false) => format!("{counted}, 평균 {mean}."),
        });
        if let Some(longest) = &gateway.longest {
            let (lasted, matter) = (span(longest.duration), longest.verdict.say(language));
            said.push(if english {
                format!("The longest: {lasted}, {matter}.")
            } else {
                format!("최장 {lasted}: {matter}.")
            });
        }
    }
    if gateway.open > 0 {
        said.push(language.pick("The last one is not over yet.", "마지막 장애는 아직 끝나지 않았습니다.").to_owned());
    }
    let (attempts, asked) = (gateway.attempts, gateway.asked);
    if attempts + asked > 0 {
        said.push(if english {
            format!("Attempts to heal it: {attempts}; restarts that you asked for: {asked}.")
        } else {
            format!("복구 시도 {attempts}회, 요청한 재시작 {asked}회.")
        });
    }
    if let Some(memory) = gateway.memory {
        let memory = words::size(memory);
        said.push(if english { format!("Most memory: {memory}.") } else { format!("최대 메모리 {memory}.") });
    }
    said
}

/// A share in percent that says 100 only if it is whole.
fn percent(part: u64, whole: u64) -> Option<String> {
    let hundredths = part.saturating_mul(10_000).checked_div(whole)?;
    Some(if hundredths == 10_000 {
        "100 %".to_owned()
    } else {
        format!("{}.{:02} %", hundredths / 100, hundredths % 100)
    })
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::supervisor::incident::IncidentSummary;
    use crate::supervisor::report::Course;
    use crate::supervisor::verdict::Verdict;

    fn gateway() -> GatewayReport {
        GatewayReport {
            name: "home".to_owned(),
            watched: 86_400_000,
            up: 86_208_000,
            down: 192_000,
            outages: 2,
            open: 0,
            downtime: 192_000,
            longest: Some(IncidentSummary {
                id: 1,
                began: 0,
                ended: Some(160_000),
                duration: 160_000,
                verdict: Verdict::Gone,
                exit: None,
                attempts: 1,
            }),
            attempts: 2,
            asked: 1,
            memory: Some(851_443_712),
            course: Course::default(),
        }
    }

    fn quiet() -> GatewayReport {
        GatewayReport {
            name: "quiet".to_owned(),
            watched: 40_000_000,
            up: 40_000_000,
            down: 0,
            outages: 0,
            downtime: 0,
            longest: None,
            attempts: 0,
            asked: 0,
            ..gateway()
        }
    }

    #[test]
    fn a_report_reads_well_in_both_languages() {
        let unwatched = GatewayReport { watched: 0, up: 0, memory: None, ..quiet() };
        let open = GatewayReport { outages: 1, open: 1, ..gateway() };
        let mut pages = String::new();
        for language in Language::ALL {
            for (period, gateways) in [
                (Period::Day, vec![gateway()]),
                (Period::Day, vec![quiet()]),
                (Period::Day, vec![open.clone()]),
                (Period::Week, vec![gateway(), quiet(), unwatched.clone()]),
            ] {
                let report = Report { period, to: 0, gateways };
                let _ = writeln!(pages, "{}", title(&report, language));
                let _ = writeln!(pages, "{}\n", body(&report, language).join("\n"));
            }
        }
        for language in Language::ALL {
            for (outages, open) in [(0, 0), (2, 0), (1, 1)] {
                let day = DaySnapshot { outages, downtime: 192_000 * u64::from(outages), open };
                let _ = writeln!(pages, "{}", row(day, language));
            }
        }
        insta::assert_snapshot!(pages);
    }

    #[test]
    fn only_the_whole_is_a_hundred_percent() {
        let said = |part, whole| percent(part, whole).unwrap_or_default();
        assert_eq!([said(1, 1), said(99_999, 100_000), said(0, 5), said(1, 0)], ["100 %", "99.99 %", "0.00 %", ""]);
    }
}
