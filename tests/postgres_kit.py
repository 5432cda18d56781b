"""A PostgreSQL server of the tests' own, where the programs are installed."""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=16MB"
"""Reached by a socket in its own folder alone; nothing in it outlives the tests."""


@functools.cache
def postgres_server() -> str | None:
    """SQLAlchemy URL of a server that ends with this process; None where there is none to start."""
    programs, user = _programs(), _unprivileged()
    if programs is None or user is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    shutil.chown(folder, user["user"], user["group"])
    data = folder / "data"
    run = functools.partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    run([programs / "initdb", "-D", data, "-U", "tests", "--auth=trust", "--no-sync"], **user)
    control = [programs / "pg_ctl", "-D", data, "-w"]
    options = f"{OPTIONS} -k {folder}"
    run([*control, "-o", options, "-l", folder / "log", "start"], **user)

    def stop() -> None:
        run([*control, "-m", "immediate", "stop"], **user)
        shutil.rmtree(folder)

    atexit.register(stop)
    return f"postgresql+psycopg://tests@/postgres?host={folder}"


def _programs() -> Path | None:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((found.parent for found in versions), default=None)


def _unprivileged() -> dict[str, Any] | None:
    """Who runs the server: PostgreSQL refuses to be run by root."""
    me = pwd.getpwuid(os.geteuid())
    if me.pw_uid != 0:
        return {"user": me.pw_uid, "group": me.pw_gid}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        return None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
