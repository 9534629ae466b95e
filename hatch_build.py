"""Build hook: compile the translations with Babel, and give each of the three apps its copy in the wheel.

The compiled files are in no repository and in no source distribution, so they are made wherever a wheel is made.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

APPS = ("coupons", "thankyou_flows", "wishlists")


class CompileMessages(BuildHookInterface[Any]):
    """Adds ``<app>/locale/<language>/LC_MESSAGES/django.mo``, made of ``locale/``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile to a folder outside the checkout, and name it to the builder."""
        if version == "editable":
            # Whoever works in a checkout has locale/ in LOCALE_PATHS; a copy elsewhere would only grow old.
            return
        self.folder = tempfile.TemporaryDirectory(prefix="thankyou-locale-")
        for catalogue in sorted(Path(self.root, "locale").glob("*/LC_MESSAGES/django.po")):
            compiled = io.BytesIO()
            with catalogue.open("rb") as source:
                write_mo(compiled, read_po(source))
            for app in APPS:
                target = Path(self.folder.name, app, *catalogue.parts[-3:]).with_suffix(".mo")
                target.parent.mkdir(parents=True)
                target.write_bytes(compiled.getvalue())
        for folder in Path(self.folder.name).iterdir():
            build_data["force_include"][str(folder)] = f"{folder.name}/locale"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only made to be packed."""
        if version != "editable":
            self.folder.cleanup()
