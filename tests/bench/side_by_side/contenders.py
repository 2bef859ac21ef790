"""Who is measured. All do the same job: they make {"greeting": "Hello, Ada!"} of {"name": "Ada"}."""

from collections.abc import Callable
from dataclasses import dataclass

import commands
import loops
import ours
import serverless
import sidekiq

LEVELS = {
    "executor": "run at once, one after the other by each caller: no queue, no stored result",
    "queue": "taken from a queue that was filled before",
    "http": "submitted over HTTP, each answer waited for",
}


@dataclass(frozen=True)
class Contender:
    """`measure` gives executions per second, by how many callers, workers or processes there are at once."""

    id: str
    level: str
    name: str
    confined: str  # what keeps an execution from the rest of the machine, and from other executions
    kept: str  # what becomes of queue and result
    measure: Callable


OURS = {"executor-script", "executor-handler", "worker", "up"}
RETURNED = "returned, not stored"
LAYERS = "own uid, namespaces, seccomp, Landlock, limits"
STORED = "SQS and S3 on a RAM disk: result and logs are stored"
REDIS = "Redis in memory; the result is dropped"


SCRIPT, HANDLER = ours.executor("script"), ours.executor("handler")
# The first of each level is what the others are compared with.
CONTENDERS = [
    Contender("executor-script", "executor", "Bad Lambda's executor, script form", LAYERS, RETURNED, SCRIPT),
    Contender("executor-handler", "executor", "Bad Lambda's executor, handler form", LAYERS, RETURNED, HANDLER),
    Contender("c-loop", "executor", "C: fork, exit, wait; no Ruby", "no", "no result", loops.c_loop),
    Contender("ruby-loop", "executor", "Ruby: fork, eval, JSON", "no", RETURNED, loops.ruby_loop),
    Contender("ruby", "executor", "ruby for each", "no", RETURNED, commands.ruby),
    Contender("bwrap", "executor", "bwrap + ruby for each", "namespaces", RETURNED, commands.bwrap),
    Contender("firejail", "executor", "firejail + ruby for each", "namespaces, seccomp", RETURNED, commands.firejail),
    Contender("docker", "executor", "docker run of ruby for each", "container", RETURNED, commands.docker),
    Contender("worker", "queue", "Bad Lambda's worker", LAYERS, STORED, ours.workers),
    Contender("sidekiq-fork", "queue", "Sidekiq, a fork per job", "no", REDIS, sidekiq.jobs("InFork")),
    Contender("sidekiq-thread", "queue", "Sidekiq, in threads", "no: one process", REDIS, sidekiq.jobs("InThread")),
    Contender("up", "http", "badlambda up", LAYERS, STORED, ours.over_http),
    Contender("serverless-offline", "http", "serverless-offline", "no", RETURNED, serverless.over_http),
]
