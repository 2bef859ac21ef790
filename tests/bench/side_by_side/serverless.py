"""serverless-offline, which imitates AWS Lambda on the developer's machine: it starts a Ruby for each call."""

import os
import shutil
import tempfile

from ours import Caller
from processes import CannotRun, background, free_port, is_listening, rate_of_callers, wait_until
from setup import EVENT, GREETING, PROGRAMS

CALL = "/2015-03-31/functions/side-by-side-dev-hello/invocations"
# It reports to its makers otherwise.
QUIET = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "true"}


def over_http(setup):
    """Calls of the same handler, by the endpoint that AWS's SDKs use."""
    program = setup.node_modules / ".bin/serverless"
    if not program.exists():
        raise CannotRun("serverless is not installed: npm is missing, or could not install it")
    with tempfile.TemporaryDirectory(dir=setup.scratch) as folder:
        for name in ("hello.rb", "serverless.yml"):
            shutil.copy(PROGRAMS / name, folder)
        os.symlink(setup.node_modules, f"{folder}/node_modules")
        http, port, alb = free_port(), free_port(), free_port()
        ports = ["--httpPort", http, "--lambdaPort", port, "--albPort", alb]
        command = [program, "offline", "--host", "127.0.0.1", *ports]
        with background(command, cwd=folder, env=os.environ | QUIET) as process:
            wait_until(lambda: is_listening(port), process)
            caller = Caller(f"http://127.0.0.1:{port}", CALL)

            def call():
                answer = caller.post(EVENT, 200)
                if answer != GREETING:
                    raise CannotRun(f"serverless-offline answered {answer}")

            call()
            return {n: rate_of_callers(call, setup.runs(20, 2) * n, n) for n in setup.at_once}
