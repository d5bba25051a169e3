//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write;

use crate::model::Shard;

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows, and starts at 0 with the process.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// The text that is built metric by metric.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    /// The value of the label of all samples, if they have one.
    shard: Option<String>,
}

impl Exposition {
    /// Begins the text of a shard, which every sample names.
    pub(super) fn of_shard(shard: Option<Shard>) -> Self {
        Self { text: String::new(), shard: shard.map(|shard| shard.to_string()) }
    }

    /// Begins a metric. Its samples must follow directly.
    pub(super) fn metric(&mut self, kind: Kind, name: &'static str, help: &str) -> Metric<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String can't fail.
        let _ = write!(self.text, "# HELP outlast_{name} {help}\n# TYPE outlast_{name} {kind}\n");
        Metric { text: &mut self.text, shard: self.shard.as_deref(), name }
    }

    pub(super) fn counter(&mut self, name: &'static str, help: &str, value: impl Into<Number>) {
        self.metric(Kind::Counter, name, help).is(value);
    }

    pub(super) fn gauge(&mut self, name: &'static str, help: &str, value: impl Into<Number>) {
        self.metric(Kind::Gauge, name, help).is(value);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// A value, formatted as an integer if it is one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Whole(u64),
    Real(f64),
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<bool> for Number {
    fn from(value: bool) -> Self {
        Self::Whole(u64::from(value))
    }
}

/// One metric's samples.
pub(super) struct Metric<'a> {
    text: &'a mut String,
    shard: Option<&'a str>,
    name: &'static str,
}

impl Metric<'_> {
    /// Adds the one sample of a metric without labels.
    fn is(&mut self, value: impl Into<Number>) {
        self.of(&[], value);
    }

    /// Adds a sample with labels.
    pub(super) fn of(&mut self, labels: &[(&str, &str)], value: impl Into<Number>) -> &mut Self {
        let _ = write!(self.text, "outlast_{}", self.name);
        let constant = self.shard.map(|shard| ("shard", shard));
        let mut end = " ";
        for (at, (label, text)) in constant.iter().chain(labels).enumerate() {
            end = "} ";
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = match value.into() {
            Number::Whole(value) => writeln!(self.text, "{end}{value}"),
            Number::Real(value) => writeln!(self.text, "{end}{value}"),
        };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_of_a_shard_names_it() {
        let mut text = Exposition::of_shard("3/64".parse().ok());
        text.metric(Kind::Gauge, "odd", "Odd").of(&[], 1).of(&[("a", "b")], 2);
        let text = text.into_text();
        assert!(
            text.ends_with("outlast_odd{shard=\"3/64\"} 1\noutlast_odd{shard=\"3/64\",a=\"b\"} 2\n"),
            "{text}"
        );
    }

    #[test]
    fn what_has_a_meaning_in_the_format_is_escaped() {
        let mut text = Exposition::default();
        text.metric(Kind::Gauge, "odd", "a \\ and\na line")
            .of(&[("a", "\\\"\n"), ("b", "ü")], 0.5)
            .of(&[], 7);
        text.counter("done_total", "Done", 12_345_678_901_234_567_890);
        assert_eq!(
            text.into_text(),
            "# HELP outlast_odd a \\\\ and\\na line\n# TYPE outlast_odd gauge\n\
             outlast_odd{a=\"\\\\\\\"\\n\",b=\"ü\"} 0.5\noutlast_odd 7\n\
             # HELP outlast_done_total Done\n# TYPE outlast_done_total counter\n\
             outlast_done_total 12345678901234567890\n"
        );
    }
}
