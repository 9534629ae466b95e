"""Issued coupons: find one, read its life on one page, give one out, take one back."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters  # type: ignore[import-untyped]
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton

from .. import events, links
from ..exceptions import CouponError
from ..holders import customer_key
from ..issuing import issue
from ..models import Answer, Coupon, CouponBatch, CouponEvent
from ..revoking import revoke
from . import life
from .columns import MomentColumn
from .coupon_forms import IssueForm, RevokeForm
from .formpage import FormPage
from .overview import site_url
from .readonly import ReadOnlyViewSet


class CouponFilterSet(WagtailFilterSet):
    """By campaign, by state, and by the batch they were made with."""

    # A batch without a note is called after its campaign; the report of an import may be long, and is not shown here.
    batch = django_filters.ModelChoiceFilter(
        queryset=CouponBatch.objects.select_related("campaign").defer("rejected"), label=_("Batch of codes")
    )

    class Meta:
        model = Coupon
        fields: ClassVar = ["campaign", "state", "batch"]


class CouponIndexView(generic.IndexView):
    """The list of issued coupons, and the place to look one up."""

    def get_base_queryset(self) -> QuerySet[Coupon]:
        queryset: QuerySet[Coupon] = super().get_base_queryset()
        return queryset.select_related("campaign")

    def search_queryset(self, queryset: QuerySet[Coupon]) -> QuerySet[Coupon]:
        """Find a code, word, order or customer, however typed."""
        return life.find(queryset, self.search_query) if self.is_searching else queryset

    def get_search_form(self) -> Any:
        form = super().get_search_form()
        if form is not None:
            form.fields["q"].widget.attrs["placeholder"] = gettext("Code, order or e-mail")
        return form

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons: list[Any] = list(super().header_buttons)
        if self.request.user.has_perm("thankyou_coupons.issue_coupon"):
            url = reverse("thankyou_coupons_coupon:issue")
            buttons.append(HeaderButton(gettext("Give one out"), url=url, icon_name="plus"))
        return buttons


class CouponLifeView(generic.InspectView):
    """One coupon: what it is, what it can do now, and everything that happened to it."""

    template_name = "thankyou_coupons/admin/coupon.html"
    page_title = _("Coupon")

    def get_object(self, queryset: Any = None) -> Coupon:
        coupons = Coupon.objects.select_related("campaign", "batch__campaign").defer("batch__rejected")
        return get_object_or_404(coupons, pk=self.pk)

    def get_fields(self) -> list[str]:
        """The page has a template of its own."""
        return []

    def get_page_subtitle(self) -> str:
        return str(self.object.display_code)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": gettext("Coupons given out")},
            {"url": "", "label": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        coupon: Coupon = self.object
        user, now = self.request.user, timezone.now()
        is_revoked = coupon.state == Coupon.State.REVOKED
        may_unlock = user.has_perm("thankyou_coupons.issue_coupon") and coupon.state == Coupon.State.LOCKED
        may_read = user.has_perm("thankyou_coupons.view_answer")
        return super().get_context_data(
            **kwargs,
            coupon=coupon,
            state=life.state_in_words(coupon, now=now),
            holder=life.masked_holder(coupon.holder_key),
            steps=life.steps_of(coupon),
            uses=life.uses_of(coupon),
            shown=life.SHOWN,
            answers=Answer.objects.filter(coupon=coupon, delete_after__gt=now) if may_read else (),
            unlock_url=site_url(self.request, links.unlock_path(coupon)) if may_unlock else "",
            may_revoke=user.has_perm("thankyou_coupons.revoke_coupon") and not is_revoked,
            may_see_campaign=any(
                user.has_perm(f"thankyou_coupons.{action}_campaign") for action in ("view", "change", "add", "delete")
            ),
        )


class IssueView(FormPage):
    """Gives out one coupon by hand; the actor stands in its life (CM-4, CO-11)."""

    model = Coupon
    permission_required = "issue"
    form_class = IssueForm
    page_title = _("Give out a coupon")
    submit_label = _("Give it out")

    def get_initial(self) -> dict[str, Any]:
        return {"campaign": self.request.GET.get("campaign", "")}

    def get_back_url(self) -> str:
        if self.request.user.has_perm("thankyou_coupons.view_coupon"):
            return reverse("thankyou_coupons_coupon:index")
        return reverse("wagtailadmin_home")

    def form_valid(self, form: IssueForm) -> HttpResponse:
        data, actor = form.cleaned_data, events.actor_of(self.request.user)
        key = f"hand:{self.request.user.pk}:{data['once']}"
        is_new = not Coupon.objects.filter(issue_key=key).exists()
        try:
            with transaction.atomic():
                coupon = issue(
                    campaign=data["campaign"],
                    issue_key=key,
                    holder_key=customer_key(data["email"]) if data["email"] else "",
                    usage_limit=data["usage_limit"],
                    actor=actor,
                )
                if data["note"] and is_new:
                    events.record(CouponEvent.Kind.CHANGED, coupon=coupon, actor=actor, note=data["note"])
        except CouponError as error:
            form.add_error("campaign", error.message)
            return self.form_invalid(form)
        may_look = self.request.user.has_perm("thankyou_coupons.view_coupon")
        said = gettext("The code is %(code)s.") % {"code": coupon.display_code}
        if coupon.state == Coupon.State.LOCKED and may_look:
            said += " " + gettext("It is locked: send the customer the link to its questions, which is below.")
        elif coupon.state == Coupon.State.LOCKED:
            text = gettext("It is locked: send the customer, and nobody else, the link to its questions: %(link)s")
            said += " " + text % {"link": site_url(self.request, links.unlock_path(coupon))}
        messages.success(self.request, said)
        if may_look:
            return HttpResponseRedirect(reverse("thankyou_coupons_coupon:inspect", args=[coupon.pk]))
        return HttpResponseRedirect(reverse("thankyou_coupons_coupon:issue"))


class RevokeView(FormPage):
    """Takes a coupon back for good, after a question (CM-4)."""

    model = Coupon
    permission_required = "revoke"
    form_class = RevokeForm
    submit_label = _("Yes, revoke it")
    is_grave = True

    @cached_property
    def coupon(self) -> Coupon:
        return get_object_or_404(Coupon.objects.select_related("campaign"), pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return gettext("Revoke %(code)s") % {"code": self.coupon.display_code}

    def get_explanation(self) -> str:
        text = gettext(
            "Nobody can use this coupon any more, and this cannot be undone. "
            "Orders that hold it already keep it, and so do orders that are paid."
        )
        if self.coupon.is_word:
            text += " " + gettext("It is the public word of its campaign: it stops for everybody.")
        if self.coupon.used:
            text += " " + ngettext("One use of it is taken.", "%(count)s uses of it are taken.", self.coupon.used) % {
                "count": self.coupon.used
            }
        return text

    def get_back_url(self) -> str:
        if self.request.user.has_perm("thankyou_coupons.view_coupon"):
            return reverse("thankyou_coupons_coupon:inspect", args=[self.coupon.pk])
        return reverse("wagtailadmin_home")

    def get_back_label(self) -> str:
        return str(self.coupon.display_code)

    def form_valid(self, form: RevokeForm) -> HttpResponse:
        revoke(coupon=self.coupon, actor=events.actor_of(self.request.user), reason=form.cleaned_data["reason"])
        messages.success(self.request, gettext("%(code)s is revoked.") % {"code": self.coupon.display_code})
        return HttpResponseRedirect(self.get_back_url())


class CouponViewSet(ReadOnlyViewSet):
    """Issued coupons: to look at, to give out and to revoke. Nobody changes or deletes one."""

    model = Coupon
    name = "thankyou_coupons_coupon"
    icon = "tag"
    menu_label = _("Coupons given out")
    index_view_class = CouponIndexView
    inspect_view_class = CouponLifeView
    filterset_class = CouponFilterSet
    search_fields: ClassVar = ["code"]
    list_display: ClassVar = [
        TitleColumn("display_code", label=_("Code"), url_name="thankyou_coupons_coupon:inspect"),
        Column("campaign", label=_("Campaign")),
        Column("get_state_display", label=_("State")),
        Column("used", label=_("Uses taken"), sort_key="used"),
        Column("usage_limit", label=_("Uses allowed")),
        DateColumn("issued_at", label=_("Given out"), sort_key="issued_at"),
        MomentColumn("valid_until", label=_("Valid until")),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("issue/", self.construct_view(IssueView), name="issue"),
            path("revoke/<int:pk>/", self.construct_view(RevokeView), name="revoke"),
        ]
