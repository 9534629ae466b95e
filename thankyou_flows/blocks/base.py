"""The two classes that every block of a thank-you page is made of, and that third parties subclass.

A block brings its value, its template, the access level and the order states it needs, and, if it is an action block,
a form and what happens when that is sent. There is nothing to register: a page lists its blocks in a StreamField, as
in all of Wagtail.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail import blocks

from ..flow import Flow
from ..outcomes import flow_of
from ..values import AccessLevel, OrderState

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

logger = logging.getLogger(__name__)

SETTLED_STATES = (OrderState.PAID, OrderState.SHIPPED, OrderState.DELIVERED)


class VisibilityBlock(blocks.StructBlock):
    """When a block is shown: the owner's own conditions, on top of what the block itself needs."""

    audience = blocks.ChoiceBlock(
        choices=[
            ("", _("Everybody")),
            ("first", _("Customers with their first order")),
            ("returning", _("Customers who ordered before")),
        ],
        required=False,
        default="",
        label=_("Who sees it"),
    )
    states = blocks.MultipleChoiceBlock(
        choices=OrderState.choices,
        required=False,
        label=_("Only while the order is"),
        help_text=_("Choose none to show it whatever the state."),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        icon = "view"
        label = _("Show this block to…")
        collapsed = True

    def allows(self, value: Mapping[str, Any], flow: Flow) -> bool:
        """Tell whether the owner wants the block to be seen in this flow."""
        audience = value.get("audience") or ""
        if audience and flow.is_first_order is not (audience == "first"):
            return False
        states = value.get("states") or []
        return not states or (flow.order is not None and flow.order.state in states)


class FlowBlock(blocks.StructBlock):
    """A block that reads the flow. Subclass it, give it fields and a template, and name it in a StreamField.

    Its template gets ``value``, ``flow`` and ``block_id``. It renders nothing where it has nothing to say: for a
    visitor below its ``access_level``, in an order state it is not for, or when the owner's conditions do not hold.
    If rendering fails, the block is left out and the failure logged; the rest of the page stands (TY-10).
    """

    #: What the visitor must be allowed to see. NONE means: fit for any page, with or without an order.
    access_level: AccessLevel = AccessLevel.LIMITED
    #: The order states in which the block makes sense; None means all.
    order_states: Collection[OrderState] | None = None
    #: "main" or "aside" (the narrow column).
    placement: str = "main"

    show = VisibilityBlock()

    def get_form_layout(self) -> blocks.BlockGroup:
        """Show first what the block says, and keep to whom it is shown among its settings."""
        return blocks.BlockGroup([name for name in self.child_blocks if name != "show"], settings=["show"])

    def get_flow(self, context: Mapping[str, Any] | None) -> Flow:
        """Return the flow of the page, or one without an order on a page that has none."""
        flow = (context or {}).get("flow")
        return flow if isinstance(flow, Flow) else flow_of((context or {}).get("request"))

    def prepare(self, *, value: Any, flow: Flow, request: HttpRequest) -> None:
        """Do what belongs to the block the moment the customer has ordered, before the page is shown.

        Called once, in the request that finishes the checkout, with full access; must be safe to repeat. Looking at
        the page never changes anything, so what a block gives without being asked is given here.
        """

    def is_shown(self, value: Mapping[str, Any], flow: Flow) -> bool:
        """Tell whether the block has something to say in this flow. Extend it in subclasses."""
        if flow.level < self.access_level:
            return False
        if self.access_level > AccessLevel.NONE and flow.order is None:
            return False
        if self.order_states is not None and (flow.order is None or flow.order.state not in self.order_states):
            return False
        return self.child_blocks["show"].allows(value.get("show") or {}, flow)

    def get_context(self, value: Any, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context=parent_context)
        context["flow"] = self.get_flow(parent_context)
        return context

    def render(self, value: Any, context: Mapping[str, Any] | None = None) -> SafeString | str:
        try:
            if not self.is_shown(value, self.get_flow(context)):
                return ""
            rendered: SafeString = super().render(value, context=context)
            return rendered
        except Exception:
            logger.exception("Block %s could not be rendered and was left out.", type(self).__name__)
            return ""

    def get_preview_context(self, value: Any, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        from ..samples import sample_flow

        return super().get_preview_context(value, {**(parent_context or {}), "flow": sample_flow("offer_running")})


@dataclass(frozen=True, kw_only=True)
class Action:
    """One sending of an action block's form."""

    value: Any
    flow: Flow
    data: Mapping[str, Any]
    request: HttpRequest


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an action came to: a code that the block's template knows, and where the visitor goes next.

    Without ``redirect_url`` the visitor comes back to the block, which then shows the outcome.
    """

    code: str
    redirect_url: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


class ActionBlock(FlowBlock):
    """A block with a form. Its POST goes to one view, which validates the form and calls :meth:`act`.

    A block with several buttons names each in ``commands``; the pressed button's ``command`` value arrives in the data.
    """

    form_class: type[forms.Form] = forms.Form

    def get_form(
        self, *, value: Any, flow: Flow, block_id: str = "", data: Mapping[str, Any] | None = None
    ) -> forms.Form:
        """Build the form: unbound to show it, bound with ``data`` to check it."""
        return self.form_class(data, prefix=None, auto_id=f"id_{block_id}_%s" if block_id else "id_%s")

    def act(self, action: Action) -> Outcome:
        """Do what the visitor asked for. Called with valid data, in a transaction; must be safe to repeat.

        Raise ``django.core.exceptions.ValidationError`` to send the form back with a message.
        """
        raise NotImplementedError(f"{type(self).__name__} has a form but no act() method.")

    def get_context(self, value: Any, parent_context: Mapping[str, Any] | None = None) -> dict[str, Any]:
        context = super().get_context(value, parent_context=parent_context)
        flow: Flow = context["flow"]
        block_id = str(context.get("block_id") or "")
        context["form"] = flow.forms.get(block_id) or self.get_form(value=value, flow=flow, block_id=block_id)
        context["outcome"] = flow.outcomes.get(block_id, "")
        return context
