"""Admin screens for rows that are looked at, searched and exported, and never made or changed by hand."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from wagtail.admin.viewsets.model import ModelViewSet


class ReadOnlyViewSet(ModelViewSet):
    """A list and a page for each row. Needs the "view" permission of the model."""

    inspect_view_enabled = True
    copy_view_enabled = False
    add_to_reference_index = False

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        """Tell the views that there is nothing to link to but the list and one row."""
        absent = ("add", "edit", "delete", "history", "usage")
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, **{f"{name}_url_name": None for name in absent}}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.index_view, name="index"),
            path("results/", self.index_results_view, name="index_results"),
            path("inspect/<int:pk>/", self.inspect_view, name="inspect"),
        ]

    def register_admin_url_finder(self) -> None:
        """There is no edit page to find."""
