"""Choosers for the page editor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column
from wagtail.admin.views.generic.chooser import ChooseResultsView, ChooseView
from wagtail.admin.viewsets.chooser import ChooserViewSet


class CampaignColumns:
    """What tells one campaign from another of the same name."""

    @property
    def columns(self) -> list[Column]:
        columns: list[Column] = super().columns  # type: ignore[misc]
        return [
            *columns,
            Column("headline", label=_("What the customer gets")),
            Column("get_status_display", label=_("Status")),
        ]


class CampaignChooseView(CampaignColumns, ChooseView):
    """The chooser."""


class CampaignChooseResultsView(CampaignColumns, ChooseResultsView):
    """Its list, renewed by a search."""


class CampaignChooserViewSet(ChooserViewSet):
    """Lets an editor pick one of the campaigns that somebody with the right to give money away has made (CM-4)."""

    model = "thankyou_coupons.Campaign"
    icon = "tag"
    choose_one_text = _("Choose a campaign")
    choose_another_text = _("Choose another campaign")
    edit_item_text = _("Edit this campaign")
    register_widget = False
    choose_view_class = CampaignChooseView
    choose_results_view_class = CampaignChooseResultsView


campaign_chooser_viewset = CampaignChooserViewSet("thankyou_campaign_chooser")

_ChooserBlock: Any = campaign_chooser_viewset.get_block_class(
    name="_CampaignChooserBlock", module_path="thankyou_flows.choosers"
)


class LazyCampaign(SimpleLazyObject):  # type: ignore[type-arg]
    """A campaign of which only the key is known until somebody asks for more.

    A coupon that is out brings its campaign along, so that a page of promised coupons reads no campaign a second time.
    """

    def __init__(self, pk: int, load: Callable[[], dict[int, Any]]) -> None:
        super().__init__(lambda: load().get(pk))
        # Past the proxy, which would load the campaign to set it there.
        self.__dict__["pk"] = pk


class CampaignChooserBlock(_ChooserBlock):
    """Picks a campaign. On a page that is shown, campaigns are read when needed, all of a block type with one query."""

    def get_form_state(self, value: Any) -> Any:
        # A campaign that was deleted since the page was saved: the editor sees an empty field, and can fill it.
        return super().get_form_state(value or None)

    def bulk_to_python(self, values: Iterable[int | None]) -> list[Any]:
        keys = list(values)
        load = cache(lambda: self.model_class.objects.in_bulk([pk for pk in keys if pk is not None]))
        return [None if pk is None else LazyCampaign(pk, load) for pk in keys]
