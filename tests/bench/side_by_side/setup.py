"""What every measurement needs to know."""

import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
LOAD = HERE.parent / "load.rb"
RUBY_LOOP = HERE.parent / "baseline.rb"

EVENT = '{"name":"Ada"}'
GREETING = {"greeting": "Hello, Ada!"}


@dataclass(frozen=True)
class Setup:
    """Where things are, and how much to do."""

    binaries: Path  # Bad Lambda's, as built
    node_modules: Path  # may not exist
    scratch: Path  # emptied at the end
    quick: bool

    @property
    def cores(self):
        return len(os.sched_getaffinity(0))

    @property
    def at_once(self):
        """One, and one per core."""
        return sorted({1, self.cores})

    def runs(self, full, quick):
        return quick if self.quick else full


@dataclass(frozen=True)
class Load:
    """What is queued, and what runs it: as `badlambda-bench rate` has it."""

    queued: int
    workers: int = 1
    slots: int | None = None
    functions: int = 1
    handler: bool = False
    input_bytes: int = 0
    result_bytes: int = 0
    log_bytes: int = 0
    work_ms: int = 0
    wait_ms: int = 0

    def event(self):
        """The input that tells `load.rb` what to do."""
        asked = {name: getattr(self, name) for name in ("work_ms", "wait_ms", "log_bytes", "result_bytes")}
        padding = {"padding": "x" * self.input_bytes} if self.input_bytes else {}
        return {"name": "Ada"} | {name: n for name, n in asked.items() if n} | padding
