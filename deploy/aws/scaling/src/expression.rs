//! CloudWatch's metric math, as far as the template uses it: arithmetic, comparisons, `FILL`, `IF`, `CEIL`, `FLOOR`, and
//! `MAX` and `MIN` of a list. Anything else is an error.
//!
//! A value is one number or a series with one place per minute, where a datapoint is missing or there
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>).

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};

/// One number, or a number for each minute that has a datapoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// A constant.
    One(f64),
    /// A series; all series of one evaluation cover the same minutes.
    Series(Vec<Option<f64>>),
}

/// An expression that was parsed.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A constant.
    Number(f64),
    /// The id of a metric or another expression.
    Id(String),
    /// An operator between two expressions.
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// A function and its arguments.
    Call(String, Vec<Expression>),
    /// `[a, b]`, an argument of `MAX` and `MIN`.
    List(Vec<Expression>),
}

/// What stands between two expressions.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Expression {
    /// Works it out, with what the ids stand for.
    pub fn evaluate(&self, ids: &BTreeMap<String, Figures>) -> anyhow::Result<Figures> {
        match self {
            Self::Number(number) => Ok(Figures::One(*number)),
            Self::Id(id) => ids.get(id).cloned().with_context(|| format!("no metric has the id {id}")),
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.evaluate(ids)?, right.evaluate(ids)?);
                Ok(pointwise(&[&left, &right], |values| operator.apply(values[0]?, values[1]?)))
            }
            Self::Call(name, arguments) => call(name, arguments, ids),
            Self::List(_) => bail!("a list stands only in MAX and MIN"),
        }
    }
}

impl Operator {
    /// A division by zero has no datapoint.
    fn apply(self, left: f64, right: f64) -> Option<f64> {
        let truth = |is_true: bool| Some(f64::from(u8::from(is_true)));
        match self {
            Self::Add => Some(left + right),
            Self::Subtract => Some(left - right),
            Self::Multiply => Some(left * right),
            Self::Divide => (right != 0.0).then(|| left / right),
            Self::Less => truth(left < right),
            Self::LessOrEqual => truth(left <= right),
            Self::Greater => truth(left > right),
            Self::GreaterOrEqual => truth(left >= right),
            Self::Equal => truth(left == right),
            Self::NotEqual => truth(left != right),
        }
    }
}

fn call(name: &str, arguments: &[Expression], ids: &BTreeMap<String, Figures>) -> anyhow::Result<Figures> {
    match (name, arguments) {
        ("FILL", [series, Expression::Id(mode)]) if mode == "REPEAT" => {
            let Figures::Series(mut series) = series.evaluate(ids)? else { bail!("FILL takes a series") };
            let mut last = None;
            for value in &mut series {
                *value = value.or(last);
                last = *value;
            }
            Ok(Figures::Series(series))
        }
        ("FILL", [series, Expression::Number(number)]) => {
            let Figures::Series(series) = series.evaluate(ids)? else { bail!("FILL takes a series") };
            Ok(Figures::Series(series.into_iter().map(|value| value.or(Some(*number))).collect()))
        }
        ("IF", [condition, yes, no]) => {
            let (condition, yes, no) = (condition.evaluate(ids)?, yes.evaluate(ids)?, no.evaluate(ids)?);
            Ok(pointwise(&[&condition, &yes, &no], |v| if v[0]? == 0.0 { v[2] } else { v[1] }))
        }
        ("CEIL", [argument]) => Ok(pointwise(&[&argument.evaluate(ids)?], |values| values[0].map(f64::ceil))),
        ("FLOOR", [argument]) => {
            Ok(pointwise(&[&argument.evaluate(ids)?], |values| values[0].map(f64::floor)))
        }
        ("MAX" | "MIN", [Expression::List(items)]) => {
            let items = items.iter().map(|item| item.evaluate(ids)).collect::<anyhow::Result<Vec<_>>>()?;
            let all_series = items.iter().all(|item| matches!(item, Figures::Series(_)));
            ensure!(all_series && !items.is_empty(), "{name} takes a list of series");
            let best = if name == "MAX" { f64::max } else { f64::min };
            Ok(pointwise(&items.iter().collect::<Vec<_>>(), |v| v.iter().flatten().copied().reduce(best)))
        }
        _ => bail!("{name} with {} arguments is not simulated", arguments.len()),
    }
}

fn pointwise(inputs: &[&Figures], apply: impl Fn(&[Option<f64>]) -> Option<f64>) -> Figures {
    let length = inputs.iter().find_map(|input| match input {
        Figures::Series(series) => Some(series.len()),
        Figures::One(_) => None,
    });
    let at = |index: usize| {
        let value = |input: &&Figures| match input {
            Figures::One(number) => Some(*number),
            Figures::Series(series) => series[index],
        };
        apply(&inputs.iter().map(value).collect::<Vec<_>>())
    };
    match length {
        Some(length) => Figures::Series((0..length).map(at).collect()),
        None => at(0).map_or(Figures::Series(Vec::new()), Figures::One),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(text: &str) -> anyhow::Result<Figures> {
        let series = |values: &[Option<f64>]| Figures::Series(values.to_vec());
        let ids = BTreeMap::from([
            ("visible".to_owned(), series(&[Some(100.0), Some(300.0), None])),
            ("running".to_owned(), series(&[Some(2.0), None, Some(0.0)])),
        ]);
        crate::parser::parse(text)?.evaluate(&ids)
    }

    fn assert_series(text: &str, expected: [Option<f64>; 3]) {
        assert_eq!(evaluate(text).unwrap(), Figures::Series(expected.to_vec()), "{text}");
    }

    #[test]
    fn follows_precedence_and_missing_datapoints() {
        assert_series("visible + 2 * 3 - 1", [Some(105.0), Some(305.0), None]);
        assert_series("visible / running", [Some(50.0), None, None]);
        assert_series("1 / running", [Some(0.5), None, None]);
        assert_series("(visible + 2) * 3", [Some(306.0), Some(906.0), None]);
    }

    #[test]
    fn fills_and_decides() {
        assert_series("FILL(running, REPEAT)", [Some(2.0), Some(2.0), Some(0.0)]);
        assert_series("FILL(visible, 7)", [Some(100.0), Some(300.0), Some(7.0)]);
        assert_series("IF(FILL(running, 0) > 1, running, 1)", [Some(2.0), Some(1.0), Some(1.0)]);
        assert_series("CEIL(visible / 80)", [Some(2.0), Some(4.0), None]);
        assert_series("MAX([visible, running])", [Some(100.0), Some(300.0), Some(0.0)]);
    }

    #[test]
    fn refuses_what_it_does_not_simulate() {
        for text in [
            "RATE(visible)",
            "visible ^ 2",
            "MAX([visible, 1])",
            "FILL(visible, LINEAR)",
            "other + 1",
            "(visible",
            "visible 2",
            "visible AND running",
            "",
        ] {
            assert!(evaluate(text).is_err(), "{text}");
        }
    }
}
