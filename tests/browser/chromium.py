"""Find the Chromium of the browser tests; ``python -m tests.browser.chromium`` installs one if there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HELP = "apt-get install chromium; or: python -m playwright install chromium; or: CHROMIUM=/path/to/chromium"


def find() -> str | None:
    """Return a Chromium that starts: $CHROMIUM, one on the PATH, or Playwright's own. None if there is none."""
    chosen = os.environ.get("CHROMIUM")
    # A choice that does not work is not replaced in silence.
    places = [chosen] if chosen else [*(shutil.which(name) for name in NAMES), playwrights_own()]
    return next((place for place in places if place and starts(place)), None)


def starts(path: str) -> bool:
    """Whether it is a browser: Ubuntu's ``chromium-browser`` can be a script that asks for a snap."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """Install Chromium: Debian's as root, else Playwright's own. What cannot work is left to ``find`` to notice."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update", "-q"], **apt)
        packages = ["chromium", "fonts-dejavu-core"]
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], **apt)
        if find():
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])


def on_ci() -> bool:
    """Whether a missing browser is a failure rather than a reason to skip."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def main() -> int:
    path = find()
    if not path and not os.environ.get("CHROMIUM"):
        sys.stdout.write("There is no Chromium yet; installing it\n")
        sys.stdout.flush()
        install()
        path = find()
    if path:
        sys.stdout.write(f"Browser: {path}\n")
        return 0
    sys.stderr.write(f"No Chromium, so the browser tests cannot run. Help: {HELP}\n")
    return 1 if on_ci() else 0


if __name__ == "__main__":
    sys.exit(main())
