"""Bad Lambda: its executor alone, its workers with a full queue, and the whole of it over HTTP."""

import contextlib
import http.client
import json
import subprocess
import threading
from dataclasses import asdict
from urllib.parse import urlsplit

from processes import CannotRun, background, output, rate_of_callers
from setup import EVENT, GREETING, PROGRAMS, Load


def executor(form):
    """Executions by the executor, with as many zygotes as callers."""

    def measure(setup):
        runs = setup.runs(2000, 50)
        return {n: bench(setup, form, runs * n, n)["executor, all layers"]["value"] for n in setup.at_once}

    return measure


def workers(setup):
    """Executions by workers that find the queue full."""
    queued = setup.runs(5000, 50)
    return {n: full_queue(setup, Load(queued, workers=n))["executions"]["value"] for n in setup.at_once}


def full_queue(setup, load):
    """The figures of one measurement of a fleet."""
    arguments = []
    for name, value in asdict(load).items():
        option = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(option)
        elif value:
            arguments += [option, value]
    return bench(setup, "rate", *arguments)


def bench(setup, *arguments):
    # What it complains of, its workers' complaints among it, goes to the terminal.
    printed = output([setup.binaries / "badlambda-bench", *arguments, "--json"], stderr=None)
    return json.loads(printed)["figures"]


def over_http(setup):
    """The whole system in one process: submitted over HTTP, each waited for."""
    with up(setup) as address:
        body = json.dumps({"name": "hello", "code": (PROGRAMS / "hello.rb").read_text()})
        Caller(address, "/v1/functions").post(body, 201)
        execute = Caller(address, "/v1/functions/hello/executions")

        def call():
            record = execute.post(EVENT, 200)
            if record.get("result") != GREETING:
                raise CannotRun(f"Bad Lambda answered {record}")

        rate_of_callers(call, setup.runs(50, 4), setup.cores)
        return {n: rate_of_callers(call, setup.runs(500, 20) * n, n) for n in setup.at_once}


@contextlib.contextmanager
def up(setup):
    """`badlambda up`, and the address of its API."""
    command = [setup.binaries / "badlambda", "up", "--listen", "127.0.0.1:0", "--data", setup.scratch / "up"]
    with background(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        if not line:
            raise CannotRun("badlambda up did not start")
        yield json.loads(line)["api"]


HEADERS = {"Content-Type": "application/json", "Prefer": "wait=30"}


class Caller:
    """Posts to one URL, over one connection for each thread."""

    def __init__(self, address, path):
        self.host, self.path, self.kept = urlsplit(address).netloc, path, threading.local()

    def post(self, body, expected):
        """The JSON that is answered."""
        if not hasattr(self.kept, "connection"):
            self.kept.connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            self.kept.connection.request("POST", self.path, body, HEADERS)
            answer = self.kept.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise CannotRun(f"{self.host} did not answer: {error!r}") from error
        if answer.status != expected:
            raise CannotRun(f"{self.path} answered {answer.status}: {text[:200]!r}")
        return json.loads(text)
