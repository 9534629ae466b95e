"""The owner's screens: campaigns to edit, issued coupons to look at."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.models import ReferenceIndex

from . import codes
from .arithmetic import minor_unit
from .exceptions import TypingError
from .models import Campaign, Coupon, Redemption
from .readonly import ReadOnlyViewSet


class CampaignForm(WagtailAdminModelForm):
    """Shows amounts with the decimals of their currency instead of the column's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amount = self.instance.amount
        if amount is not None:
            code = amount.currency.code
            self.initial["amount"] = [amount.amount.quantize(minor_unit(code)), code]


def _count(queryset: QuerySet[Any], campaign: str) -> Coalesce:
    """Return an expression that counts the rows of another table that belong to a campaign."""
    counted = queryset.order_by().values(campaign).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class CampaignIndexView(generic.IndexView):
    """The list of campaigns with the numbers one looks for."""

    def get_base_queryset(self) -> QuerySet[Campaign]:
        # Two joins in one query would multiply each other's rows.
        coupons = Coupon.objects.filter(campaign=OuterRef("pk"))
        redeemed = Redemption.objects.redeemed().filter(coupon__campaign=OuterRef("pk"))
        queryset: QuerySet[Campaign] = super().get_base_queryset()
        return queryset.annotate(
            issued_count=_count(coupons, "campaign"), redeemed_count=_count(redeemed, "coupon__campaign")
        )


class CampaignDeleteView(generic.DeleteView):
    """Deleting is for campaigns that nobody has got a coupon of."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission("delete") and self.object.coupons.exists():
            messages.error(
                request,
                gettext(
                    "Coupons of “%(title)s” are already out, so it cannot be deleted. "
                    "Set its status to “Ended” instead."
                )
                % {"title": self.object},
            )
            return redirect(self.index_url_name)
        if self.user_has_permission("delete") and ReferenceIndex.get_references_to(self.object).exists():
            messages.error(
                request,
                gettext("“%(title)s” stands on a page. Take it out there first, or set its status to “Ended” instead.")
                % {"title": self.object},
            )
            return redirect(self.index_url_name)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response


class CampaignViewSet(ModelViewSet):
    """Campaigns: list, add, edit, copy, and delete while no coupon is out."""

    model = Campaign
    name = "thankyou_coupons_campaign"
    icon = "tag"
    menu_label = _("All campaigns")
    index_view_class = CampaignIndexView
    delete_view_class = CampaignDeleteView
    list_filter: ClassVar = ["status", "benefit"]
    search_fields: ClassVar = ["title"]
    list_display: ClassVar = [
        "title",
        Column("headline", label=_("What the customer gets")),
        Column("status_label", label=_("Status"), sort_key="status"),
        Column("issued_count", label=_("Coupons given out"), sort_key="issued_count"),
        Column("redeemed_count", label=_("Used by orders"), sort_key="redeemed_count"),
    ]
    edit_handler = ObjectList(
        [
            MultiFieldPanel([FieldPanel("title"), FieldPanel("status")], heading=_("Campaign")),
            MultiFieldPanel(
                [
                    FieldPanel("benefit"),
                    FieldRowPanel([FieldPanel("percent"), FieldPanel("amount")]),
                    FieldPanel("terms"),
                ],
                heading=_("What the customer gets"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]),
                    FieldPanel("deadline_minutes"),
                    FieldPanel("uses_per_coupon"),
                    FieldPanel("personal"),
                ],
                heading=_("How long, and how often"),
            ),
            HelpPanel(
                content=_(
                    "Coupons are given out by the blocks that name this campaign, for example on a thank-you page. "
                    "What a coupon promises cannot be changed once it is out."
                ),
            ),
        ],
        base_form_class=CampaignForm,
    )


class CouponIndexView(generic.IndexView):
    """The list of issued coupons; a code may be searched for as it is printed."""

    def get_base_queryset(self) -> QuerySet[Coupon]:
        queryset: QuerySet[Coupon] = super().get_base_queryset()
        return queryset.select_related("campaign")

    def search_queryset(self, queryset: QuerySet[Coupon]) -> QuerySet[Coupon]:
        """Find a code however it is typed; part of a code, or of the campaign's name, finds all that contain it."""
        if not self.is_searching:
            return queryset
        try:
            return queryset.filter(code=codes.normalise(self.search_query))
        except TypingError:
            part = self.search_query.replace("-", "").strip()
            return queryset.filter(Q(code__icontains=part) | Q(campaign__title__icontains=self.search_query))


class CouponViewSet(ReadOnlyViewSet):
    """Issued coupons, to look at: nobody makes, changes or deletes one by hand."""

    model = Coupon
    name = "thankyou_coupons_coupon"
    icon = "tag"
    menu_label = _("Coupons given out")
    index_view_class = CouponIndexView
    list_filter: ClassVar = ["campaign", "state"]
    search_fields: ClassVar = ["code"]
    list_display: ClassVar = [
        Column("display_code", label=_("Code")),
        Column("campaign", label=_("Campaign")),
        Column("get_state_display", label=_("State")),
        Column("used", label=_("Uses taken"), sort_key="used"),
        Column("usage_limit", label=_("Uses allowed")),
        DateColumn("issued_at", label=_("Given out"), sort_key="issued_at"),
        DateColumn("valid_until", label=_("Valid until")),
    ]
    inspect_view_fields: ClassVar = [
        "display_code",
        "campaign",
        "state",
        "used",
        "usage_limit",
        "issued_at",
        "valid_until",
        "extensions",
    ]


class CampaignGroup(ViewSetGroup):
    """The menu entry "Campaigns"."""

    menu_label = _("Campaigns")
    menu_name = "thankyou-campaigns"
    menu_icon = "tag"
    menu_order = 310
    items = (CampaignViewSet, CouponViewSet)
