"""The report on saved products: what is saved most, what of it is bought, and what never is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.formats import date_format, number_format
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, TitleColumn
from wagtail.admin.views.reports import ReportView
from wagtail.permission_policies import ModelPermissionPolicy

from .. import reporting
from ..conf import app_settings
from ..models import Save
from ..reporting import SavedProduct, Week
from ..spreadsheets import as_spreadsheet_text

#: Height of the plot, in units of its own.
HEIGHT: Final = 100
#: Breadth of a week in the plot.
BREADTH: Final = 10


def percent(share: float | None) -> str:
    """Return a share as whole percents in the active language; a dash for none."""
    return "–" if share is None else gettext("%(number)s %%") % {"number": number_format(round(share * 100), 0)}


def title_of(product: SavedProduct) -> str:
    """Return the title, and that the product is gone if it is."""
    if product.is_sold:
        return product.title
    return gettext("%(title)s (not in the shop any more)") % {"title": product.title}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A week in the plot: where its two bars begin, and how high they are."""

    week: Week
    left: int
    saved: int
    bought: int

    @property
    def saved_top(self) -> int:
        return HEIGHT - self.saved

    @property
    def bought_top(self) -> int:
        return HEIGHT - self.bought


class PercentColumn(Column):
    """A share, in percents."""

    def get_value(self, instance: Any) -> str:
        return percent(super().get_value(instance))


class SavedProductsView(ReportView):
    """The report as a page, and as CSV or XLSX for those who may take it out. Nobody's account is in it."""

    model = Save
    #: Named, because a report without one serves everybody in the admin on older versions of Wagtail.
    permission_policy = ModelPermissionPolicy(Save)
    permission_required = "view"
    template_name = "thankyou_wishlists/admin/saved.html"
    results_template_name = "thankyou_wishlists/admin/saved_results.html"
    page_title = _("Saved products")
    header_icon = "pick"
    index_url_name = "thankyou_wishlists_saved_products"
    default_ordering = "-saves"
    columns: ClassVar = [
        TitleColumn(
            "title",
            label=_("Product"),
            accessor=title_of,
            get_url=lambda product: product.url or None,
            classname="tyl-wide",
        ),
        NumberColumn("saves", label=_("Saved by accounts"), sort_key="saves"),
        NumberColumn("bought", label=_("Bought by them"), sort_key="bought"),
        PercentColumn("share", label=_("Bought of saved"), sort_key="share"),
        NumberColumn("waiting", label=_("Still waiting"), sort_key="waiting"),
        DateColumn("last_saved", label=_("Last saved"), sort_key="last_saved"),
    ]
    list_export: ClassVar = ["product_ref", "title", "saves", "bought", "waiting", "share", "last_saved"]
    export_headings: ClassVar = {
        "product_ref": _("Reference"),
        "title": _("Product"),
        "saves": _("Saved by accounts"),
        "bought": _("Bought by them"),
        "waiting": _("Still waiting"),
        "share": _("Bought of saved"),
        "last_saved": _("Last saved"),
    }
    custom_field_preprocess: ClassVar[dict[str, Any]] = {
        field: {"csv": as_spreadsheet_text, "xlsx": as_spreadsheet_text} for field in ("product_ref", "title")
    }
    export_filename = "saved-products"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.is_export and not self.may_export:
            raise PermissionDenied
        response: HttpResponse
        if self.is_export:
            # Past the page's context, which would hold all rows at once.
            response = self.as_spreadsheet(self.get_queryset(), request.GET["export"])
        else:
            response = super().get(request, *args, **kwargs)
        add_never_cache_headers(response)
        return response

    @cached_property
    def may_export(self) -> bool:
        return bool(self.request.user.has_perm("thankyou_wishlists.export_save"))

    @cached_property
    def show_export_buttons(self) -> bool:
        return self.may_export

    @cached_property
    def days(self) -> int:
        """The period of the address; what is none of ours is 90 days."""
        given = self.request.GET.get("days", "")
        return int(given) if given in map(str, reporting.SPANS) else 90

    @cached_property
    def never_bought(self) -> bool:
        return self.request.GET.get("never") == "1"

    def get_base_queryset(self) -> QuerySet[Any, dict[str, Any]]:
        return reporting.by_product(days=self.days, never_bought=self.never_bought)

    def order_queryset(self, queryset: Any) -> Any:
        return queryset.order_by(self.ordering, "product_ref")

    def get_table(self, object_list: Any) -> Any:
        """What is on this page with its titles of today: one question to the catalogue."""
        return super().get_table(list(reporting.with_titles(object_list)))

    def as_spreadsheet(self, queryset: Any, spreadsheet_format: str) -> HttpResponse:
        rows = queryset.iterator(chunk_size=reporting.CHUNK)
        response: HttpResponse = super().as_spreadsheet(reporting.with_titles(rows), spreadsheet_format)
        return response

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        weeks = reporting.by_week(days=self.days)
        totals = reporting.count(days=self.days)
        most = max((number for week in weeks for number in (week.saved, week.bought)), default=0)
        return {
            **context,
            "totals": totals,
            "share": percent(totals.share),
            "weeks": [week for week in reversed(weeks) if week.saved or week.bought],
            "bars": bars(weeks, most=most),
            "most": most,
            "height": HEIGHT,
            "breadth": BREADTH * len(weeks),
            "first": date_format(weeks[0].begins, "SHORT_DATE_FORMAT"),
            "last": date_format(weeks[-1].begins, "SHORT_DATE_FORMAT"),
            "never_bought": self.never_bought,
            "spans": [(self.address(days=span), label, span == self.days) for span, label in self.labels()],
            "choices": [
                (self.address(never=False), gettext("All saved products"), not self.never_bought),
                (self.address(never=True), gettext("Never bought"), self.never_bought),
            ],
            "kept_days": app_settings.statistics_days,
            "may_export": self.may_export,
        }

    @staticmethod
    def labels() -> list[tuple[int, str]]:
        """The periods and what they are called."""
        days = gettext("%(count)s days")
        return [(span, days % {"count": span} if span else gettext("All")) for span in reporting.SPANS]

    def address(self, *, days: int | None = None, never: bool | None = None) -> str:
        """Return the address of this report with another period or choice, and the order that it has."""
        query = {"days": str(self.days if days is None else days)}
        if self.never_bought if never is None else never:
            query["never"] = "1"
        if self.is_explicitly_ordered:
            query["ordering"] = self.ordering
        return f"{reverse(self.index_url_name)}?{urlencode(query)}"


def bars(weeks: list[Week], *, most: int) -> list[Bar]:
    """Return the bars of the plot; what is above nothing is high enough to be seen."""

    def high(number: int) -> int:
        return max(1, round(number / most * HEIGHT)) if number else 0

    return [
        Bar(week=week, left=BREADTH * place, saved=high(week.saved), bought=high(week.bought))
        for place, week in enumerate(weeks)
    ]
