"""What the documentation says of the code is what the code does: settings, checks, signals, addresses, names, links."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils.module_loading import import_string

import coupons.conf
import coupons.signals
import coupons.staging
import coupons.urls
import thankyou_flows.access
import thankyou_flows.conf
import thankyou_flows.signals
import thankyou_flows.urls
import wishlists.asking
import wishlists.conf
import wishlists.signals
import wishlists.urls
from thankyou_flows.blocks import FlowStreamBlock
from thankyou_flows.rules import RuleStreamBlock
from thankyou_flows.stores.dummy import DummyStore
from thankyou_flows.testing import StoreContractTests
from wishlists.kinds import CART, CHANGEABLE, KINDS
from wishlists.lines import Lines
from wishlists.models import ListItem, ProductList
from wishlists.plain import plain_kind, plain_lines, plain_wish_list
from wishlists.shelf import Shelf
from wishlists.state import state_of

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
APPS = ("coupons", "wishlists", "thankyou_flows")
CONFS = {
    "THANKYOU_FLOWS": thankyou_flows.conf.DEFAULTS,
    "THANKYOU_WISHLISTS": wishlists.conf.DEFAULTS,
    "THANKYOU_COUPONS": coupons.conf.DEFAULTS,
}
CODE = re.compile(r"^```(\w[\w+]*)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def code_of(page: Path | str) -> Iterator[tuple[str, str]]:
    """Yield (language, code) of the code blocks of a page."""
    text = page.read_text(encoding="utf-8") if isinstance(page, Path) else page
    for language, code in CODE.findall(text):
        yield language, textwrap.dedent(code)


def first_column(text: str) -> list[str]:
    """Return the names in code type in the first column of a section's tables."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


# Reference -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", CONFS)
def test_every_setting_is_there_with_its_default(setting: str) -> None:
    """D11: each key of each dict, with the default of the code, and no key that does not exist."""
    rows = re.findall(
        r"^\| `([A-Z0-9_]+)` \| `(.*?)` \| \S", section(read("reference/settings.md"), setting), re.MULTILINE
    )
    assert {key: ast.literal_eval(default) for key, default in rows} == dict(CONFS[setting])
    assert [key for key, _default in rows] == list(CONFS[setting])


def ids_in_the_code() -> set[str]:
    found = set()
    for app in APPS:
        label = f"thankyou_{app}" if app != "thankyou_flows" else app
        for file in (ROOT / app).rglob("*.py"):
            source = file.read_text(encoding="utf-8")
            found |= set(re.findall(r'id="(thankyou_\w+\.[EW]\d{3})"', source))
            found |= {f"{label}.{number}" for number in re.findall(r'_error\("([EW]\d{3})"', source)}
    return found


def test_every_check_is_explained_and_no_other() -> None:
    listed = [
        name for name in first_column(read("reference/checks.md")) if re.fullmatch(r"thankyou_\w+\.[EW]\d{3}", name)
    ]
    assert len(set(listed)) == len(listed)
    assert set(listed) == ids_in_the_code()
    for page in PAGES:
        named = set(re.findall(r"thankyou_\w+\.[EW]\d{3}", page.read_text(encoding="utf-8")))
        assert named <= ids_in_the_code(), name_of(page)


@pytest.mark.parametrize("module", [thankyou_flows.signals, coupons.signals, wishlists.signals])
def test_every_signal_is_listed_and_no_other(module: Any) -> None:
    signals = {name for name, value in vars(module).items() if isinstance(value, Signal)}
    assert set(first_column(section(read("reference/signals.md"), module.__name__))) == signals


def test_every_command_is_listed_and_no_other() -> None:
    commands = {name for name, app in get_commands().items() if app in APPS}
    assert set(first_column(read("reference/commands.md"))) == commands


@pytest.mark.parametrize(
    ("heading", "module", "prefix"),
    [
        ("thankyou_flows", thankyou_flows.urls, "thanks/"),
        ("thankyou_wishlists", wishlists.urls, ""),
        ("thankyou_coupons", coupons.urls, "coupons/"),
    ],
)
def test_every_address_is_listed_and_no_other(heading: str, module: Any, prefix: str) -> None:
    rows = re.findall(r"^\| `(\w+:\w+)` \| `([^`]*)`", section(read("reference/urls.md"), heading), re.MULTILINE)

    def shape(path: str) -> str:
        return re.sub(r"<[^>]*>", "<>", path)

    assert {(name, shape(path)) for name, path in rows} == {
        (f"{module.app_name}:{each.name}", shape(f"{prefix}{each.pattern}")) for each in module.urlpatterns
    }


@pytest.mark.parametrize(
    ("page", "stream"), [("reference/blocks.md", FlowStreamBlock()), ("reference/rules.md", RuleStreamBlock())]
)
def test_every_block_and_rule_is_listed(page: str, stream: Any) -> None:
    """With the words of the editor, its class and its name in the stream."""
    rows = set(re.findall(r"^\| ([^|`]+) \| `(\w+)`, `(\w+)`", read(page), re.MULTILINE))
    assert rows == {(str(child.label), type(child).__name__, name) for name, child in stream.child_blocks.items()}


def test_blocks_say_what_they_need() -> None:
    cells = [
        line.split("|") for line in read("reference/blocks.md").splitlines() if re.match(r"\| [^|`]+ \| `\w+`, `", line)
    ]
    said = {re.findall(r"`(\w+)`", row[2])[1]: (row[3].strip().upper(), row[5].strip()) for row in cells}
    blocks = FlowStreamBlock().child_blocks
    assert said == {name: (block.access_level.name, block.placement) for name, block in blocks.items()}


def test_every_session_key_and_cookie_is_listed() -> None:
    """CK-1, TY-5: nothing is kept in a browser that is not named here."""
    listed = set(first_column(read("reference/cookies-and-sessions.md")))
    cookie = wishlists.conf.DEFAULTS["COOKIE_NAME"]
    ours = {cookie, *(f"{cookie}_{name}" for name in ("note", "open", "gifts"))}
    ours |= {f"{cookie}_{kind.name}" for kind in KINDS.values() if kind.guests and kind.name != CART}
    assert {name for name in listed if name.startswith(cookie)} == ours
    assert {thankyou_flows.access.SESSION_KEY, coupons.staging.KEY, wishlists.asking.SESSION_KEY} <= listed
    writers = {
        file.relative_to(ROOT).as_posix()
        for app in APPS
        for file in (ROOT / app).rglob("*.py")
        if re.search(r"\.set_cookie\(|session\[\w+\] = |session\[[\"']", file.read_text(encoding="utf-8"))
    }
    assert writers == {
        "coupons/staging.py",
        "thankyou_flows/access.py",
        "thankyou_flows/stores/oscar/holding.py",
        "wishlists/asking.py",
        "wishlists/device.py",
        "wishlists/givers.py",
        "wishlists/notes.py",
    }, "Something new is kept in browsers or sessions: describe it."


def documented_calls() -> list[str]:
    """Return the dotted calls of the public API, as they are written on its three pages."""
    text = "".join(read(f"reference/{page}.md") for page in ("public-api", "coupons-api", "lists-api"))
    return re.findall(r"`((?:coupons|wishlists|thankyou_flows)\.[\w.]+\([^`]*\))`", text)


def test_there_is_a_public_api() -> None:
    assert len(documented_calls()) > 20


@pytest.mark.parametrize("call", documented_calls())
def test_the_public_api_is_as_described(call: str) -> None:
    """Every function is there, and takes these arguments with these defaults."""
    tree: Any = ast.parse(call, mode="eval").body
    function = import_string(ast.unparse(tree.func))
    parameters = dict(inspect.signature(function).parameters)
    given = [argument.id for argument in tree.args]
    for keyword in tree.keywords:
        assert parameters[keyword.arg].default == ast.literal_eval(keyword.value), keyword.arg
        given.append(keyword.arg)
    assert set(given) == set(parameters) - {"now"}


# Code in the docs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_is_python_and_names_what_exists(page: Path) -> None:
    """Every Python block parses, and what it imports from the three apps is there."""
    for language, code in code_of(page):
        if language != "python":
            continue
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] in APPS:
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{node.module}.{alias.name}"


def test_scripts_compile(tmp_path: Path) -> None:
    """With the node that Playwright's wheel brings, as in tests/js."""
    playwright = pytest.importorskip("playwright")
    node = Path(playwright.__file__).parent / "driver" / "node"
    scripts = [code for page in PAGES for language, code in code_of(page) if language == "js"]
    assert scripts
    for number, script in enumerate(scripts):
        file = tmp_path / f"{number}.mjs"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run([str(node), "--check", str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_dotted_names_lead_somewhere(page: Path) -> None:
    """What stands in code type as a dotted path of ours can be imported."""
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for dotted in set(re.findall(r"`((?:coupons|wishlists|thankyou_flows)\.[a-z_]+[\w.]*)`", text)):
        # A session key, not a name.
        if dotted in {thankyou_flows.access.SESSION_KEY} or dotted.endswith((".py", ".clock_hidden", ".oscar_held")):
            continue
        try:
            importlib.import_module(dotted)
        except ImportError:
            import_string(dotted)


def test_ten_lines_are_enough() -> None:
    """Issue: an existing shop needs at most ten lines beside its store adapter. They are counted here."""
    text = read("how-to/install.md")
    steps = [section(text, heading) for heading in re.findall(r"^## (.*(?:lines?) .*)$", text, re.MULTILINE)]
    code = [next(code_of(step))[1] for step in steps]
    count = sum(1 for block in code for line in block.splitlines() if line.strip())
    assert len(steps) == 5
    assert count == 9
    assert "nine lines" in text


def test_ten_lines_put_lists_into_a_shop() -> None:
    """Each step has as many lines as its heading says; the login's is the one that asks."""
    text = read("how-to/lists.md")
    steps = re.findall(r"^## (\d\. .*\((\d) lines?.*\))$", text, re.MULTILINE)
    assert sum(int(number) for _heading, number in steps) == 10
    for heading, number in steps:
        code = next(code_of(section(text, heading)))[1]
        wanted = [line for line in code.splitlines() if "merge_url(" in line or "5." not in heading]
        assert len(wanted) == int(number), heading


def test_the_kinds_are_as_described() -> None:
    rows = re.findall(
        r"^\| `([a-z_]+)`[^|]* \| (.*) \|$", section(read("reference/settings.md"), "THANKYOU_WISHLISTS"), re.M
    )
    said = {name: [cell.strip(" `").replace(",", "") for cell in cells.split("|")] for name, cells in rows}
    assert said.keys() == {*CHANGEABLE}
    for name, cells in said.items():
        for kind, cell in zip(KINDS.values(), cells, strict=True):
            value = getattr(kind, name)
            if cell == "–":  # there is nothing to say: no days, no cookie
                assert not value, (name, kind.name)
            else:
                assert cell == str(value), (name, kind.name)


def test_the_json_is_as_described() -> None:
    """Every field of a kind, an item, a wish list and the state is named, and no other."""
    text = section(read("reference/lists-api.md"), "JSON API")

    def named(start: str) -> set[str]:
        [paragraph] = [each for each in re.split(r"\n(?=\n|\|)", text) if each.strip().startswith(start)]
        return set(re.findall(r"`([a-z_]+)`", paragraph))

    row = ListItem(product_ref="x", list=ProductList(name="x"))
    lines = plain_lines(Lines((row.line,)), DummyStore(), rows=[row])
    assert named("**Item**: ") == {*lines["items"][0], "item", "null"}
    assert named("**Wish list**: ") == {*plain_wish_list(row.list, share_url=None)}
    assert {*plain_kind(KINDS[CART])} <= named("| `lists/api/` |")
    assert named("**State**: ") == {*state_of(Shelf(HttpRequest()))}


def test_the_contract_tests_are_counted_right() -> None:
    count = sum(name.startswith("test_") for name in vars(StoreContractTests))
    assert count == 21
    assert "twenty-one tests" in read("how-to/write-a-store-adapter.md")


def test_the_ten_properties() -> None:
    css = (ROOT / "thankyou_flows/static/thankyou_flows/thankyou.css").read_text(encoding="utf-8")
    defaults = css.split(":where(:root) {", 1)[1].split("}", 1)[0]
    ours = re.findall(r"(--ty-[\w-]+):", defaults)
    [example] = [code for language, code in code_of(DOCS / "how-to/theme.md") if language == "css"]
    assert re.findall(r"(--ty-[\w-]+):", example) == ours
    assert len(ours) == 10


@pytest.mark.parametrize("page", ["theme", "lists"])
def test_templates_to_override_are_there(page: str) -> None:
    for cell in re.findall(r"^\| (`thankyou_[^|]+) \|", read(f"how-to/{page}.md"), re.MULTILINE):
        names = re.findall(r"`([^`]+)`", cell)
        folder = names[0].rpartition("/")[0]
        for name in names:
            path = name if name.startswith("thankyou_") else f"{folder}/{name}"
            assert list((ROOT / "templates").glob(path)), path


# Links, names, versions ------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("page", [*PAGES, *sorted(ROOT.glob("*.md"))], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        if anchor and other.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", CODE.sub("", other.read_text(encoding="utf-8")), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def test_every_page_is_in_the_index() -> None:
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+\.md)\)", read("README.md"))}
    assert linked == {page for page in PAGES if page != DOCS / "README.md"}


def test_every_promise_has_its_test() -> None:
    """OP-9."""
    text = read("explanation/promises.md")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| we promise")]
    assert len(rows) > 30
    for row in rows:
        proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert proofs, row
        for file, name in proofs:
            assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), name


def test_versions_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = " ".join([f"Python{project['requires-python']}", *project["dependencies"]])
    said = re.findall(r"(Python|Django|Wagtail) (\d+\.\d+) or newer", read("how-to/install.md"))
    assert {name for name, _version in said} == {"Python", "Django", "Wagtail"}
    for name, version in said:
        assert f"{name}>={version}".lower() in needs.lower()
    assert f"pip install {project['name']}\n" in read("how-to/install.md")
    [oscar] = [need for need in project["optional-dependencies"]["oscar"] if "django-oscar" in need]
    assert all(version in oscar for version in re.findall(r"django-oscar[>=]=(\d\.\d)", read("reference/checks.md")))
