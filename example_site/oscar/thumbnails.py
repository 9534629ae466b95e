"""Thumbnails as Oscar makes them, except for drawings, which fit every size."""

from __future__ import annotations

from typing import Any

from oscar.core.thumbnails import SorlThumbnail


class DrawingOrThumbnail(SorlThumbnail):
    def generate_thumbnail(self, source: Any, **options: Any) -> Any:
        if str(source).endswith(".svg"):
            return source
        return super().generate_thumbnail(source, **options)
