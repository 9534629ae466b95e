"""The shop in the Wagtail admin: orders with their next steps, products with price and stock."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet, ModelViewSetGroup

from thankyou_flows.values import OrderState

from .exceptions import WrongState
from .models import Category, Order, Product
from .orders import ACTIONS, possible_actions

BUTTONS = {
    "paid": _("The money has arrived"),
    "shipped": _("The parcel has left"),
    "delivered": _("The parcel has arrived"),
    "cancelled": _("Cancel the order"),
    "refunded": _("The money went back"),
}
#: What cannot be undone is asked once.
WEIGHTY = {
    "cancelled": _("The goods go back into stock, and the customer sees that the order is cancelled."),
    "refunded": _("The customer sees that the money went back. Coupons stay used."),
}


class OrderIndexView(generic.IndexView):
    """The list of orders. Nobody adds one by hand."""

    def get_add_url(self) -> None:
        return None


class OrderInspectView(generic.InspectView):
    """One order: what, to whom, where it stands, and the buttons for what may happen next."""

    template_name = "shop/admin/order.html"
    page_title = _("Order")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        order: Order = self.object
        may_change = self.user_has_permission("change")
        names = possible_actions(order) if may_change else []
        return super().get_context_data(
            **kwargs,
            order=order,
            lines=order.lines.all(),
            payments=order.payments.all(),
            actions=[{"name": name, "label": BUTTONS[name], "warning": WEIGHTY.get(name, "")} for name in names],
        )


class OrderViewSet(ModelViewSet):
    """Orders: found by number, name or e-mail address; changed only by what happens to them."""

    model = Order
    name = "shop_order"
    icon = "form"
    menu_label = _("Orders")
    index_view_class = OrderIndexView
    inspect_view_class = OrderInspectView
    inspect_view_enabled = True
    inspect_template_name = "shop/admin/order.html"
    copy_view_enabled = False
    add_to_admin_menu = False
    list_display = [
        TitleColumn("number", label=_("Number"), url_name="shop_order:inspect", sort_key="pk"),
        Column("get_state_display", label=_("State"), sort_key="state"),
        DateColumn("placed_at", label=_("Placed"), sort_key="placed_at"),
        Column("name", label=_("Customer")),
        Column("total", label=_("Total"), sort_key="total"),
    ]
    list_filter = ["state", "payment_method", "shipping_method"]
    search_fields = ["number", "name", "email"]
    ordering = ["-pk"]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("name"),
                    FieldPanel("street"),
                    FieldPanel("street_extra"),
                    FieldRowPanel([FieldPanel("postcode"), FieldPanel("city")]),
                    FieldPanel("country"),
                    FieldPanel("phone"),
                ],
                heading=_("Delivery address"),
                help_text=_("For the customer who calls and says that the number of the house was wrong."),
            )
        ]
    )

    def get_urlpatterns(self) -> list[URLPattern]:
        # An order is made by a customer, and is cancelled rather than deleted.
        own = [pattern for pattern in super().get_urlpatterns() if pattern.name not in {"add", "delete"}]
        return [*own, path("happened/<int:pk>/<str:action>/", self.happened_view, name="happened")]

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_common_view_kwargs(**{"add_url_name": None, "delete_url_name": None, **kwargs})

    @property
    def happened_view(self) -> Any:
        return require_POST(self._happened)

    def _happened(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        """Do what a button of the order says: one verb of ``orders``."""
        if not self.permission_policy.user_has_permission(request.user, "change"):
            raise PermissionDenied
        order = get_object_or_404(Order, pk=pk)
        verb, _states = ACTIONS.get(action, (None, ()))
        if verb is not None:
            try:
                if verb(order=order):
                    text = _("Order %(number)s: %(state)s.")
                    messages.success(request, text % {"number": order.number, "state": OrderState(order.state).label})
            except WrongState as error:
                messages.error(request, error.message)
        return redirect(self.get_url_name("inspect"), order.pk)


class ProductViewSet(ModelViewSet):
    """Products: price, stock and delivery time. What is written about them is on their pages."""

    model = Product
    name = "shop_product"
    icon = "tag"
    menu_label = _("Products")
    copy_view_enabled = False
    list_display = [
        "title",
        Column("sku", label=_("Article number"), sort_key="sku"),
        Column("category", label=_("Category"), sort_key="category__title"),
        Column("price", label=_("Price"), sort_key="price"),
        Column("stock", label=_("In stock"), sort_key="stock"),
    ]
    list_filter = ["category", "is_for_sale"]
    search_fields = ["title", "sku"]
    list_per_page = 50
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("title"),
                    FieldPanel("sku"),
                    FieldPanel("slug"),
                    FieldPanel("category"),
                    FieldPanel("summary"),
                    FieldPanel("choices_text"),
                ],
                heading=_("What it is"),
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel("price"), FieldPanel("stock")]),
                    FieldRowPanel([FieldPanel("delivery_days_min"), FieldPanel("delivery_days_max")]),
                    FieldPanel("is_for_sale"),
                ],
                heading=_("Price and delivery"),
            ),
        ]
    )


class CategoryViewSet(ModelViewSet):
    """Categories: names for products; their pages are in the page tree."""

    model = Category
    name = "shop_category"
    icon = "folder-open-inverse"
    menu_label = _("Categories")
    copy_view_enabled = False
    list_display = ["title", "slug", "position"]
    form_fields = ["title", "slug", "position"]


class ShopGroup(ModelViewSetGroup):
    """The shop's part of the admin menu."""

    menu_label = _("Shop")
    menu_icon = "desktop"
    menu_order = 150
    items = (OrderViewSet, ProductViewSet, CategoryViewSet)
