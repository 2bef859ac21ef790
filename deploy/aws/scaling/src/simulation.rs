//! One run of one load against one template: a queue of events in the order of their times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Poisson};

use crate::autoscaler::Autoscaler;
use crate::fleet::{Fleet, Stopped};
use crate::loads::Load;
use crate::metrics::Metrics;
use crate::outcome::{Change, Minute, Outcome, turns};
use crate::policies::Scaling;
use crate::prices::Prices;
use crate::queue::Queue;
use crate::template::Template;
use crate::work::Work;
use crate::{MINUTE, Second};

/// How often Fargate takes a Spot task back, an hour. AWS publishes no figure for Fargate.
const INTERRUPTIONS_PER_HOUR: f64 = 0.05;
/// A run that is not done so long after its last arrival has failed.
const PATIENCE: Second = 6 * 3600;
/// A message that waits longer is late.
pub const LATE: Second = 60;

/// What happens, in the order in which it does where times are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A task takes work from now on.
    Ready(u64),
    /// Arrivals, executions, launches and stops of a second.
    Second,
    /// The minute's metrics.
    Sample,
    /// The alarm of this place.
    Evaluate(usize),
}

/// Runs a load against a template.
pub fn run(template: &Template, load: &Load, seed: u64) -> anyhow::Result<Outcome> {
    let scaling = Scaling::from_template(template)?;
    let slots = template.number("WorkerSlots")? as u64;
    let prices = Prices::from_template(template)?;
    let mut run = Run {
        random: StdRng::seed_from_u64(seed),
        events: BinaryHeap::new(),
        queue: Queue::default(),
        work: Work::of(load, slots),
        fleet: Fleet::new(scaling.min, prices),
        metrics: Metrics::default(),
        outcome: Outcome::default(),
        load,
        late_since: None,
        last_sent: 0,
    };
    let (min, mut autoscaler) = (scaling.min, Autoscaler::new(scaling));
    let alarms = autoscaler.alarms();
    run.at(0, Event::Second);
    let phase = run.random.random_range(0..MINUTE);
    run.at(phase, Event::Sample);
    for alarm in 0..alarms.len() {
        let phase = run.random.random_range(0..MINUTE);
        run.at(phase, Event::Evaluate(alarm));
    }
    while let Some(Reverse((now, event))) = run.events.pop() {
        match event {
            Event::Ready(task) => run.fleet.ready(task),
            Event::Second => {
                run.second(now)?;
                let is_done = now > load.length
                    && run.work.done() == run.outcome.sent
                    && run.fleet.desired() == min
                    && run.fleet.running() == min;
                if is_done || now > load.length + PATIENCE {
                    return Ok(run.finish(now));
                }
                run.at(now + 1, Event::Second);
            }
            Event::Sample => {
                run.sample(now);
                run.at(now + MINUTE, Event::Sample);
            }
            Event::Evaluate(alarm) => {
                let current = run.fleet.desired();
                if let Some((to, policy)) = autoscaler.evaluate(alarms[alarm], &run.metrics, now, current)? {
                    run.fleet.set_desired(to);
                    run.outcome.changes.push(Change {
                        at: now,
                        from: current,
                        to,
                        policy: policy.to_owned(),
                    });
                }
                run.at(now + MINUTE, Event::Evaluate(alarm));
            }
        }
    }
    unreachable!("every second brings the next")
}

struct Run<'a> {
    random: StdRng,
    events: BinaryHeap<Reverse<(Second, Event)>>,
    queue: Queue,
    work: Work,
    fleet: Fleet,
    metrics: Metrics,
    outcome: Outcome,
    load: &'a Load,
    late_since: Option<Second>,
    last_sent: Second,
}

impl Run<'_> {
    fn at(&mut self, time: Second, event: Event) {
        self.events.push(Reverse((time, event)));
    }

    fn second(&mut self, now: Second) -> anyhow::Result<()> {
        if now < self.load.length {
            let rate = self.load.rate(now);
            let arrivals = if rate > 0.0 { Poisson::new(rate)?.sample(&mut self.random) as u64 } else { 0 };
            let arrivals = arrivals + self.load.exactly(now);
            self.queue.send(now, arrivals);
            self.outcome.sent += arrivals;
            if arrivals > 0 {
                self.last_sent = now;
            }
        }
        for (ready_at, task) in self.fleet.launch(now, &mut self.random) {
            self.at(ready_at, Event::Ready(task));
        }
        let running = self.fleet.running();
        let stopped = self.fleet.stop_surplus(now, &mut self.random);
        self.drain(now, stopped, running);
        let interruptions = self.fleet.running_spot() as f64 * INTERRUPTIONS_PER_HOUR / 3600.0;
        if interruptions > 0.0 && self.random.random_bool(interruptions.min(1.0)) {
            let running = self.fleet.running();
            let stopped = self.fleet.interrupt(1, &mut self.random);
            self.drain(now, stopped, running);
        }
        self.work.serve(&mut self.queue, now, self.fleet.running(), &mut self.random);
        self.note(now);
        Ok(())
    }

    fn drain(&mut self, now: Second, stopped: Vec<Stopped>, of: u64) {
        if stopped.is_empty() {
            return;
        }
        let seconds = self.work.stop(stopped.len() as u64, of, &mut self.random);
        for task in stopped {
            self.fleet.pay(task, now + seconds);
        }
    }

    fn note(&mut self, now: Second) {
        self.outcome.most_tasks = self.outcome.most_tasks.max(self.fleet.tasks());
        if self.queue.oldest(now) <= LATE {
            self.late_since = None;
        } else {
            let since = *self.late_since.get_or_insert(now);
            self.outcome.late_seconds = self.outcome.late_seconds.max(now + 1 - since);
        }
    }

    fn sample(&mut self, now: Second) {
        let (visible, in_flight) = self.work.visible_and_in_flight(self.queue.messages(), &mut self.random);
        let values = [visible, in_flight, self.fleet.running(), self.fleet.desired()];
        self.metrics.sample(now, values, &mut self.random);
        let [visible, in_flight, running, desired] = values;
        let oldest = self.queue.oldest(now);
        self.outcome.minutes.push(Minute { at: now, visible, in_flight, running, desired, oldest });
    }

    fn finish(self, now: Second) -> Outcome {
        let mut outcome = self.outcome;
        outcome.done = self.work.done();
        outcome.executions = outcome.done * self.load.executions_per_message();
        outcome.waits = self.queue.waits().to_vec();
        outcome.idle_after = now - self.last_sent;
        outcome.length = now;
        (outcome.task_hours, outcome.dollars) = self.fleet.bill(now);
        outcome.dollars_per_million = outcome.dollars / outcome.executions as f64 * 1e6;
        outcome.turns = turns(&outcome.changes);
        outcome
    }
}
