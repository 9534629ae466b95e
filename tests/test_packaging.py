"""The built wheel, installed into an empty environment away from the checkout, serves pages from its own files."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).resolve().parent.parent
APPS = {"coupons", "wishlists", "thankyou_flows"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example shop alone, and ``python`` of an environment that holds only the wheel."""
    folder = tmp_path_factory.mktemp("site")
    run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", f"{wheel}[demo]")
    unwanted = shutil.ignore_patterns("__pycache__", "oscar", "var")
    shutil.copytree(ROOT / "example_site", folder / "example_site", ignore=unwanted)
    shutil.copy(ROOT / "manage.py", folder)
    (folder / "var").mkdir()
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The running shop's address, without a slash at the end."""
    manage(site, "migrate", "--verbosity=0")
    manage(site, "load_demo", "--verbosity=0")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = site / "server.log"
    with log.open("w") as output:
        command = [site / "venv/bin/python", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
        server = subprocess.Popen(command, cwd=site, env=environment(site), stdout=output, stderr=output)
        try:
            wait_for(port, server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def environment(site: Path) -> dict[str, str]:
    """The caller's environment without anything that leads back to the checkout."""
    unwanted = ("PYTHON", "DJANGO_", "DATABASE_URL", "EXAMPLE_SITE_", "VIRTUAL_ENV", "PYTEST_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    return kept | {"EXAMPLE_SITE_VAR": str(site / "var")}


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def manage(site: Path, *arguments: str) -> str:
    return run(site / "venv/bin/python", "manage.py", *arguments, cwd=site, env=environment(site))


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    pytest.fail(log.read_text())


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as response:
        assert response.status == 200
        return response.read().decode(errors="replace")


def test_it_holds_the_three_apps_and_nothing_else(wheel: Path) -> None:
    """DESIGN D13: top-level names, templates, static files and migrations; neither tests nor demo."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.partition("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == APPS
    assert len(top) == len(APPS) + 1
    # Whatever the checkout has, an installed shop gets.
    for template in (ROOT / "templates").rglob("*.*"):
        label = template.relative_to(ROOT / "templates").parts[0]
        app = label.removeprefix("thankyou_") if label != "thankyou_flows" else label
        assert f"{app}/templates/{template.relative_to(ROOT / 'templates').as_posix()}" in names
    for app in APPS:
        assert f"{app}/py.typed" in names
        for catalogue in (ROOT / "locale").rglob("*.po"):
            assert f"{app}/{catalogue.relative_to(ROOT).with_suffix('.mo').as_posix()}" in names
        assert f"{app}/migrations/__init__.py" in names
        for static in (path for path in (ROOT / app / "static").rglob("*") if path.is_file()):
            assert static.relative_to(ROOT).as_posix() in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_it_is_the_installed_one(site: Path) -> None:
    """Code and templates come from the environment, not from the checkout."""
    probe = (
        "import thankyou_flows; print(thankyou_flows.__file__);"
        "from django.template.loader import get_template;"
        "print(get_template('thankyou_flows/base.html').origin)"
    )
    lines = manage(site, "shell", "--no-imports", "-c", probe).split()
    assert len(lines) == 2
    for line in lines:
        assert Path(line).is_relative_to(site / "venv")
    manage(site, "check")


def test_it_serves_the_shop(address: str) -> None:
    """The demo's home page answers, and its scripts and styles do too."""
    home = get(f"{address}/")
    assert "<h1" in home
    own = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', home))
    assert own
    for path in own:
        assert get(f"{address}{path}")


def test_it_serves_a_thank_you_page(address: str) -> None:
    """The stable address shows everybody without an order the generic page, from the installed templates (TY-1)."""
    page = get(f"{address}/thanks/")
    assert "/static/thankyou_flows/thankyou.css" in page
    assert get(f"{address}/static/thankyou_flows/thankyou.css")


def test_a_strangers_order_is_not_found(address: str) -> None:
    """The polite page of the package is rendered where there is nothing to show (TY-2)."""
    try:
        page = get(f"{address}/thanks/order/no-such-order/")
    except urllib.error.HTTPError as error:
        assert error.code == 404
        page = error.read().decode()
    assert "no-such-order" not in page
