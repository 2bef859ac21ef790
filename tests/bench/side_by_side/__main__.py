"""Measures Bad Lambda side by side with what others would use instead. `tests/bench/run` starts this."""

import argparse
import datetime
import json
import random
import signal
import sys
import tempfile
from pathlib import Path

from processes import CannotRun

HERE = Path(__file__).resolve().parent
SCHEMA = HERE / "results.schema.json"


def main():
    arguments = parse()
    # Whatever was started is ended on the way out.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    if arguments.check:
        check(json.loads(arguments.check.read_text()))
        return
    if arguments.stations:
        import stations

        stations.draw(*arguments.stations, arguments.out / "plots" / "stations.svg")
        return
    if arguments.draw:
        results = json.loads(arguments.draw.read_text())
    else:
        results = measure(arguments)
        check(results)
        (arguments.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    from plots import draw
    from results import table

    draw(results, arguments.out / "plots")
    print(table(results))
    print(f"\n{arguments.out}: results.json and plots", file=sys.stderr)


def parse():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--quick", action="store_true", help="few executions, one round, short curves")
    parser.add_argument("--rounds", type=int, help="how often everything is measured: 5, or 1 with --quick")
    parser.add_argument("--check", type=Path, metavar="FILE", help="check the shape of a results.json, and do no more")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="print and draw a results.json, and measure nothing")
    parser.add_argument("--stations", type=Path, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--binaries", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--profile", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 5)
    arguments.out = arguments.out.resolve()
    arguments.binaries = arguments.binaries and arguments.binaries.resolve()
    return arguments


def check(results):
    """Whether everything is there: each contender with figures or a reason, and each curve."""
    import jsonschema

    try:
        jsonschema.validate(results, json.loads(SCHEMA.read_text()))
    except jsonschema.ValidationError as error:
        sys.exit(f"bench: the results have another shape: {error.json_path}: {error.message}")


def measure(arguments):
    import curves
    import machine
    import results
    from setup import Setup

    # In memory, where it can be: what a disk has to do is not what is measured.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="badlambda-bench-", dir=memory) as scratch:
        setup = Setup(arguments.binaries, arguments.out / "node_modules", Path(scratch), arguments.quick)
        started_at = datetime.datetime.now(datetime.UTC)
        rounds, reasons = measure_contenders(setup, arguments.rounds)
        # Who can't run has its reason among the contenders.
        curve_rounds = measure_curves(setup, arguments.rounds, "sidekiq-fork" not in reasons)
        return {
            "format": 1,
            "started_at": started_at.isoformat(timespec="seconds"),
            "quick": arguments.quick,
            "rounds": arguments.rounds,
            "machine": machine.describe(setup, arguments.profile),
            "versions": machine.versions(setup),
            "contenders": results.compared(rounds, reasons),
            "curves": {one.id: results.curve(one.label, curve_rounds[one.id]) for one in curves.CURVES},
        }


def measure_contenders(setup, count):
    """Everyone's rates in each round, and why those who can't run here can't."""
    from contenders import CONTENDERS, OURS

    rounds, reasons = {one.id: [] for one in CONTENDERS}, {}
    for number in range(count):
        # In another order each time, so that nobody always follows the same one.
        for one in random.Random(number).sample(CONTENDERS, len(CONTENDERS)):
            if one.id in reasons:
                continue
            say(f"round {number + 1} of {count}: {one.name}")
            try:
                rounds[one.id].append(one.measure(setup))
            except (CannotRun, OSError, ValueError) as reason:
                # What the others are compared with has to run.
                if one.id in OURS:
                    raise
                reasons[one.id] = str(reason)
    return rounds, reasons


def measure_curves(setup, count, with_sidekiq):
    import curves

    rounds = {one.id: [] for one in curves.CURVES}
    for number in range(count):
        for one in curves.CURVES:
            say(f"round {number + 1} of {count}: curve over {one.id}")
            rounds[one.id].append(curves.measure(one, setup, with_sidekiq))
    return rounds


def say(what):
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except CannotRun as failure:
        sys.exit(f"bench: {failure}")
