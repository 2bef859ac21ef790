"""Processes that fork in a loop: the floor, and what most people write first."""

import contextlib
import subprocess

from processes import CannotRun, background, output
from setup import PROGRAMS, RUBY_LOOP


def c_loop(setup):
    """fork, exit and wait in C: no Ruby, no input and no result."""
    program = setup.scratch / "fork_loop"
    if not program.exists():
        output(["cc", "-O2", "-o", program, PROGRAMS / "fork_loop.c"])
    return {n: beside_one_another([program, setup.runs(5000, 500)], n) for n in setup.at_once}


def ruby_loop(setup):
    """fork, eval and JSON over a pipe in plain Ruby."""
    return {n: beside_one_another(["ruby", RUBY_LOOP, setup.runs(1000, 100)], n) for n in setup.at_once}


def beside_one_another(command, processes):
    """The sum of the rates that so many processes print, started together."""
    with contextlib.ExitStack() as stack:
        start = lambda: stack.enter_context(background(command, stdout=subprocess.PIPE, text=True))  # noqa: E731
        return sum(printed_rate(process) for process in [start() for _ in range(processes)])


def printed_rate(process):
    printed, _ = process.communicate()
    if process.returncode != 0:
        raise CannotRun(f"{process.args[0]} ended with {process.returncode}")
    return float(printed)
