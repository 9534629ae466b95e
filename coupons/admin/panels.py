"""The tabs of a campaign's form, in the order of the owner's thoughts."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
)

from .campaign_form import CampaignForm


def _when(field: str, *values: str) -> dict[str, str]:
    """Attributes that let a script show a panel only while another field has one of these values."""
    return {"data-ty-when": field, "data-ty-is": " ".join(values)}


def _field(name: str, **when: str) -> FieldPanel:
    """Return the panel of a field that is shown while another one (``benefit="percent"``) has this value."""
    [(field, value)] = when.items()
    return FieldPanel(name, attrs=_when(field, value))


def build_edit_handler() -> Any:
    """Return the form's tabs; the viewset binds them to the model."""
    return TabbedInterface(
        [
            ObjectList(_benefit(), heading=_("What the customer gets")),
            ObjectList(_conditions(), heading=_("For which orders")),
            ObjectList(_time(), heading=_("How long, how often")),
            ObjectList(_questions(), heading=_("Questions")),
        ],
        base_form_class=CampaignForm,
    )


def _benefit() -> list[Any]:
    return [
        MultiFieldPanel([FieldPanel("title"), FieldPanel("status")], heading=_("Campaign")),
        MultiFieldPanel(
            [
                FieldPanel("benefit"),
                _field("percent", benefit="percent"),
                _field("amount", benefit="amount"),
                _field("free_product_ref", benefit="free_product"),
                FieldPanel("terms"),
            ],
            heading=_("What the customer gets"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("code_type"),
                _field("word", code_type="word"),
                HelpPanel(
                    content=_(
                        "Anybody can guess a word, and it will be passed on. Set a limit under “How long, how often”, "
                        "for example one use per customer."
                    ),
                    attrs=_when("code_type", "word"),
                    classname="ty-warning",
                ),
                _field("personal", code_type="single"),
            ],
            heading=_("Codes"),
        ),
        HelpPanel(
            content=_(
                "Single codes are given out by the blocks that name this campaign, for example on a thank-you page, "
                "by you, or many at once. What a coupon is worth, and for which orders and customers, cannot be changed "
                "once it is out. You can always pause or end the campaign."
            ),
        ),
    ]


def _conditions() -> list[Any]:
    return [
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("minimum_spend"), FieldPanel("currency")]), FieldPanel("audience")],
            heading=_("Order and customer"),
        ),
        MultiFieldPanel(
            [FieldPanel("products_in"), FieldPanel("products_out")],
            heading=_("Products"),
            help_text=_("Nothing chosen means all products. What is left out wins over what is let in."),
        ),
        MultiFieldPanel([FieldPanel("categories_in"), FieldPanel("categories_out")], heading=_("Categories")),
        MultiFieldPanel([FieldPanel("countries")], heading=_("Countries")),
        MultiFieldPanel([FieldPanel("combinable")], heading=_("Other coupons")),
    ]


def _time() -> list[Any]:
    return [
        MultiFieldPanel(
            [FieldRowPanel([FieldPanel("starts_at"), FieldPanel("ends_at")]), FieldPanel("zone")],
            heading=_("When it can be used"),
        ),
        MultiFieldPanel(
            [FieldPanel("deadline_minutes")], heading=_("Deadline of each customer"), attrs=_when("code_type", "single")
        ),
        MultiFieldPanel(
            [
                FieldRowPanel([FieldPanel("total_limit"), FieldPanel("limit_per_customer")]),
                _field("uses_per_coupon", code_type="single"),
                _field("is_unlimited", code_type="word"),
                FieldPanel("give_back"),
            ],
            heading=_("How often"),
        ),
    ]


def _questions() -> list[Any]:
    return [
        HelpPanel(
            content=_(
                "With questions, a coupon is shown locked, with what it is worth. It unlocks when the customer has "
                "answered. Ask little, and say why: known answers are never asked again."
            ),
        ),
        InlinePanel(
            "questions",
            heading=_("Questions"),
            label=_("Question"),
            panels=[
                FieldPanel("label"),
                FieldPanel("field_type"),
                FieldPanel("choices", attrs=_when("-field_type", "dropdown", "radio", "checkboxes")),
                FieldPanel("help_text"),
                FieldPanel("required"),
                FieldPanel("purpose"),
                FieldPanel("keep_days"),
            ],
        ),
        MultiFieldPanel(
            [FieldPanel("ask_text"), FieldPanel("marketing_text"), FieldPanel("offer_after_registration")],
            heading=_("Around the questions"),
        ),
    ]
