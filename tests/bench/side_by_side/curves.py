"""How the rates of a worker and of Sidekiq, with a fork per job, change with one thing at a time."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import ours
from processes import CannotRun
from setup import Load
from sidekiq import THREADS, Sidekiq

KIB = 1024


@dataclass(frozen=True)
class Curve:
    """`load` makes what is queued and what runs it of a point and of how many executions are usual."""

    id: str
    label: str
    full: list
    quick: list
    load: Callable
    has_sidekiq: bool = True


def some(usual, kib):
    """As many as are 100 MB: all of it lies in memory."""
    return min(usual, 100_000 // max(1, kib))


CURVES = [
    Curve("slots", "slots (threads of Sidekiq), trivial function", [1, 2, 4, 8, 16, 32], [1, 4],
          lambda x, usual: Load(usual, slots=x)),
    Curve("slots-waiting", "slots (threads of Sidekiq), function that waits 50 ms", [1, 2, 4, 8, 16, 32, 64], [1, 4],
          lambda x, usual: Load(min(usual, 100 * x), slots=x, wait_ms=50)),
    Curve("workers", "workers (processes of Sidekiq)", [1, 2, 3, 4], [1, 2],
          lambda x, usual: Load(usual, workers=x)),
    Curve("queued", "executions in the queue at the start", [1_000, 10_000, 100_000], [10, 30],
          lambda x, usual: Load(x)),
    Curve("input", "KiB of input", [0, 1, 10, 100, 240], [0, 1],
          lambda x, usual: Load(some(usual, x), input_bytes=KIB * x)),
    Curve("result", "KiB of result", [0, 1, 10, 100, 1024], [0, 1],
          lambda x, usual: Load(some(usual, x), result_bytes=KIB * x)),
    Curve("logs", "KiB of logs", [0, 1, 10, 100, 1024], [0, 1],
          lambda x, usual: Load(some(usual, x), log_bytes=KIB * x)),
    Curve("weight", "CPU time of the function, ms", [0, 1, 3, 10, 30, 100], [0, 3],
          lambda x, usual: Load(min(usual, 10_000 // max(1, x)), work_ms=x)),
    # From 16 on, a worker evicts the template of one function to load another's.
    Curve("functions", "functions in handler form, run in turn", [1, 10, 16, 30, 100, 300, 1_000], [1, 5],
          lambda x, usual: Load(max(usual, 2 * x), functions=x, handler=True), has_sidekiq=False),
]


def measure(curve, setup, with_sidekiq):
    """One value of each series at each point: executions per second, and what a worker's execution cost."""
    usual = setup.runs(1000, 10)
    points = [(x, curve.load(x, usual)) for x in (curve.quick if setup.quick else curve.full)]
    measured = {"worker": {}, "costs": {}, "sidekiq-fork": {}}
    for x, load in points:
        figures = ours.full_queue(setup, load)
        measured["worker"][x] = figures.pop("executions")["value"]
        measured["costs"][x] = {name: figure["value"] for name, figure in figures.items()}
        # Its start is what takes longest; for the output's shape, one point is enough.
        if curve.has_sidekiq and with_sidekiq and not (setup.quick and measured["sidekiq-fork"]):
            try:
                measured["sidekiq-fork"][x] = rate_of_sidekiq(setup, load)
            except CannotRun as reason:
                print(f"no Sidekiq at {x}: {reason}", file=sys.stderr)
    return measured


def rate_of_sidekiq(setup, load):
    with Sidekiq.started(setup, "InFork", load.workers, load.slots or THREADS) as sidekiq:
        return sidekiq.rate(load)
