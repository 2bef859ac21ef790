"""What it was measured on, and versions of everything that was measured."""

import json
import os
import platform
import re
from pathlib import Path

from processes import CannotRun, output

VERSIONS = {
    "bad lambda": ["git", "describe", "--always", "--dirty", "--abbrev=12"],
    "ruby": ["ruby", "--version"],
    "cc": ["cc", "--version"],
    "sidekiq": ["ruby", "-r", "sidekiq", "-e", "puts Sidekiq::VERSION"],
    "redis": ["redis-server", "--version"],
    "bwrap": ["bwrap", "--version"],
    "firejail": ["firejail", "--version"],
    "docker": ["docker", "version", "--format", "{{.Server.Version}}"],
    "node": ["node", "--version"],
}


def describe(setup, profile):
    """The machine and the build."""
    names = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return {
        "cores": setup.cores,
        "cpu": cpu(),
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "kernel": platform.release(),
        "system": names.get("PRETTY_NAME", "unknown").strip('"'),
        "profile": profile,
    }


def cpu():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def versions(setup):
    """By name; null for what is not there."""
    found = {name: version(command) for name, command in VERSIONS.items()}
    for package in ("serverless", "serverless-offline"):
        path = setup.node_modules / package / "package.json"
        found[package] = json.loads(path.read_text())["version"] if path.exists() else None
    return found


def version(command):
    try:
        # From here, since Git looks for the repository upwards.
        lines = output(command, timeout=30, cwd=Path(__file__).parent).strip().splitlines()
    except CannotRun:
        return None
    # Most say their name before it, and more after it.
    number = re.search(r"\d+\.\d+[\w.+-]*", lines[0]) if lines else None
    return number[0] if number else (lines or [None])[0]
