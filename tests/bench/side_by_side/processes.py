"""Starting programs, and ending whatever was started, however the benchmark ends."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

LONGEST = 1800  # seconds that anything here may take
ENDS_WITHIN = 20  # seconds from SIGTERM to SIGKILL, for what has things to put in order


class CannotRun(Exception):
    """Why something can't be measured here."""


@contextlib.contextmanager
def background(command, ends_within=ENDS_WITHIN, **options):
    """A program in a process group of its own, which is ended with all of the group."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | options
    try:
        process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
    except OSError as error:
        raise CannotRun(f"{command[0]}: {error.strerror}") from error
    try:
        yield process
    finally:
        signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ends_within)
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def output(command, timeout=LONGEST, **options):
    """What a program prints, once it has ended well."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with background(command, text=True, **options) as process:
        try:
            printed, complained = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise CannotRun(f"{command[0]} did not end within {timeout} s") from error
    if process.returncode != 0:
        last_line = ((complained or "").strip().splitlines() or ["see above"])[-1]
        raise CannotRun(f"{os.path.basename(str(command[0]))} ended with {process.returncode}: {last_line}")
    return printed


def rate_of_callers(call, runs, at_once):
    """How often a second `call` returns, where so many callers repeat it, each after its last one returned."""
    each, is_over = max(1, runs // at_once), threading.Event()

    def repeat(_):
        for _ in range(each):
            if not is_over.is_set():
                call()

    with ThreadPoolExecutor(at_once) as callers:
        started = time.monotonic()
        try:
            list(callers.map(repeat, range(at_once)))
        finally:
            # Where one fails, or all is to end, nobody goes on.
            is_over.set()
        return each * at_once / (time.monotonic() - started)


def wait_until(condition, process, seconds=60):
    """Waits for what a program in the background brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None:
            raise CannotRun(f"{os.path.basename(str(process.args[0]))} ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise CannotRun(f"{os.path.basename(str(process.args[0]))} was not ready within {seconds} s")
        time.sleep(0.01)


def is_listening(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    """A port of loopback that was free a moment ago."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
