"""A new Ruby for every execution: bare, and in what people confine programs with."""

import contextlib
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

from processes import CannotRun, output, rate_of_callers
from setup import EVENT, GREETING, PROGRAMS

# The program as an argument: what confines it may hide the folder that it lies in.
RUBY = ["ruby", "-e", (PROGRAMS / "once.rb").read_text(), EVENT]
# No network, no other processes in sight, nothing to write to but an empty /tmp.
BWRAP = "bwrap --unshare-all --die-with-parent --ro-bind / / --dev /dev --proc /proc --tmpfs /tmp".split()
FIREJAIL = "firejail --quiet --noprofile --net=none --private-tmp --seccomp --caps.drop=all --nonewprivs".split()
IMAGE = "badlambda-side-by-side"


def ruby(setup):
    """`ruby` for each, not confined."""
    return repeat(setup, RUBY)


def bwrap(setup):
    """`bwrap` and `ruby` for each."""
    return repeat(setup, [*BWRAP, *RUBY])


def firejail(setup):
    """`firejail` and `ruby` for each."""
    return repeat(setup, [*FIREJAIL, *RUBY])


def docker(setup):
    """`docker run` of this machine's own Ruby for each: an image with nothing in it, and /usr bound into it."""
    if not shutil.which("docker"):
        raise CannotRun("there is no docker command")
    output(["docker", "version", "--format", "{{.Server.Version}}"], timeout=20)
    label = f"{IMAGE}={os.getpid()}"
    folders = ["/usr", *(path for path in top_level() if not path.is_symlink())]
    binds = [part for folder in folders for part in ("--volume", f"{folder}:{folder}:ro")]
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(remove_containers, label)
        make_image(setup)
        cleanup.callback(output, ["docker", "image", "rm", "--force", IMAGE])
        confined = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--label", label]
        return repeat(setup, ["docker", "run", "--rm", *confined, *binds, IMAGE, *RUBY], fewer=5)


def repeat(setup, command, fewer=1):
    """How often a second a command runs and prints the greeting."""

    def call():
        if json.loads(output(command, timeout=60)) != GREETING:
            raise CannotRun(f"{command[0]} printed no greeting")

    call()
    return {n: rate_of_callers(call, max(2, setup.runs(50, 4) // fewer) * n, n) for n in setup.at_once}


def top_level():
    """/bin, /lib and their like, which are links into /usr where Debian is newer."""
    return [path for path in map(Path, ("/bin", "/lib", "/lib32", "/lib64", "/sbin")) if path.exists()]


def make_image(setup):
    archive = setup.scratch / "empty.tar"
    with tarfile.open(archive, "w") as tar:
        for path in top_level():
            if path.is_symlink():
                entry = tarfile.TarInfo(path.name)
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(path)
                tar.addfile(entry, io.BytesIO())
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(tmp)
    output(["docker", "import", archive, IMAGE])


def remove_containers(label):
    left = output(["docker", "ps", "--all", "--quiet", "--filter", f"label={label}"]).split()
    if left:
        output(["docker", "rm", "--force", *left])
