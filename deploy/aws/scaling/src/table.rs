//! The table: every load against the template as it is, and with one parameter changed.

use std::ops::Range;
use std::thread;

use anyhow::Context;
use serde_json::{Value, json};

use crate::loads::{self, Load};
use crate::outcome::Outcome;
use crate::simulation;
use crate::template::Template;

/// So many tasks are allowed for loads that need them.
pub const LARGE: f64 = 1000.0;

/// One parameter with another value than the template's.
pub type Setting = Option<(&'static str, f64)>;

/// The settings of the table; none is the template as it is.
pub const SETTINGS: [Setting; 8] = [
    None,
    Some(("BacklogPerWorker", 10.0)),
    Some(("BacklogPerWorker", 30.0)),
    Some(("BacklogPerWorker", 300.0)),
    Some(("BacklogPerWorker", 1000.0)),
    Some(("MinWorkers", 0.0)),
    Some(("MinWorkers", 5.0)),
    Some(("MinWorkers", 20.0)),
];

/// So many runs, of seeds from 1 on, make the table in the documentation.
pub const SEEDS: u64 = 5;

/// A load under a setting, and what came of it.
pub struct Row {
    load: Load,
    setting: Setting,
    outcome: Outcome,
}

/// The template that a load is run against: loads that need them get a thousand tasks.
pub fn template_for(template: &Template, load: &Load, setting: Setting) -> anyhow::Result<Template> {
    let mut template = template.clone();
    if load.is_large {
        template.set("MaxWorkers", LARGE)?;
    }
    if let Some((name, value)) = setting {
        template.set(name, value)?;
    }
    Ok(template)
}

/// Runs all loads under the settings given, each once per seed.
pub fn rows(template: &Template, settings: &[Setting], seeds: Range<u64>) -> anyhow::Result<Vec<Row>> {
    let rows_of = |load: Load| -> anyhow::Result<Vec<Row>> {
        let mut rows = Vec::new();
        for setting in settings {
            let template = template_for(template, &load, *setting)?;
            let runs = seeds.clone().map(|seed| simulation::run(&template, &load, seed));
            let runs = runs.collect::<anyhow::Result<Vec<_>>>().context(load.name)?;
            rows.push(Row { load: load.clone(), setting: *setting, outcome: Outcome::of_all(runs) });
        }
        Ok(rows)
    };
    thread::scope(|scope| {
        let loads = loads::all().into_iter().map(|load| scope.spawn(|| rows_of(load))).collect::<Vec<_>>();
        let rows = loads.into_iter().map(|load| load.join().expect("a run panicked"));
        Ok(rows.collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
    })
}

/// As a table in Markdown.
pub fn to_markdown(rows: &[Row]) -> String {
    let mut lines = vec![
        "| load | setting | wait p50 | p99 | longest | late for | most tasks | task hours | $ | $ per million | idle after |"
            .to_owned(),
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for Row { load, setting, outcome } in rows {
        let setting = setting.map_or("defaults".to_owned(), |(name, value)| format!("{name} {value}"));
        let wait = |share| seconds(outcome.wait(share));
        lines.push(format!(
            "| {} | {setting} | {} | {} | {} | {} | {} | {:.1} | {:.2} | {} | {} |",
            load.name,
            wait(0.5),
            wait(0.99),
            wait(1.0),
            seconds(outcome.late_seconds),
            outcome.most_tasks,
            outcome.task_hours,
            outcome.dollars,
            // A few executions say nothing of a million.
            if outcome.executions < 1000 {
                "–".to_owned()
            } else {
                format!("{:.2}", outcome.dollars_per_million)
            },
            seconds(outcome.idle_after),
        ));
    }
    lines.join("\n")
}

/// As JSON, with all figures.
pub fn to_json(rows: &[Row], seeds: Range<u64>) -> Value {
    let rows = rows.iter().map(|Row { load, setting, outcome }| {
        let setting = setting.map(|(name, value)| json!({ name: value }));
        let mut row = outcome.to_json();
        row["load"] = json!(load.name);
        row["about"] = json!(load.about);
        row["setting"] = json!(setting);
        row
    });
    json!({"seeds": seeds.collect::<Vec<_>>(), "rows": rows.collect::<Vec<_>>()})
}

fn seconds(seconds: u64) -> String {
    match seconds {
        0 => "< 1 s".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{:.1} min", seconds as f64 / 60.0),
        _ => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}
