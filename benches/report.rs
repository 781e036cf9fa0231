//! The table that people read, and the same as JSON.

use serde_json::{Map, Value, json};

/// One measure over all rounds.
#[derive(Clone, Debug)]
pub struct Measure {
    /// In JSON.
    pub code: &'static str,
    /// In the table.
    pub name: &'static str,
    /// Of its figures.
    pub unit: &'static str,
    /// One figure a round.
    pub rounds: Vec<f64>,
    /// With what it is compared, by code, and what the quotient should reach: at least, or, when negative, at most; 0 for
    /// no goal.
    pub goal: Option<(&'static str, f64)>,
}

impl Measure {
    /// The middle one.
    pub fn median(&self) -> f64 {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    /// The name up to its first comma.
    fn short(&self) -> &str {
        self.name.split(',').next().unwrap_or(self.name)
    }

    fn spread(&self) -> (f64, f64) {
        self.rounds.iter().fold((f64::MAX, f64::MIN), |(low, high), n| (low.min(*n), high.max(*n)))
    }
}

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub struct Report {
    measures: Vec<Measure>,
    /// Facts about the run, by name.
    pub facts: Vec<(&'static str, String)>,
}

impl Report {
    /// Adds a round's figure.
    pub fn add(&mut self, (code, name, unit): (&'static str, &'static str, &'static str), figure: f64) {
        match self.measures.iter_mut().find(|m| m.code == code) {
            Some(measure) => measure.rounds.push(figure),
            None => self.measures.push(Measure { code, name, unit, rounds: vec![figure], goal: None }),
        }
    }

    /// Says what a measure is held against: another one and a factor, or, with an empty code, a plain figure.
    pub fn goal(&mut self, code: &str, of: &'static str, factor: f64) {
        if let Some(measure) = self.measures.iter_mut().find(|m| m.code == code) {
            measure.goal = Some((of, factor));
        }
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from("| measure | median | min to max | ratio | goal |\n|---|---:|---:|---:|---|\n");
        for measure in &self.measures {
            let (low, high) = measure.spread();
            let (ratio, goal) = self.judged(measure);
            let (name, unit, median) = (measure.name, measure.unit, figure(measure.median()));
            let (low, high) = (figure(low), figure(high));
            text.push_str(&format!("| {name} | {median} {unit} | {low} to {high} | {ratio} | {goal} |\n"));
        }
        text.push('\n');
        for (name, value) in &self.facts {
            text.push_str(&format!("{name}: {value}  \n"));
        }
        text
    }

    fn judged(&self, measure: &Measure) -> (String, String) {
        let Some((of, factor)) = measure.goal else { return (String::new(), String::new()) };
        let (median, other) = (measure.median(), self.measures.iter().find(|m| m.code == of));
        if other.is_none() && !of.is_empty() {
            // Its part was not asked for: there is nothing to hold it against.
            return (String::new(), String::new());
        }
        let (value, wanted, ratio) = match other {
            Some(other) => {
                let ratio = median / other.median().max(f64::MIN_POSITIVE);
                (ratio, format!("{} x {}", factor.abs(), other.short()), format!("{ratio:.2}"))
            }
            None => (median, format!("{} {}", figure(factor.abs()), measure.unit), String::new()),
        };
        if factor == 0.0 {
            return (ratio, wanted.replacen("0 x", "of", 1));
        }
        let reached = if factor < 0.0 { value <= -factor } else { value >= factor };
        let sign = if factor < 0.0 { "≤" } else { "≥" };
        (ratio, format!("{sign} {wanted}: {}", if reached { "yes" } else { "no" }))
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let measures = self.measures.iter().map(|m| {
            let (ratio, goal) = self.judged(m);
            json!({ "code": m.code, "unit": m.unit, "median": m.median(), "rounds": m.rounds, "ratio": ratio, "goal": goal })
        });
        let facts: Map<String, Value> = self.facts.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
        json!({ "measures": measures.collect::<Vec<_>>(), "facts": facts })
    }
}

/// A figure with three digits that count, or all before the point.
fn figure(n: f64) -> String {
    let places = if n.abs() >= 100.0 {
        0
    } else if n.abs() >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{n:.places$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(w, r)| (w, Some(r)));
    let digits = whole.trim_start_matches('-');
    let grouped: Vec<String> =
        digits.chars().rev().collect::<Vec<_>>().chunks(3).map(|c| c.iter().rev().collect()).rev().collect();
    let sign = if whole.starts_with('-') { "-" } else { "" };
    let whole = format!("{sign}{}", grouped.join(","));
    rest.map_or(whole.clone(), |rest| format!("{whole}.{rest}"))
}
