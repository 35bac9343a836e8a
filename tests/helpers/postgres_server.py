"""A real PostgreSQL server of the tests' own, where its programs are installed."""

import getpass
import os
import pwd
import shutil
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest


def _program(name):
    """A program of PostgreSQL; Debian has the server's outside of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _user():
    """PostgreSQL refuses to run as root; Debian makes a user for it."""
    if os.getuid():
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


PROGRAM, INITDB = _program("postgres"), _program("initdb")
needs_postgres = [
    pytest.mark.e2e,
    pytest.mark.postgres,
    pytest.mark.skipif(
        None in (PROGRAM, INITDB, _user()),
        reason="PostgreSQL is not installed (apt-get install postgresql)",
    ),
]


@contextmanager
def running_postgres(folder):
    """Yields a URL.

    Args:
        folder: An empty folder that the server's user may enter and write.
    """
    data, user = folder / "data", _user()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder, "user": user}
    make = [INITDB, "-D", str(data), "-A", "trust", "-U", "poso", "--no-sync"]
    subprocess.run(make, check=True, **quiet)
    serve = [PROGRAM, "-D", str(data), "-p", str(port), "-k", str(folder), "-F"]
    serve += ["-c", "listen_addresses=127.0.0.1"]
    process = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True, **quiet)
    try:
        for line in process.stderr:
            if "ready to accept connections" in line:
                break
        else:
            raise RuntimeError("postgres did not start")
        yield f"postgresql://poso@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
