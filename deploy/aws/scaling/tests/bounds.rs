//! What the template's scaling must keep to, whatever is changed in it; and that these bounds can be broken.

use badlambda_scaling::loads::{self, Load};
use badlambda_scaling::outcome::Outcome;
use badlambda_scaling::template::Template;
use badlambda_scaling::{MINUTE, Second, simulation, table};
use serde_json::json;

const TEMPLATE: &str = include_str!("../../badlambda.yaml");
const DOCUMENTATION: &str = include_str!("../../scaling.md");
const HOUR: Second = 60 * MINUTE;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=2;

/// A bound, which says how it is broken.
type Bound = fn(&Template) -> Result<(), String>;

#[test]
fn one_seed_gives_one_outcome() {
    let (template, load) = (template(), load("spike"));
    let run = |seed| simulation::run(&large(&template), &load, seed).unwrap();
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn the_documentation_has_the_table() {
    let rows = table::rows(&template(), &table::SETTINGS[..1], 1..1 + table::SEEDS).unwrap();
    for line in table::to_markdown(&rows).lines() {
        assert!(
            DOCUMENTATION.contains(line),
            "deploy/aws/scaling.md has another table; write in what `badlambda-scaling --defaults` prints:\n{line}"
        );
    }
}

#[test]
fn all_work_is_done_within_the_bounds_of_tasks() {
    done_within_bounds(&template()).unwrap();
}

#[test]
fn an_idle_fleet_comes_from_zero_and_goes_back() {
    from_zero_and_back(&template()).unwrap();
}

#[test]
fn a_spike_gets_a_thousand_tasks_and_is_drained() {
    spike_is_drained(&template()).unwrap();
}

#[test]
fn a_steady_load_gets_a_steady_fleet_that_is_not_much_too_large() {
    steady_is_steady(&template()).unwrap();
}

#[test]
fn a_day_is_followed() {
    day_is_followed(&template()).unwrap();
}

#[test]
fn slow_functions_do_not_wait_for_a_large_backlog() {
    slow_is_not_late(&template()).unwrap();
}

#[test]
fn a_map_gets_the_tasks_that_it_is_worth() {
    maps_are_worked_off(&template()).unwrap();
}

#[test]
fn the_bounds_can_be_broken() {
    let without = |names: &[&str]| {
        let mut template = template();
        names.iter().for_each(|name| template.remove(name));
        template
    };
    let with = |name: &str, pointer: &str, value: serde_json::Value| {
        let mut template = template();
        *template.properties_mut(name).pointer_mut(pointer).expect(pointer) = value;
        template
    };
    let expression = |text: &str| json!({ "Fn::Sub": text });
    let [large_backlog, small_backlog] = [10_000.0, 10.0].map(|value| {
        let mut template = template();
        template.set("BacklogPerWorker", value).unwrap();
        template
    });
    let broken: [(&str, Template, Bound); 15] = [
        ("no step from zero", without(&["FromZeroPolicy"]), from_zero_and_back),
        ("no step to zero", without(&["ToZeroPolicy"]), from_zero_and_back),
        ("a step from zero for many only", with("FromZeroAlarm", "/Threshold", json!(2)), from_zero_and_back),
        ("no step for spikes", without(&["SpikePolicy"]), spike_is_drained),
        (
            "a threshold for spikes that is never met",
            with("SpikeAlarm", "/Threshold", json!(1_000_000)),
            spike_is_drained,
        ),
        ("no scale-in", without(&["ScaleInPolicy"]), steady_is_steady),
        (
            "a scale-in that doesn't wait",
            with("ScaleInPolicy", "/StepScalingPolicyConfiguration/Cooldown", json!(0)),
            steady_is_steady,
        ),
        ("nothing scales in", without(&["ScaleInPolicy", "ToZeroPolicy"]), done_within_bounds),
        ("only the backlog counts", without(&["BusyPolicy"]), slow_is_not_late),
        ("only the backlog counts", without(&["BusyPolicy"]), day_is_followed),
        ("a hundred times the backlog", large_backlog.clone(), slow_is_not_late),
        ("a hundred times the backlog", large_backlog, maps_are_worked_off),
        ("a tenth of the backlog", small_backlog, maps_are_worked_off),
        (
            "a scale-in that does not see who waits",
            with(
                "ScaleInAlarm",
                "/Metrics/4/Expression",
                expression("tasks - in_flight / (0.75 * ${WorkerSlots})"),
            ),
            maps_are_worked_off,
        ),
        (
            "only chunks in flight count",
            with("BusyAlarm", "/Metrics/3/Expression", expression("in_flight / (desired * ${WorkerSlots})")),
            maps_are_worked_off,
        ),
    ];
    for (what, template, bound) in broken {
        let broken = bound(&template);
        println!("{what}: {broken:?}");
        assert!(broken.is_err(), "{what} breaks nothing");
    }
}

#[test]
fn what_is_not_simulated_is_an_error() {
    let changes: [(&str, &str, &str); 6] = [
        ("AWS/SQS", "AWS/SNS", "not simulated"),
        ("FILL(desired, REPEAT)", "FILL(desired, LINEAR)", "not simulated"),
        ("Stat: Average", "Stat: p99", "not simulated"),
        ("      TreatMissingData: notBreaching\n", "      TreatMissingData: ignore\n", "unknown variant"),
        ("DisableScaleIn: true", "DisableScaleIn: false", "not simulated"),
        ("        ScaleOutCooldown:", "        Warmup: 1\n        ScaleOutCooldown:", "unknown field"),
    ];
    for (from, to, expected) in changes {
        assert!(TEMPLATE.contains(from), "{from}");
        let template = Template::parse(&TEMPLATE.replace(from, to)).unwrap();
        let error = simulation::run(&template, &load("one"), 1).unwrap_err();
        assert!(format!("{error:#}").contains(expected), "{to}: {error:#}");
    }
}

fn done_within_bounds(template: &Template) -> Result<(), String> {
    for load in loads::all() {
        let template = table::template_for(template, &load, None).unwrap();
        let [min, max] = ["MinWorkers", "MaxWorkers"].map(|name| template.number(name).unwrap() as u64);
        for outcome in outcomes(&template, &load) {
            let name = load.name;
            check(outcome.done == outcome.sent, || format!("{name}: {} of {}", outcome.done, outcome.sent))?;
            let is_within = outcome.changes.iter().all(|change| (min..=max).contains(&change.to));
            check(is_within && outcome.most_tasks <= max, || format!("{name}: {:?}", outcome.changes))?;
            let working = outcome.minutes.iter().rfind(|minute| minute.visible + minute.in_flight > 0);
            let idle_from = working.map_or(0, |minute| minute.at).max(load.length);
            within("the way back to the minimum", outcome.length - idle_from, 20 * MINUTE)?;
        }
    }
    Ok(())
}

fn from_zero_and_back(template: &Template) -> Result<(), String> {
    let (mut template, load) = (template.clone(), load("one"));
    template.set("MinWorkers", 0.0).unwrap();
    for seed in 1..=20 {
        let outcome = simulation::run(&template, &load, seed).unwrap();
        check(outcome.done == 1, || "it never ran".to_owned())?;
        within("its start", outcome.wait(1.0), 5 * MINUTE)?;
        let last = outcome.changes.last().ok_or("no change")?;
        check(last.to == 0, || format!("{} tasks at last", last.to))?;
        within("the way back to zero", last.at - 2 * HOUR, 20 * MINUTE)?;
    }
    Ok(())
}

fn spike_is_drained(template: &Template) -> Result<(), String> {
    let load = load("spike");
    for outcome in outcomes(&large(template), &load) {
        let reached = outcome.reached(950).ok_or("a thousand tasks were never reached")?;
        within("a thousand tasks", reached - HOUR, 8 * MINUTE)?;
        within("the longest wait", outcome.wait(1.0), 6 * MINUTE)?;
        within("the backlog", outcome.late_seconds, 15 * MINUTE)?;
        let after = outcome.minutes.iter().find(|minute| minute.at > HOUR + HOUR / 2 + 40 * MINUTE);
        let left = after.map_or(0, |minute| minute.running);
        check(left <= 10, || format!("{left} tasks forty minutes after the spike"))?;
    }
    Ok(())
}

fn steady_is_steady(template: &Template) -> Result<(), String> {
    for (name, template) in [("steady 100/s", template.clone()), ("steady 10,000/s", large(template))] {
        let load = load(name);
        let needed = load.rate(0) * load.mean_seconds / template.number("WorkerSlots").unwrap();
        for outcome in outcomes(&template, &load) {
            let is_settled = |at: Second| at > HOUR && at < load.length;
            let changes = outcome.changes.iter().filter(|change| is_settled(change.at)).count();
            check(changes <= 4, || format!("{name}: {changes} changes in two hours"))?;
            let settled = outcome.minutes.iter().filter(|minute| is_settled(minute.at));
            let (count, sum) = settled.fold((0, 0), |(count, sum), minute| (count + 1, sum + minute.running));
            let share = sum as f64 / f64::from(count) / needed;
            check(share < 1.6, || format!("{name}: {share} times the tasks that are needed"))?;
            let oldest =
                outcome.minutes.iter().filter(|minute| is_settled(minute.at)).map(|minute| minute.oldest);
            within("the longest wait once settled", oldest.max().unwrap_or(0), 30)?;
        }
    }
    Ok(())
}

fn day_is_followed(template: &Template) -> Result<(), String> {
    let load = load("daily");
    for outcome in outcomes(template, &load) {
        within("p99 of the waits", outcome.wait(0.99), 5)?;
        within("the longest wait", outcome.wait(1.0), 2 * MINUTE)?;
        let turns = outcome.turns;
        check(turns <= 16, || format!("{turns} changes of direction in a day"))?;
    }
    Ok(())
}

fn slow_is_not_late(template: &Template) -> Result<(), String> {
    for outcome in outcomes(template, &load("slow")) {
        within("the longest wait", outcome.wait(1.0), 10 * MINUTE)?;
        within("the backlog", outcome.late_seconds, 30 * MINUTE)?;
    }
    Ok(())
}

/// In time, by not many more tasks than are needed, and none go while chunks wait; however many chunks workers hold.
fn maps_are_worked_off(template: &Template) -> Result<(), String> {
    for (name, minutes) in [("map 3 ms", 12), ("map 0.25 s", 18), ("map unknown", 45)] {
        let mut load = load(name);
        for held in [0, 10] {
            load.map.as_mut().expect("it is a map").held = held;
            let template = large(template);
            for outcome in outcomes(&template, &load) {
                within(name, outcome.wait(1.0), minutes * MINUTE)?;
                let needed = outcome.executions as f64 * load.mean_seconds / 3600.0;
                let needed = needed / template.number("WorkerSlots").unwrap();
                // The one task that is always there for two hours, and what starts for nothing with a small map.
                let most = 2.0 + 3.5 * needed;
                let hours = outcome.task_hours;
                check(hours < most, || format!("{name}: {hours} task hours for {needed}"))?;
                let ins = outcome.changes.iter().filter(|change| change.to < change.from);
                let waiting = |at| outcome.minutes.iter().rfind(|minute| minute.at < at).unwrap().visible;
                check(ins.clone().all(|change| waiting(change.at) == 0), || {
                    format!("{name}: tasks go while chunks wait: {:?}", outcome.changes)
                })?;
            }
        }
    }
    Ok(())
}

fn template() -> Template {
    Template::parse(TEMPLATE).unwrap()
}

fn large(template: &Template) -> Template {
    table::template_for(template, &load("spike"), None).unwrap()
}

fn load(name: &str) -> Load {
    loads::named(name).unwrap()
}

fn outcomes(template: &Template, load: &Load) -> Vec<Outcome> {
    SEEDS.map(|seed| simulation::run(template, load, seed).unwrap()).collect()
}

fn within(what: &str, seconds: Second, bound: Second) -> Result<(), String> {
    check(seconds <= bound, || format!("{what} took {seconds} s, which is more than {bound} s"))
}

fn check(holds: bool, broken: impl Fn() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}
