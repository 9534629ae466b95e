"""The two forms of the cart: put something in, change a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .conf import app_settings
from .lines import MAX_REF_LENGTH, is_ref

ENTER_A_NUMBER = _("Enter a whole number.")


def dom_id(product_ref: str, options: str = "") -> str:
    """Return an HTML id for a product: the same for the same product, different for different ones."""
    text = f"{product_ref}.{options}" if options else product_ref
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", text)


def _validate_ref(value: str) -> None:
    if not is_ref(value):
        raise ValidationError(_("This product is not known here."), code="unknown")


class _Fixed(forms.Field):
    """A field that all forms share, because nobody changes it: a POST has three of them, and copying takes its time."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


class _Ref(_Fixed, forms.CharField):
    """A reference, which the page has put there."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            max_length=MAX_REF_LENGTH, required=required, validators=[_validate_ref], widget=forms.HiddenInput
        )


class _LineForm(forms.Form):
    product_ref = _Ref()
    options = _Ref(required=False)
    # Any text: a way back that cannot be used is left alone, and is no reason to refuse what the customer wants.
    next = _Fixed(required=False, widget=forms.HiddenInput)

    def _bound_quantity(self, *, minimum: int, available: int | None) -> None:
        """Set the limits by hand, because they are settings read at use and today's stock."""
        maximum = app_settings.max_quantity
        field = self.fields["quantity"]
        assert isinstance(field, forms.IntegerField)
        field.min_value, field.max_value = minimum, maximum
        field.widget.attrs.update(
            {"min": minimum, "max": min(maximum, available or maximum), "inputmode": "numeric", "class": "ty-quantity"}
        )

    def clean_quantity(self) -> int:
        quantity = self.cleaned_data["quantity"]
        field = self.fields["quantity"]
        assert isinstance(field, forms.IntegerField)
        assert field.min_value is not None
        if quantity is None:
            quantity = 1
        if not field.min_value <= quantity <= app_settings.max_quantity:
            raise ValidationError(
                _("Enter a number from %(minimum)s to %(maximum)s."),
                code="range",
                params={"minimum": field.min_value, "maximum": app_settings.max_quantity},
            )
        return int(quantity)


class AddForm(_LineForm):
    """So many pieces of a product into the cart. A quantity left out is 1."""

    quantity = forms.IntegerField(
        label=_("Quantity"), required=False, initial=1, error_messages={"invalid": ENTER_A_NUMBER}
    )

    def __init__(
        self, *args: Any, available: int | None = None, choices: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._bound_quantity(minimum=1, available=available)
        # Of its own, because ``offer`` changes it.
        self.fields["options"] = copy(self.fields["options"])
        self.offer(choices)

    def offer(self, choices: Mapping[str, str] | None) -> None:
        """Let the customer choose what the product comes in, titles by options reference; nothing is chosen yet."""
        if choices:
            field = self.fields["options"]
            field.widget = forms.Select(
                choices=[("", _("Please choose")), *choices.items()], attrs={"required": True, "class": "ty-choice"}
            )
            field.label = _("Your choice")


class SaveForm(_LineForm):
    """Save a product for later, or take it off that list. A quantity left out is 1."""

    action = forms.ChoiceField(choices=[("add", "add"), ("remove", "remove")], required=False)
    quantity = forms.IntegerField(required=False, error_messages={"invalid": ENTER_A_NUMBER})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bound_quantity(minimum=1, available=None)


class ChangeForm(_LineForm):
    """Exactly so many pieces of a product in the cart; 0 takes it out."""

    quantity = forms.IntegerField(
        label=_("Quantity"), error_messages={"invalid": ENTER_A_NUMBER, "required": ENTER_A_NUMBER}
    )

    def __init__(self, *args: Any, available: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bound_quantity(minimum=0, available=available)

    @staticmethod
    def ids(product_ref: str, options: str) -> str:
        """Return the pattern of the ids in the line of a product: each line of the page has a form of its own."""
        return f"ty-{dom_id(product_ref, options)}-%s"
