"""Codes in bulk: order them and watch them being made, download them, or bring your own (CM-4, CM-5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from ..bulk import order_batch, resume_batch, stop_batch, work_batch
from ..exceptions import CouponError
from ..exporting import export_csv, reason_text, report_csv
from ..importing import import_codes
from ..models import Campaign, Coupon, CouponBatch
from ..spreadsheets import as_download
from .batch_forms import ImportForm, OrderForm
from .formpage import FormPage
from .overview import site_url

#: What the log of the site calls it.
EXPORTED: Final = "thankyou_coupons.export_codes"
IMPORTED: Final = "thankyou_coupons.import_codes"
ORDERED: Final = "thankyou_coupons.order_codes"

NAME: Final = "thankyou_coupons_batch"
#: What one request may do for a batch that no worker holds.
BUDGET: Final = timedelta(seconds=1.5)
#: Small pieces, so that the budget is kept on slow machines.
PIECE: Final = 5_000
#: Refused rows that the page shows; the file has them all.
REFUSED_SHOWN: Final = 20

#: Making and exporting codes are permissions of the coupon: a batch is nothing but many of them.
POLICY: Final = ModelPermissionPolicy(Coupon)
EITHER: Final = ["issue", "export"]


class _Batches(PermissionCheckedMixin):
    """What all views here share."""

    permission_policy = POLICY

    @cached_property
    def batch(self) -> CouponBatch:
        """The batch of the address."""
        batches = CouponBatch.objects.select_related("campaign", "created_by")
        return get_object_or_404(batches, pk=self.kwargs["pk"])

    def batch_url(self, name: str = "inspect") -> str:
        return reverse(f"{NAME}:{name}", args=[self.batch.pk])

    def may(self, action: str) -> bool:
        """Whether this person may ``issue`` or ``export``."""
        return bool(self.user_has_permission(action))


class BatchIndexView(_Batches, generic.IndexView):
    """The list of batches, newest first."""

    model = CouponBatch
    any_permission_required = EITHER
    page_title = _("Codes in bulk")
    header_icon = "table"
    index_url_name = f"{NAME}:index"
    index_results_url_name = f"{NAME}:index_results"
    default_ordering = "-pk"
    columns: ClassVar = [
        TitleColumn("what", label=_("Batch"), accessor=str, url_name=f"{NAME}:inspect"),
        Column("campaign", label=_("Campaign")),
        Column("get_kind_display", label=_("Kind")),
        Column("get_status_display", label=_("Status")),
        Column(
            "made", label=_("Codes"), accessor=lambda b: number_format(b.made, force_grouping=True), sort_key="made"
        ),
        Column("created_by", label=_("By")),
        DateColumn("created_at", label=_("Created"), sort_key="created_at"),
    ]

    def get_base_queryset(self) -> QuerySet[CouponBatch]:
        # The report of an import may be long, and is not shown here.
        return CouponBatch.objects.select_related("campaign", "created_by").defer("rejected")

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons = []
        if self.may("issue"):
            buttons.append(HeaderButton(gettext("Make many codes"), url=reverse(f"{NAME}:add"), icon_name="plus"))
        if self.may("export"):
            buttons.append(HeaderButton(gettext("Import codes"), url=reverse(f"{NAME}:import"), icon_name="upload"))
        return buttons


class _NewBatch(_Batches, FormPage):
    """A form that ends on the page of a new batch."""

    def get_initial(self) -> dict[str, Any]:
        return {"campaign": self.request.GET.get("campaign", "")}

    def get_back_url(self) -> str:
        return reverse(f"{NAME}:index")

    def get_back_label(self) -> str:
        return gettext("Codes in bulk")


class OrderView(_NewBatch):
    """Orders many codes; the page of the batch shows how they are made."""

    permission_required = "issue"
    form_class = OrderForm
    header_icon = "plus"
    page_title = _("Make many codes")
    submit_label = _("Make them")

    def form_valid(self, form: OrderForm) -> HttpResponse:
        data = form.cleaned_data
        try:
            batch = order_batch(
                campaign=data["campaign"], quantity=data["quantity"], note=data["note"], created_by=self.request.user
            )
        except CouponError as error:
            form.add_error("campaign", error.message)
            return self.form_invalid(form)
        log(instance=batch.campaign, action=ORDERED, user=self.request.user, data={"count": batch.quantity})
        return HttpResponseRedirect(reverse(f"{NAME}:inspect", args=[batch.pk]))


class ImportView(_NewBatch):
    """Reads codes from a file."""

    template_name = "thankyou_coupons/admin/batch_import.html"
    permission_required = "export"
    form_class = ImportForm
    header_icon = "upload"
    page_title = _("Import codes")
    submit_label = _("Import them")

    def form_valid(self, form: ImportForm) -> HttpResponse:
        data = form.cleaned_data
        try:
            batch = import_codes(
                campaign=data["campaign"], file=data["file"].file, note=data["note"], created_by=self.request.user
            )
        except CouponError as error:
            form.add_error("file", error.message)
            return self.form_invalid(form)
        log(instance=batch.campaign, action=IMPORTED, user=self.request.user, data={"count": batch.made})
        said = ngettext("One new code is there.", "%(count)s new codes are there.", batch.made) % {"count": batch.made}
        messages.success(self.request, said)
        return HttpResponseRedirect(reverse(f"{NAME}:inspect", args=[batch.pk]))


class BatchView(_Batches, WagtailAdminTemplateMixin, TemplateView):
    """One batch: how far it is, what was refused, and the file. Looking at it makes no codes."""

    template_name = "thankyou_coupons/admin/batch.html"
    any_permission_required = EITHER
    page_title = _("Batch of codes")
    header_icon = "table"

    def get_page_subtitle(self) -> str:
        return str(self.batch)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(f"{NAME}:index"), "label": gettext("Codes in bulk")},
            {"url": "", "label": self.get_page_subtitle()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        batch = self.batch
        is_stopped = batch.kind == CouponBatch.Kind.GENERATED and batch.status == CouponBatch.Status.STOPPED
        return super().get_context_data(
            **kwargs,
            batch=batch,
            said=progress_of(batch),
            may_work=batch.is_open and self.may("issue"),
            may_resume=is_stopped and self.may("issue"),
            may_export=batch.made > 0 and self.may("export"),
            asks=batch.campaign.asks,
            refused=[(number, reason_text(reason)) for number, reason in batch.rejected[:REFUSED_SHOWN]],
            **{f"{name}_url": self.batch_url(name) for name in ("work", "stop", "resume", "export", "refused")},
        )


def progress_of(batch: CouponBatch) -> str:
    """Return in one short sentence how far a batch is."""
    numbers = {name: number_format(getattr(batch, name), force_grouping=True) for name in ("made", "quantity")}
    texts = {
        CouponBatch.Status.WAITING: gettext("Waiting to be made."),
        CouponBatch.Status.RUNNING: gettext("%(made)s of %(quantity)s codes are made."),
        CouponBatch.Status.STOPPED: gettext("Stopped: %(made)s of %(quantity)s codes are made."),
        CouponBatch.Status.DONE: gettext("All %(quantity)s codes are made."),
    }
    return texts[CouponBatch.Status(batch.status)] % numbers


class WorkView(_Batches, View):
    """Makes a piece of the batch, unless a worker is at it: so it goes on without any worker while somebody watches.

    A script asks for JSON; the button without it comes back to the page.
    """

    permission_required = "issue"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = work_batch(batch=self.batch, budget=BUDGET, chunk=PIECE)
        if request.accepts("text/html"):
            return HttpResponseRedirect(self.batch_url())
        return JsonResponse(
            {"made": batch.made, "quantity": batch.quantity, "open": batch.is_open, "text": progress_of(batch)}
        )


class StopView(_Batches, View):
    """Stops a batch, or lets it go on."""

    permission_required = "issue"
    http_method_names = ["post"]
    resumes = False

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            if self.resumes:
                resume_batch(batch=self.batch)
            else:
                stop_batch(batch=self.batch)
        except CouponError as error:
            messages.error(request, error.message)
        return HttpResponseRedirect(self.batch_url())


def addresses_for(view: _Batches) -> Callable[[str], str] | None:
    """Return what makes whole addresses for the links that unlock; ``None`` for whoever may not hand them out, which is
    part of giving out coupons (CM-4).
    """
    if not view.may("issue"):
        return None
    # The site is looked up once, and not for each row.
    root = site_url(view.request, "/").removesuffix("/")
    return lambda path: f"{root}{path}"


class ExportView(_Batches, View):
    """The codes of a batch as a file. Who took them is written down, hence a POST (CM-5)."""

    permission_required = "export"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        batch = self.batch
        data = {"count": batch.made, "batch": batch.pk}
        log(instance=batch.campaign, action=EXPORTED, user=request.user, data=data)
        pieces = export_csv(batch=batch, address_of=addresses_for(self))
        return as_download(pieces, name=f"{batch.campaign.title} {batch.pk}")


class CampaignExportView(_Batches, View):
    """All codes of a campaign as a file."""

    permission_required = "export"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        campaign = get_object_or_404(Campaign, pk=pk)
        log(instance=campaign, action=EXPORTED, user=request.user, data={"count": campaign.coupons.count()})
        pieces = export_csv(campaign=campaign, address_of=addresses_for(self))
        return as_download(pieces, name=campaign.title)


class RefusedView(_Batches, View):
    """The rows that an import refused, as a file: numbers and reasons, no codes."""

    permission_required = "export"
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        if not self.batch.rejected:
            raise Http404
        return as_download(report_csv(batch=self.batch), name=f"refused {self.batch.pk}")


class BatchMenuItem(MenuItem):
    """Shown to whoever may make codes, or export them."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(POLICY.user_has_any_permission(request.user, EITHER))


class BatchViewSet(ViewSet):
    """Batches of codes: order, watch, download, import."""

    name = NAME
    icon = "table"
    menu_label = _("Codes in bulk")
    menu_item_class = BatchMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        def add(route: str, name: str, view: Any, **more: Any) -> URLPattern:
            return path(route, self.construct_view(view, **more), name=name)

        return [
            add("", "index", BatchIndexView),
            add("results/", "index_results", BatchIndexView, results_only=True),
            add("new/", "add", OrderView),
            add("import/", "import", ImportView),
            add("<int:pk>/", "inspect", BatchView),
            add("<int:pk>/continue/", "work", WorkView),
            add("<int:pk>/stop/", "stop", StopView),
            add("<int:pk>/resume/", "resume", StopView, resumes=True),
            add("<int:pk>/export/", "export", ExportView),
            add("<int:pk>/refused/", "refused", RefusedView),
            add("campaign/<int:pk>/export/", "export_campaign", CampaignExportView),
        ]
