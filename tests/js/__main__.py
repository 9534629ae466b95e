"""Run the JavaScript tests with the node that Playwright's wheel brings, so that nothing else has to be installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import playwright

HERE = Path(__file__).resolve().parent
NODE = Path(playwright.__file__).resolve().parent / "driver" / "node"

if __name__ == "__main__":
    tests = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    sys.exit(subprocess.run([str(NODE), "--test", *tests], check=False).returncode)
