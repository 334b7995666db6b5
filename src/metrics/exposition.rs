//! The text format itself.

use std::fmt::Write;

use super::histogram::Histogram;

/// The format's media type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a figure is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The text, as far as it is written.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    family: &'static str,
}

impl Exposition {
    /// Begins a family. `help` is one line without a backslash.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.family = name;
    }

    /// Adds a sample of the family.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        let _ = write!(self.text, "{}{suffix}", self.family);
        for (place, (name, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{before}{name}=\"{}\"", escaped(value));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{after} {value}");
    }

    pub(super) fn histogram(&mut self, labels: &[(&str, &str)], histogram: &Histogram) {
        for (bound, count) in histogram.cumulative() {
            let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
            let mut labels = labels.to_vec();
            labels.push(("le", &bound));
            self.sample("_bucket", &labels, super::whole(count));
        }
        self.sample("_sum", labels, histogram.sum());
        self.sample("_count", labels, super::whole(histogram.count()));
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn labels_are_escaped_and_a_histogram_ends_in_infinity() {
        let mut text = Exposition::default();
        text.family("a_seconds", Kind::Histogram, "Of a.");
        let mut histogram = Histogram::new(&[0.25]);
        histogram.observe(Duration::from_millis(500));
        text.histogram(&[("name", "x\"\\\n")], &histogram);
        text.family("b", Kind::Gauge, "Of b.");
        text.sample("", &[], 1.0);
        let expected = "# HELP a_seconds Of a.\n# TYPE a_seconds histogram\n\
            a_seconds_bucket{name=\"x\\\"\\\\\\n\",le=\"0.25\"} 0\n\
            a_seconds_bucket{name=\"x\\\"\\\\\\n\",le=\"+Inf\"} 1\n\
            a_seconds_sum{name=\"x\\\"\\\\\\n\"} 0.5\n\
            a_seconds_count{name=\"x\\\"\\\\\\n\"} 1\n\
            # HELP b Of b.\n# TYPE b gauge\nb 1\n";
        assert_eq!(text.finish(), expected);
    }
}
