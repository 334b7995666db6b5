//! Memory: three thresholds, and a trend that tells a leak from noise, a garbage collector's saw-tooth and a step.
//!
//! What counts for the trend is the floor: the least memory in each stretch of two minutes, which is what is left when
//! the collector has run. The slope over the window is Theil's: the median of the slopes between points half a window
//! apart, which outliers do not move. A rise is a leak only if it goes on: each part of the window must lie
//! above the one before it by a fair share of what the slope promises. A step lifts only one of them. And it is told only
//! when the limit is near: within three times the window that it was seen in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::moment::Moment;

/// One point of the trend.
const STRETCH: Duration = Duration::from_mins(2);

/// Points that are kept: six hours.
const POINTS: usize = 180;

/// Fewest points that say anything: an hour.
const FEWEST: usize = 30;

/// A young process fills its caches: its first minutes are no trend.
const WARM_UP: Duration = Duration::from_mins(15);

/// Parts of the window that must rise one after the other.
const PARTS: usize = 5;

/// Least share of the promised rise from part to part.
const SHARE: f64 = 0.4;

/// A forecast reaches this many times as far as the window behind it: a collector that runs every hour and a half looks
/// like a leak for an hour.
const FORESIGHT: f64 = 3.0;

/// Milliseconds in an hour.
const HOUR: f64 = 3_600_000.0;

/// Three sizes of the process tree, in bytes, and how long each must be exceeded (requirements H3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryPolicy {
    /// Worth knowing.
    pub warning: u64,
    /// Worth a restart as soon as no work is in flight.
    pub critical: u64,
    /// A restart is due; it still waits for running work.
    pub limit: u64,
    /// A size counts when it has been exceeded for so long.
    pub sustained: Duration,
    /// Whether Lifeguard restarts it for this at all.
    pub restart: bool,
}

impl Default for MemoryPolicy {
    fn default() -> Self {
        const MEGABYTE: u64 = 1024 * 1024;
        Self {
            warning: 1536 * MEGABYTE,
            critical: 2048 * MEGABYTE,
            limit: 2560 * MEGABYTE,
            sustained: Duration::from_mins(1),
            restart: true,
        }
    }
}

/// How much of the allowed memory is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryLevel {
    /// As usual.
    #[default]
    Calm,
    /// Worth knowing.
    Warning,
    /// Too much.
    Critical,
    /// At its limit.
    Limit,
}

/// A leak: memory that grows and does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Bytes per hour.
    pub per_hour: u64,
    /// Milliseconds until the limit is reached, if it goes on like this.
    pub limit_in: u64,
}

/// What is known of a gateway's memory; part of the saved state, so that a restart of Lifeguard forgets nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MemoryTrend {
    /// Floors of past stretches, oldest first: awake milliseconds and bytes.
    points: Vec<(i64, u64)>,
    /// The stretch that lasts: its begin and its floor so far.
    stretch: Option<(i64, u64)>,
    /// Since when each threshold is exceeded.
    over: [Option<Moment>; 3],
    level: MemoryLevel,
    leak: Option<Leak>,
}

impl MemoryTrend {
    /// Notes the memory of a process tree whose process has run for `age`; whether a point was added.
    pub fn note(&mut self, now: Moment, bytes: u64, age: Duration, policy: &MemoryPolicy) -> bool {
        self.weigh_level(now, bytes, policy);
        if age < WARM_UP {
            return false;
        }
        match &mut self.stretch {
            Some((begin, floor)) if now.awake.saturating_sub(*begin) < milliseconds(STRETCH) => {
                *floor = bytes.min(*floor);
                false
            }
            stretch => {
                let ended = stretch.replace((now.awake, bytes));
                let Some(point) = ended else { return false };
                if self.points.len() == POINTS {
                    self.points.remove(0);
                }
                self.points.push(point);
                self.leak = leak(&self.points, bytes, policy.limit);
                true
            }
        }
    }

    /// How many points it has beyond those of an earlier copy of it.
    #[must_use]
    pub fn points_since(&self, earlier: &Self) -> usize {
        let last = earlier.points.last().map_or(i64::MIN, |(at, _)| *at);
        self.points.iter().rev().take_while(|(at, _)| *at > last).count()
    }

    /// How much of the allowed memory is in use.
    #[must_use]
    pub fn level(&self) -> MemoryLevel {
        self.level
    }

    /// The leak, if there is one.
    #[must_use]
    pub fn leak(&self) -> Option<Leak> {
        self.leak
    }

    /// A new generation begins with nothing known.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn weigh_level(&mut self, now: Moment, bytes: u64, policy: &MemoryPolicy) {
        let thresholds = [policy.warning, policy.critical, policy.limit];
        let mut reached = MemoryLevel::Calm;
        for ((since, threshold), level) in
            self.over.iter_mut().zip(thresholds).zip([MemoryLevel::Warning, MemoryLevel::Critical, MemoryLevel::Limit])
        {
            if bytes < threshold {
                *since = None;
            } else if now.awake_since(*since.get_or_insert(now)) >= policy.sustained {
                reached = level;
            }
        }
        self.level = reached;
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The leak that these floors show, if they show one.
#[expect(clippy::cast_precision_loss, reason = "bytes and milliseconds of a process are far below 2^52")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both are positive and bounded")]
fn leak(points: &[(i64, u64)], bytes: u64, limit: u64) -> Option<Leak> {
    if points.len() < FEWEST {
        return None;
    }
    let slope = slope(points)?;
    if slope <= 0.0 || !goes_on_rising(points, slope) {
        return None;
    }
    let limit_in = limit.saturating_sub(bytes) as f64 / slope;
    let window = points.last()?.0.saturating_sub(points.first()?.0) as f64;
    (limit_in <= FORESIGHT * window).then_some(Leak { per_hour: (slope * HOUR) as u64, limit_in: limit_in as u64 })
}

/// Theil's slope in its short form (the median over the pairs that lie half a window apart), in bytes per millisecond.
#[expect(clippy::cast_precision_loss, reason = "bytes and milliseconds of a process are far below 2^52")]
fn slope(points: &[(i64, u64)]) -> Option<f64> {
    let half = points.len() / 2;
    let pairs = points.iter().zip(&points[points.len() - half..]);
    let mut slopes: Vec<f64> = pairs
        .filter(|(earlier, later)| later.0 > earlier.0)
        .map(|(earlier, later)| (later.1 as f64 - earlier.1 as f64) / (later.0 - earlier.0) as f64)
        .collect();
    let middle = slopes.len() / 2;
    (!slopes.is_empty()).then(|| *slopes.select_nth_unstable_by(middle, f64::total_cmp).1)
}

/// Whether each part of the window lies above the one before it, by a fair share of what the slope promises.
#[expect(clippy::cast_precision_loss, reason = "bytes and milliseconds of a process are far below 2^52")]
fn goes_on_rising(points: &[(i64, u64)], slope: f64) -> bool {
    let length = points.len() / PARTS;
    let parts: Vec<(f64, f64)> = points
        .chunks_exact(length)
        .take(PARTS)
        .map(|part| {
            let mut floors: Vec<u64> = part.iter().map(|(_, floor)| *floor).collect();
            let middle = floors.len() / 2;
            let median = *floors.select_nth_unstable(middle).1;
            (part[part.len() / 2].0 as f64, median as f64)
        })
        .collect();
    parts.windows(2).all(|pair| pair[1].1 - pair[0].1 >= SHARE * slope * (pair[1].0 - pair[0].0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: f64 = 1024.0 * 1024.0;
    const ROUND: u64 = 30;

    fn at(seconds: u64) -> Moment {
        let millis = i64::try_from(seconds * 1_000).unwrap();
        Moment { awake: millis, elapsed: millis, wall: millis }
    }

    /// What a gateway's memory does over the hours, in megabytes; noise comes on top.
    #[derive(Debug, Clone, Copy)]
    enum Shape {
        Flat,
        Noisy,
        /// A collector that lets it grow by 400 MB for so many minutes before it runs.
        SawTooth(f64),
        /// 300 MB more from one moment on.
        Step,
        /// Caches that fill: 300 MB in the end, most of them at first.
        Settling,
        /// So many megabytes per hour.
        Leak(f64),
        /// The same beneath a collector's saw-tooth of 20 min.
        LeakBeneathSawTooth(f64),
    }

    /// Hours until the first alarm in eight hours, if there is one.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a model")]
    fn first_alarm(shape: Shape, seed: u64) -> Option<f64> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut noise = 0.0;
        let phase = random.f64();
        let step_at = 1.0 + 6.0 * random.f64();
        let (mut trend, policy) = (MemoryTrend::default(), MemoryPolicy::default());
        for round in 0..8 * 3_600 / ROUND {
            let seconds = round * ROUND;
            let hours = seconds as f64 / 3_600.0;
            // Noise with a memory: neighbours are alike, as in a real process.
            noise = 0.9 * noise + 6.0 * (random.f64() + random.f64() + random.f64() - 1.5);
            let saw = |minutes: f64| 400.0 * ((hours * 60.0 / minutes + phase) % 1.0);
            let shaped = match shape {
                Shape::Flat => 0.0,
                Shape::Noisy => 4.0 * noise,
                Shape::SawTooth(minutes) => saw(minutes),
                Shape::Step => {
                    if hours >= step_at {
                        300.0
                    } else {
                        0.0
                    }
                }
                Shape::Settling => 300.0 * (1.0 - (-hours).exp()),
                Shape::Leak(per_hour) => per_hour * hours,
                Shape::LeakBeneathSawTooth(per_hour) => per_hour * hours + saw(20.0),
            };
            let bytes = (780.0 + shaped + noise).max(100.0) * MEGABYTE;
            let age = Duration::from_secs(seconds);
            if trend.note(at(seconds), bytes as u64, age, &policy) && trend.leak().is_some() {
                return Some(hours);
            }
        }
        None
    }

    #[test]
    fn leaks_are_found_and_what_looks_like_one_is_not() {
        let cases = [
            (Shape::Flat, 0..=0),
            (Shape::Noisy, 0..=0),
            (Shape::SawTooth(5.0), 0..=0),
            (Shape::SawTooth(20.0), 0..=0),
            (Shape::SawTooth(90.0), 0..=10),
            (Shape::Step, 0..=0),
            (Shape::Settling, 0..=0),
            (Shape::Leak(100.0), 990..=1_000),
            (Shape::Leak(220.0), 1_000..=1_000),
            (Shape::Leak(1_000.0), 1_000..=1_000),
            (Shape::LeakBeneathSawTooth(220.0), 990..=1_000),
        ];
        println!("| memory | alarms in 1,000 runs of 8 h | median time to it |\n| --- | --- | --- |");
        let rows = std::thread::scope(|scope| {
            let runs = cases.map(|(shape, allowed)| {
                let run = scope.spawn(move || {
                    let mut hours: Vec<f64> = (0..1_000).filter_map(|seed| first_alarm(shape, seed)).collect();
                    hours.sort_by(f64::total_cmp);
                    hours
                });
                (shape, allowed, run)
            });
            runs.map(|(shape, allowed, run)| (shape, allowed, run.join().unwrap()))
        });
        for (shape, _, hours) in &rows {
            let median = hours.get(hours.len() / 2).map_or_else(|| "-".to_owned(), |hours| format!("{hours:.1} h"));
            println!("| {shape:?} | {} | {median} |", hours.len());
        }
        for (shape, allowed, hours) in &rows {
            assert!(allowed.contains(&hours.len()), "{shape:?}: {} alarms", hours.len());
        }
    }

    #[test]
    fn a_threshold_counts_when_it_was_exceeded_without_a_break() {
        let (mut trend, policy) = (MemoryTrend::default(), MemoryPolicy::default());
        let age = Duration::from_secs(5);
        trend.note(at(0), policy.critical, age, &policy);
        assert_eq!(trend.level(), MemoryLevel::Calm);
        trend.note(at(50), policy.warning - 1, age, &policy);
        trend.note(at(60), policy.critical, age, &policy);
        trend.note(at(110), policy.critical, age, &policy);
        assert_eq!(trend.level(), MemoryLevel::Calm, "a break begins it anew");
        trend.note(at(120), policy.warning, age, &policy);
        assert_eq!(trend.level(), MemoryLevel::Warning);
        trend.note(at(130), u64::MAX, age, &policy);
        trend.note(at(190), u64::MAX, age, &policy);
        assert_eq!(trend.level(), MemoryLevel::Limit);
        trend.note(at(200), 0, age, &policy);
        assert_eq!(trend.level(), MemoryLevel::Calm);
    }

    #[test]
    fn the_estimate_is_about_right_and_lives_through_a_restart_of_lifeguard() {
        let (mut trend, policy) = (MemoryTrend::default(), MemoryPolicy::default());
        let gigabyte = 1024 * 1024 * 1024;
        for seconds in (0..2 * 3_600).step_by(10) {
            // 256 MB per hour from 1 GB: after two hours 1.5 GB, and 4 h are left until 2.5 GB.
            let bytes = gigabyte + seconds * gigabyte / 4 / 3_600;
            trend.note(at(seconds), bytes, Duration::from_hours(1), &policy);
            let json = serde_json::to_string(&trend).unwrap();
            trend = serde_json::from_str(&json).unwrap();
        }
        let leak = trend.leak().expect("a leak");
        let hour = 3_600_000;
        assert!((leak.limit_in.abs_diff(4 * hour)) < hour / 5, "{leak:?}");
        assert!(serde_json::to_string(&trend).unwrap().len() < 8_000);
    }

    #[test]
    fn whatever_comes_nothing_breaks() {
        let (mut trend, policy) = (MemoryTrend::default(), MemoryPolicy::default());
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let seconds = random.u64(..u64::MAX / 4_000);
            trend.note(at(seconds), random.u64(..), Duration::from_secs(random.u64(..10_000)), &policy);
        }
        assert!(trend.points.len() <= POINTS);
    }
}
