"""Sidekiq with a Redis of its own, both from Debian, as they are by default."""

import contextlib
import json
import os
import select
import shutil
import tempfile
import time
from pathlib import Path

from processes import LONGEST, CannotRun, background, free_port, is_listening, output, wait_until
from setup import LOAD, PROGRAMS, Load

THREADS = 10  # Sidekiq's own default
JOB = PROGRAMS / "job.rb"


def jobs(kind):
    """Jobs per second of a full queue, by one process and by one per core."""

    def measure(setup):
        rates = {}
        for processes in setup.at_once:
            load = Load(queued=setup.runs(5000, 50), workers=processes, slots=THREADS)
            with Sidekiq.started(setup, kind, load.workers, load.slots) as sidekiq:
                rates[processes] = sidekiq.rate(load)
        return rates

    return measure


class Sidekiq:
    """Running processes, which wait for jobs of one kind: `InThread` or `InFork`."""

    def __init__(self, kind, folder, redis, environment, processes, told):
        self.kind, self.folder, self.redis, self.environment = kind, Path(folder), redis, environment
        self.processes, self.told = processes, told

    @classmethod
    @contextlib.contextmanager
    def started(cls, setup, kind, processes, threads):
        """Redis and Sidekiq, ready."""
        for program in ("redis-server", "sidekiq"):
            if not shutil.which(program):
                raise CannotRun(f"{program} is not installed")
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=setup.scratch))
            port = free_port()
            settings = ["--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", folder]
            redis = stack.enter_context(background(["redis-server", *settings], ends_within=0))
            wait_until(lambda: is_listening(port), redis)
            told, tell = os.pipe()
            stack.callback(os.close, told)
            stack.callback(os.close, tell)
            environment = os.environ | {"REDIS_URL": f"redis://127.0.0.1:{port}/0", "CODE": str(LOAD)}
            # What jobs print goes to a file, as a service's log does.
            log = stack.enter_context(open(f"{folder}/log", "w"))
            command = ["sidekiq", "-r", JOB, "-c", threads, "-e", "production"]
            options = {"env": environment | {"TOLD": str(tell)}, "pass_fds": [tell], "stdout": log, "stderr": log}
            options |= {"ends_within": 0, "cwd": folder}
            started = [stack.enter_context(background(command, **options)) for _ in range(processes)]
            sidekiq = cls(kind, folder, port, environment, started, told)
            sidekiq.wait_for(b"r", processes, 60)
            yield sidekiq

    def rate(self, load):
        """Fills a queue that nobody looks at, then gives it the name of the one that all wait for."""
        # In a file, since an argument may not be as large.
        event = self.folder / "event.json"
        event.write_text(json.dumps(load.event()))
        push = ["ruby", JOB, self.kind, event, load.queued, "waiting"]
        output(push, env=self.environment)
        started = time.monotonic()
        output(["redis-cli", "-p", self.redis, "rename", "queue:waiting", "queue:default"])
        self.wait_for(b"d", load.queued, LONGEST)
        return load.queued / (time.monotonic() - started)

    def wait_for(self, what, count, seconds):
        """Waits until the processes have told so often of this."""
        deadline = time.monotonic() + seconds
        while count > 0:
            if any(process.poll() is not None for process in self.processes):
                raise CannotRun("a process of Sidekiq ended")
            if time.monotonic() > deadline:
                raise CannotRun(f"Sidekiq was not done within {seconds} s")
            if select.select([self.told], [], [], 1)[0]:
                count -= os.read(self.told, 65536).count(what)
