"""The owner's campaigns: list, form, and what may be deleted. Their numbers are in ``overview``."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Count, Exists, IntegerField, OuterRef, ProtectedError, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import ButtonsColumnMixin, Column, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import Button
from wagtail.models import ReferenceIndex

from ..catalog import get_catalog
from ..events import actor_of
from ..models import Campaign, Coupon, CouponBatch, Redemption
from . import scheduling
from .campaign_form import PRODUCTS_SHOWN
from .overview import CampaignOverview, RecountView, SwitchView, count_uses
from .panels import build_edit_handler

#: A batch that a worker may be at.
OPEN = (CouponBatch.Status.WAITING, CouponBatch.Status.RUNNING)
#: Fields whose change may put uses under a limit that was not there when they were taken.
LIMITS = ("total_limit", "limit_per_customer")


def _count(queryset: QuerySet[Any], campaign: str) -> Coalesce:
    """Return an expression that counts the rows of another table that belong to a campaign."""
    counted = queryset.order_by().values(campaign).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class CampaignTitleColumn(ButtonsColumnMixin, TitleColumn):
    """The name of a campaign, which leads to its numbers, with the view's buttons for a row."""

    def __init__(self, *args: Any, view: generic.IndexView, **kwargs: Any) -> None:
        super().__init__(*args, get_url=view.get_inspect_url, **kwargs)
        self.view = view

    def get_buttons(self, instance: Campaign, parent_context: Any) -> list[Button]:
        buttons: list[Button] = self.view.get_list_buttons(instance)
        return buttons


class CampaignIndexView(generic.IndexView):
    """The list of campaigns with the numbers one looks for."""

    @cached_property
    def columns(self) -> list[Any]:
        """As listed, but the name leads to the numbers, and not to the form."""
        title = CampaignTitleColumn("title", label=_("Name"), sort_key="title", view=self)
        return [title, *super().columns[1:]]

    def get_base_queryset(self) -> QuerySet[Campaign]:
        # Two joins in one query would multiply each other's rows.
        coupons = Coupon.objects.filter(campaign=OuterRef("pk"))
        redeemed = Redemption.objects.redeemed().filter(coupon__campaign=OuterRef("pk"))
        queryset: QuerySet[Campaign] = super().get_base_queryset()
        return queryset.annotate(
            issued_count=_count(coupons, "campaign"),
            redeemed_count=_count(redeemed, "coupon__campaign"),
            # For ``status_label``.
            has_revoked_word=Exists(coupons.filter(is_word=True, state=Coupon.State.REVOKED)),
        )


class _AfterSaving:
    """What is said and done once a campaign is saved."""

    def form_valid(self, form: Any) -> HttpResponse:
        form.instance.saved_by = actor_of(self.request.user)  # type: ignore[attr-defined]
        limits_changed = any(name in form.changed_data for name in LIMITS)
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        campaign = form.instance
        if limits_changed and campaign.pk:
            # Uses that were taken before the limit was there count too.
            count_uses(campaign=campaign, request=self.request)  # type: ignore[attr-defined]
        texts = scheduling.find_warnings(campaign=campaign, end_before=form.stored_end, now=timezone.now())
        for text in texts if campaign.pk else ():
            messages.warning(self.request, text)  # type: ignore[attr-defined]
        return response

    def get_success_url(self) -> str:
        return reverse("thankyou_coupons_campaign:inspect", args=[self.object.pk])  # type: ignore[attr-defined]


class CampaignCreateView(_AfterSaving, generic.CreateView):
    """A new campaign."""


class CampaignCopyView(_AfterSaving, generic.CopyView):
    """A new campaign that begins like another one."""


class CampaignEditView(_AfterSaving, generic.EditView):
    """A campaign as it is."""


class CampaignDeleteView(generic.DeleteView):
    """Deleting is for campaigns that nobody has got a coupon of. A word is nobody's until an order has used it."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission("delete") and (problem := self._why_not()):
            messages.error(request, problem % {"title": self.object})
            return redirect(self.index_url_name)
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                # What is nobody's yet goes with it: the word that no order has used, and batches without a code.
                self.object.coupons.filter(is_word=True, redemptions=None).delete()
                self.object.batches.exclude(status__in=OPEN).filter(coupons=None).delete()
                response: HttpResponse = super().form_valid(form)
                return response
        except ProtectedError:
            # Somebody has got a coupon since the question was asked.
            messages.error(self.request, self._why_not() % {"title": self.object})
            return redirect(self.index_url_name)

    def _why_not(self) -> str:
        campaign: Campaign = self.object
        if campaign.coupons.exclude(is_word=True, redemptions=None).exists():
            return gettext(
                "Coupons of “%(title)s” are already out, so it cannot be deleted. Set its status to “Ended” instead."
            )
        if campaign.batches.filter(status__in=OPEN).exists():
            return gettext(
                "Codes are being made for “%(title)s”. Stop that first, or set its status to “Ended” instead."
            )
        if ReferenceIndex.get_references_to(self.object).exists():
            return gettext(
                "“%(title)s” stands on a page. Take it out there first, or set its status to “Ended” instead."
            )
        return ""


class CampaignViewSet(ModelViewSet):
    """Campaigns: list, numbers, add, edit, copy, and delete while no coupon is out."""

    model = Campaign
    name = "thankyou_coupons_campaign"
    icon = "tag"
    menu_label = _("All campaigns")
    index_view_class = CampaignIndexView
    add_view_class = CampaignCreateView
    copy_view_class = CampaignCopyView
    edit_view_class = CampaignEditView
    delete_view_class = CampaignDeleteView
    inspect_view_class = CampaignOverview
    inspect_view_enabled = True
    list_filter: ClassVar = ["status", "benefit", "code_type"]
    search_fields: ClassVar = ["title", "word"]
    list_display: ClassVar = [
        "title",
        Column("headline", label=_("What the customer gets")),
        Column("status_label", label=_("Status"), sort_key="status"),
        Column("issued_count", label=_("Coupons given out"), sort_key="issued_count"),
        Column("redeemed_count", label=_("Used by orders"), sort_key="redeemed_count"),
    ]
    edit_handler = build_edit_handler()

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("products/", self.products_view, name="products"),
            path("recount/<int:pk>/", self.construct_view(RecountView), name="recount"),
            path("switch/<int:pk>/<str:to>/", self.construct_view(SwitchView), name="switch"),
        ]

    def products_view(self, request: HttpRequest) -> HttpResponse:
        """Answer the form's script: products whose title contains ``?q=``, as JSON."""
        allowed = {"add", "change"}
        if not any(request.user.has_perm(f"thankyou_coupons.{action}_campaign") for action in allowed):
            return JsonResponse({"products": []}, status=403)
        catalog = get_catalog()
        text = request.GET.get("q", "")[:100]
        found = catalog.search_products(text=text, limit=PRODUCTS_SHOWN) if catalog and text else []
        return JsonResponse({"products": [{"ref": ref, "title": str(title)} for ref, title in found]})
