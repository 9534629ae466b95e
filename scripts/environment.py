"""Make the virtual environment and install into it what ``make`` is about to use; do nothing if that is done already.

Runs on the system's own Python with nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)

#: What may be asked for: the extras it installs, and which larger choices contain it already.
CHOICES = {
    "demo": ("demo", ("oscar", "dev")),
    "oscar": ("oscar,demo", ("dev",)),
    "dev": ("dev", ()),
}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fingerprint() -> str:
    """Name everything that decides what is installed: the requirements, Python's version and the checkout's place."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), str(sys.version_info[:2]).encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let two commands in two terminals wait for each other rather than install into one folder at once."""
    with (ROOT / "scripts" / "environment.py").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_usable() -> bool:
    """Whether the environment runs, has pip, and is of this interpreter's version."""
    if not PYTHON.exists():
        return False
    probe = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return subprocess.run([PYTHON, "-c", probe], stderr=subprocess.DEVNULL).returncode == 0


def make_venv() -> None:
    """Create ``.venv``. On Debian its module is a package of its own: root installs it, anybody else is told how."""
    say(f"Making a virtual environment in {VENV.name}/ (Python {sys.version.split()[0]})")
    shutil.rmtree(VENV, ignore_errors=True)
    if not has_ensurepip():
        install_debian_venv()
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)


def has_ensurepip() -> bool:
    # A separate process, because apt may add the module while this one runs.
    probe = "import ensurepip, venv"
    return subprocess.run([sys.executable, "-c", probe], stderr=subprocess.DEVNULL).returncode == 0


def install_debian_venv() -> None:
    packages = ["python3-venv", f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"]
    advice = f"Python's venv module is missing. Install it, then try again:\n\n    sudo apt-get install {packages[0]}\n"
    if not shutil.which("apt-get") or os.geteuid() != 0:
        sys.exit(advice)
    say("Python's venv module is missing; installing it with apt-get")
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-q"], check=False, **quiet)
    for package in packages:
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], check=False, **quiet)
        if has_ensurepip():
            return
    sys.exit(advice)


def install(extras: str) -> None:
    say(f"Installing {extras} (about a minute, once)")
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-warn-script-location"]
    if os.geteuid() == 0:
        pip.append("--root-user-action=ignore")
    done = subprocess.run([*pip, "--editable", f"{ROOT}[{extras}]"])
    if done.returncode:
        sys.exit("The installation failed; pip's own words are above. Run the same command again to go on.")


def compile_messages() -> None:
    """Compile translations that are newer than what was compiled from them."""
    for catalogue in (ROOT / "locale").glob("*/LC_MESSAGES/*.po"):
        compiled = catalogue.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < catalogue.stat().st_mtime:
            babel = [PYTHON, "-m", "babel.messages.frontend", "--quiet", "compile"]
            subprocess.run([*babel, "-i", catalogue, "-o", compiled], check=True)


def ensure(choice: str) -> None:
    """Make the environment hold the extras of ``choice``, at the cost of reading one file if it does already."""
    extras, larger = CHOICES[choice]
    wanted = fingerprint()
    stamps = [VENV / f".installed-{name}" for name in (choice, *larger)]
    if not any(stamp.exists() and stamp.read_text() == wanted for stamp in stamps) or not PYTHON.exists():
        if not is_usable():
            make_venv()
        install(extras)
        stamps[0].write_text(wanted)
    compile_messages()


def main() -> None:
    if sys.version_info < OLDEST:
        mine = sys.version.split()[0]
        sys.exit(f"Python 3.11 or newer is needed; {sys.executable} is {mine}. Try: make PYTHON=python3.11 …")
    choice = sys.argv[1] if len(sys.argv) == 2 else ""
    if choice not in CHOICES:
        sys.exit(f"usage: environment.py {'|'.join(CHOICES)}")
    with one_at_a_time():
        ensure(choice)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed with status {error.returncode}.")
