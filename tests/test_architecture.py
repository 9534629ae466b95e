"""Which way knowledge runs between the packages (DESIGN §2), read from their imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("coupons", "wishlists", "thankyou_flows", "example_site")

#: What each package may know of the project beside itself.
KNOWS = {
    "coupons": set(),
    "wishlists": set(),
    "thankyou_flows": {"coupons", "wishlists"},
    "example_site": {"coupons", "wishlists", "thankyou_flows"},
}
LABELS = {
    "thankyou_coupons": "coupons",
    "thankyou_wishlists": "wishlists",
    "thankyou_flows": "thankyou_flows",
    "thankyou_flows_pages": "thankyou_flows",
}
OURS = {*PACKAGES, "tests", "benchmarks"}
SHOPS = {"oscar", "salesman"}
#: The only places that may import a shop.
SHOP_DOORS = ("thankyou_flows.stores", "example_site.oscar")
#: An app that an installer may leave out, so the rest cannot lean on it.
OPTIONAL = "thankyou_flows.pages"
#: Functions that import what their first argument names.
IMPORTERS = {"import_module", "import_string", "__import__", "get_class", "get_classes"}
MOST_LINES = 400


def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def dotted(path: Path) -> str:
    """Return the name under which a file is imported; packages keep ``__init__`` so that relative imports resolve."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def imports(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and absolute name of everything that a module imports, also by string and by model reference."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *filter(None, [node.module])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
            argument = node.args[0]
            if name in IMPORTERS and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield node.lineno, argument.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # "thankyou_flows.OrderRecord", as foreign keys and get_model() name a model.
            model = re.fullmatch(r"(\w+)\.[A-Z]\w*", node.value)
            if model and model[1] in LABELS:
                yield node.lineno, f"{LABELS[model[1]]}.models"


def complaints(module: str, source: str) -> list[str]:
    """Return what is wrong with the imports of one module, a line each."""
    package = module.partition(".")[0]
    found = []
    for line, name in imports(module, ast.parse(source)):
        target = name.partition(".")[0]
        where = f"{module.replace('.', '/')}.py:{line} imports {name}"
        if target in OURS and target != package and target not in KNOWS[package]:
            found.append(f"{where}: {package} may not know {target}")
        if target in SHOPS and not any(is_inside(module, door) for door in SHOP_DOORS):
            found.append(f"{where}: only thankyou_flows/stores/ may import a shop")
        if package == "thankyou_flows" and is_inside(name, OPTIONAL) and not is_inside(module, OPTIONAL):
            found.append(f"{where}: {OPTIONAL} is optional")
        if package == "example_site" and target in KNOWS[package] and re.search(r"\._(?!_)", name):
            found.append(f"{where}: example_site uses public names only")
    return found


def test_knowledge_runs_downwards() -> None:
    """DESIGN §2: no arrow up or sideways, shops behind one door, public names only."""
    assert modules()
    found = [line for path in modules() for line in complaints(dotted(path), path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("coupons.redemption", "import thankyou_flows"),
        ("coupons.redemption", "from wishlists.cart import Cart"),
        ("coupons.redemption", "from wishlists import cart"),
        ("coupons.deep.redemption", "from ...wishlists import cart"),
        ("coupons.models", "key = models.ForeignKey('thankyou_flows.OrderRecord')"),
        ("coupons.checks", "if TYPE_CHECKING:\n    from thankyou_flows.values import Order"),
        ("wishlists.views", "def view():\n    from coupons.models import Coupon"),
        ("wishlists.views", "import_string('thankyou_flows.orders.report_order')"),
        ("wishlists.catalog", "import oscar.apps.catalogue"),
        ("thankyou_flows.orders", "from oscar.core.loading import get_model"),
        ("thankyou_flows.orders", "from example_site.shop.models import Order"),
        ("thankyou_flows.stores.oscar", "from example_site.shop.models import Order"),
        ("thankyou_flows.views", "from .pages.models import ThankYouPage"),
        ("thankyou_flows.views", "from tests import factories"),
        ("example_site.shop.views", "from coupons.redemption import _guard"),
        ("example_site.shop.views", "from thankyou_flows._internal import door"),
        ("example_site.shop.views", "import oscar"),
    ],
)
def test_the_check_can_fail(module: str, line: str) -> None:
    """A made-up bad module is found."""
    assert len(complaints(module, f"from __future__ import annotations\n{line}\n")) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("coupons.redemption", "from .models import Coupon"),
        ("coupons.deep.redemption", "from ..models import Coupon"),
        ("thankyou_flows.__init__", "from . import pages_of_others"),
        ("thankyou_flows.blocks.coupons", "from coupons.issuing import issue"),
        ("thankyou_flows.stores.oscar", "from oscar.core.loading import get_model"),
        ("thankyou_flows.pages.models", "from ..pages import rules"),
        ("example_site.oscar.settings", "from oscar.defaults import *"),
        ("example_site.shop.views", "from coupons import __version__"),
        ("example_site.shop.views", "from ._money import total"),
    ],
)
def test_the_check_lets_pass(module: str, line: str) -> None:
    """What the design allows is not complained about."""
    assert not complaints(module, line)


def test_files_stay_short() -> None:
    """One file, one job; what makemigrations writes does not count."""
    lengths = {dotted(path): len(path.read_text().splitlines()) for path in modules() if "migrations" not in path.parts}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
