//! What watching 1, 10, 100 and 1,000 gateways costs one Lifeguard: `make bench-scale`, or
//! `make bench-scale SCALE="--seconds 60 10 1000"` for some sizes and a shorter time.
//!
//! One process (`stub_gateway`) serves a port for each of them and writes down every look.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/support/cost.rs"]
mod cost;
#[path = "../tests/support/gateway.rs"]
mod gateway;
#[path = "../tests/support/stub.rs"]
mod stub;
#[path = "../tests/support/watch.rs"]
mod watch;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Parser;
use cost::Cost;
use gateway::{GatewayHome, wait_until};
use jiff::Timestamp;
use lifeguard::drill::practice::write_config;
use lifeguard::supervisor::verdict::{Health, Verdict};
use plotters::coord::combinators::IntoLogRange as _;
use plotters::prelude::*;
use serde_json::Value;
use stub::Journal;
use watch::Watch;

/// Distance of two rounds: the default of `probe.interval`.
const INTERVAL: Duration = Duration::from_secs(10);
/// Limit until every gateway has been found well.
const READY_LIMIT: Duration = Duration::from_mins(3);
/// The goals at 1,000 gateways.
const MEMORY_GOAL: f64 = 150.0;
const PROCESSOR_GOAL: f64 = 15.0;
const LATENESS_GOAL: f64 = 100.0;

#[derive(Parser)]
struct Options {
    /// How many gateways, one measurement each.
    #[arg(default_values_t = [1, 10, 100, 1000])]
    sizes: Vec<u16>,
    /// How long each of them lasts.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Where to draw the curves, as SVG.
    #[arg(long)]
    picture: Option<PathBuf>,
}

fn main() {
    let options = Options::parse();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{}, load {}, {} s each", Timestamp::now(), load.trim(), options.seconds);
    println!(
        "| gateways | memory, MB | of it private | processor, % of a core | wake-ups per second | looks | late: median | 99 % | most |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let spell = Duration::from_secs(options.seconds);
    let points: Vec<Point> = options.sizes.iter().map(|&size| measure(size, spell)).collect();
    if let Some((first, last)) = points.first().zip(points.last())
        && last.size > first.size
    {
        let more = f64::from(last.size - first.size);
        let each = |of: fn(&Point) -> f64| (of(last) - of(first)) / more;
        println!(
            "each gateway beyond the first: {:.0} KB, {:.4} % of a core",
            each(|point| point.cost.resident) * 1e3,
            each(|point| point.cost.processor)
        );
    }
    if let Some(picture) = options.picture {
        draw(&picture, &points).unwrap();
    }
}

/// One size.
struct Point {
    size: u16,
    cost: Cost,
    /// In milliseconds: the median and what 99 of 100 stay below.
    late: (f64, f64),
}

/// The stub that serves all ports. Killed when it is dropped.
struct Stub(Child);

impl Drop for Stub {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn measure(size: u16, spell: Duration) -> Point {
    let home = GatewayHome::new(&[], |_| Vec::new());
    let command = stub::command(&home.path(), 0, &["--ports", &size.to_string(), "--note-looks"]);
    let stub = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).spawn().unwrap();
    let _stub = Stub(stub);
    let journal = Journal::of(&home.path());
    let ports = || -> Vec<u16> {
        let text = journal.text();
        let listening = stub::entries(&text).filter(|entry| entry.what == "listening");
        listening.map(|entry| u16::try_from(entry.of).unwrap()).collect()
    };
    assert!(wait_until(READY_LIMIT, || ports().len() == usize::from(size)), "the stub does not listen");

    let watch = Watch::start_with(&home, &config(&home.path(), &ports()));
    let all_well = || {
        let snapshot = watch.snapshot();
        snapshot.is_some_and(|snapshot| {
            let well = |gateway: &lifeguard::snapshot::GatewaySnapshot| {
                gateway.health == Health::Healthy && gateway.verdict == Verdict::Healthy
            };
            snapshot.gateways.len() == usize::from(size) && snapshot.gateways.iter().all(well)
        })
    };
    assert!(wait_until(READY_LIMIT, all_well), "not all are well:\n{}", watch.log());
    // What was done for the first looks only is over when everyone has been looked at again.
    wait_until(INTERVAL * 2, || false);

    let begin = stub::now();
    let cost = cost::measure(vec![watch.pid()], spell);
    let late = lateness(&journal, begin);
    let quantile = |percent: usize| late[(late.len() - 1) * percent / 100];
    let (median, high, most) = (quantile(50), quantile(99), quantile(100));
    println!(
        "| {size} | {:.1} | {:.1} | {:.2} | {:.1} | {} | {median:.1} ms | {high:.1} ms | {most:.1} ms |",
        cost.resident,
        cost.private,
        cost.processor,
        cost.wakes,
        late.len()
    );
    Point { size, cost, late: (median, high) }
}

/// The configuration for gateways on these ports, which somebody else runs.
fn config(folder: &Path, ports: &[u16]) -> String {
    let mut text = String::new();
    for port in ports {
        let state = folder.join(format!("gateway-{port}"));
        let config = write_config(&state, *port).unwrap();
        let [state, config] = [state, config].map(|path| Value::from(path.to_str()));
        writeln!(
            text,
            "[[gateway]]\nname = \"gateway-{port}\"\nservice = \"attached\"\nport = {port}\nstate_dir = {state}\n\
             config_path = {config}"
        )
        .unwrap();
    }
    text
}

/// How late every look since this moment was, in milliseconds, the most punctual first: the distance to the one before
/// beyond the interval.
fn lateness(journal: &Journal, begin: u64) -> Vec<f64> {
    let text = journal.text();
    let mut looks: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for entry in stub::entries(&text).filter(|entry| entry.what == "asked" && entry.at >= begin) {
        looks.entry(entry.of).or_default().push(entry.at);
    }
    let late = |pair: &[u64]| Duration::from_nanos(pair[1] - pair[0]).saturating_sub(INTERVAL).as_secs_f64() * 1e3;
    let mut all: Vec<f64> = looks.values().flat_map(|moments| moments.windows(2).map(late)).collect();
    assert!(!all.is_empty(), "nobody was looked at twice");
    all.sort_by(f64::total_cmp);
    all
}

/// One chart: a title, the goal at 1,000, and its curves.
struct Chart {
    title: &'static str,
    goal: f64,
    curves: Vec<(&'static str, Vec<(f64, f64)>)>,
}

/// Draws what each size costs, on scales that make what is linear a straight line of one slope.
fn draw(path: &Path, points: &[Point]) -> Result<(), Box<dyn std::error::Error>> {
    let curve = |of: fn(&Point) -> f64| points.iter().map(|point| (f64::from(point.size), of(point))).collect();
    let charts = [
        Chart {
            title: "Memory, MB",
            goal: MEMORY_GOAL,
            curves: vec![
                ("resident", curve(|point| point.cost.resident)),
                ("private", curve(|point| point.cost.private)),
            ],
        },
        Chart {
            title: "Processor, % of a core",
            goal: PROCESSOR_GOAL,
            curves: vec![("used", curve(|point| point.cost.processor))],
        },
        Chart {
            title: "Late, ms",
            goal: LATENESS_GOAL,
            curves: vec![("99 %", curve(|point| point.late.1)), ("median", curve(|point| point.late.0))],
        },
    ];
    let area = SVGBackend::new(path, (1080, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    for (chart, area) in charts.into_iter().zip(area.split_evenly((1, 3))) {
        draw_chart(&area, chart)?;
    }
    area.present()?;
    Ok(())
}

fn draw_chart(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    chart: Chart,
) -> Result<(), Box<dyn std::error::Error>> {
    const COLORS: [RGBColor; 2] = [RGBColor(0x1f, 0x5f, 0xa8), RGBColor(0x7a, 0x9c, 0xc0)];
    const GOAL: RGBColor = RGBColor(0xb0, 0x50, 0x20);
    let values = || chart.curves.iter().flat_map(|(_, curve)| curve);
    let last = values().map(|point| point.0).fold(10.0, f64::max);
    let bottom = values().map(|point| point.1).fold(chart.goal, f64::min).max(1e-3);
    let top = values().map(|point| point.1).fold(chart.goal, f64::max);
    let decade = |value: f64| 10f64.powf(value);
    let range = decade(bottom.log10().floor())..decade(top.log10().ceil());
    let mut drawing = ChartBuilder::on(area)
        .margin(12)
        .caption(chart.title, ("sans-serif", 16))
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((1f64..last).log_scale(), range.log_scale())?;
    drawing
        .configure_mesh()
        .x_desc("gateways")
        .light_line_style(RGBColor(0xf0, 0xf0, 0xf0))
        .bold_line_style(RGBColor(0xd8, 0xd8, 0xd8))
        .draw()?;
    let goal = [(1.0, chart.goal), (last, chart.goal)];
    drawing
        .draw_series(DashedLineSeries::new(goal, 6, 4, GOAL.stroke_width(1)))?
        .label("goal at 1,000")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], GOAL));
    for ((name, curve), color) in chart.curves.into_iter().zip(COLORS) {
        let raised: Vec<_> = curve.into_iter().map(|(size, value)| (size, value.max(bottom))).collect();
        drawing
            .draw_series(LineSeries::new(raised, color.stroke_width(2)).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
    }
    drawing
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(RGBColor(0xd8, 0xd8, 0xd8))
        .draw()?;
    Ok(())
}
