"""The forms of wish lists: a name, an item with its note and priority, what a link shows, and what somebody is giving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .conf import app_settings
from .forms import ENTER_A_NUMBER, dom_id
from .lines import MAX_REF_LENGTH, is_ref
from .lists import MAX_NAME, MAX_NOTE, clean_text
from .models import ListItem, ProductList
from .sharing import MAX_SHOWN_NAME


class LineField(forms.CharField):
    """A line of text. Control characters, NUL and lone surrogates go without a complaint: nobody typed them on purpose."""

    def to_python(self, value: Any) -> str:
        return clean_text(super().to_python(value) or "")


class RefField(forms.CharField):
    """A reference of a product or its options."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_REF_LENGTH, strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        if not is_ref(text, empty=True):
            raise ValidationError(_("This product is not known here."), code="unknown")
        return text


class QuantityField(forms.IntegerField):
    """So many pieces."""

    def __init__(self, **kwargs: Any) -> None:
        errors = {"invalid": ENTER_A_NUMBER, "required": ENTER_A_NUMBER}
        super().__init__(label=_("Quantity"), error_messages=errors, **kwargs)

    def limit(self, *, least: int = 1, most: int | None = None) -> None:
        """Set the limits by hand, because they are settings read at use."""
        self.min_value, self.max_value = least, most or app_settings.max_quantity
        attrs = {"min": self.min_value, "max": self.max_value, "inputmode": "numeric", "class": "ty-quantity"}
        self.widget.attrs.update(attrs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        least, most = self.min_value, self.max_value
        if value is not None and least is not None and most is not None and not least <= value <= most:
            raise ValidationError(
                _("Enter a number from %(minimum)s to %(maximum)s."),
                code="range",
                params={"minimum": least, "maximum": most},
            )


class NameForm(forms.Form):
    """The name of a wish list."""

    name = LineField(
        label=_("Name of the list"),
        max_length=MAX_NAME,
        help_text=_("For example: Birthday, or New kitchen."),
        error_messages={"required": _("Give the list a name.")},
        widget=forms.TextInput(attrs={"class": "ty-field", "autocomplete": "off", "dir": "auto"}),
    )


class ItemForm(forms.Form):
    """What can be changed of an item. A field that is not sent stays as it is."""

    product_ref = RefField()
    options = RefField(required=False)
    quantity = QuantityField()
    priority = forms.TypedChoiceField(
        label=pgettext_lazy("of a wish", "Priority"),
        choices=ListItem.Priority.choices,
        coerce=int,
        widget=forms.Select(attrs={"class": "ty-field"}),
    )
    note = LineField(
        label=_("Note"),
        required=False,
        max_length=MAX_NOTE,
        help_text=_("Size, colour, why you want it. Whoever has a link to the list can read it."),
        widget=forms.Textarea(attrs={"class": "ty-field", "rows": 2, "dir": "auto"}),
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        quantity = self.fields["quantity"]
        assert isinstance(quantity, QuantityField)
        quantity.limit()
        if data is not None:
            for name in ("quantity", "priority"):
                self.fields[name].required = name in data

    @property
    def changes(self) -> dict[str, Any]:
        """What was sent, of a form that is valid."""
        return {name: self.cleaned_data[name] for name in ("quantity", "priority", "note") if name in self.data}

    @classmethod
    def for_item(cls, item: ListItem) -> ItemForm:
        """Return the form that stands in a line of the list page."""
        names = ("product_ref", "options", "quantity", "priority", "note")
        return cls(initial={name: getattr(item, name) for name in names}, auto_id=cls.ids(*item.key))

    @staticmethod
    def ids(product_ref: str, options: str) -> str:
        """Return the pattern of the ids in the line of a product: each line of the page has a form of its own."""
        return f"ty-wish-{dom_id(product_ref, options)}-%s"


class ChooseForm(forms.Form):
    """Which wish list a product goes to: one that is there, or a new one with this name."""

    product_ref = RefField()
    options = RefField(required=False)
    quantity = QuantityField(required=False, widget=forms.HiddenInput)
    next = forms.Field(required=False, widget=forms.HiddenInput)
    list = forms.ChoiceField(label=_("Your wish lists"), required=False, widget=forms.RadioSelect)
    name = LineField(
        label=_("A new list"),
        required=False,
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"class": "ty-field", "autocomplete": "off", "dir": "auto"}),
    )

    def __init__(self, *args: Any, lists: Sequence[ProductList], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quantity, choice = self.fields["quantity"], self.fields["list"]
        assert isinstance(quantity, QuantityField)
        assert isinstance(choice, forms.ChoiceField)
        quantity.limit()
        choice.choices = [(row.key, row.name) for row in lists]
        if not lists:
            self.fields["name"].label = _("Name of your first wish list")

    def offer(self, choices: Mapping[str, str] | None) -> None:
        """Let the customer choose what the product comes in, titles by options reference."""
        if choices:
            field = self.fields["options"]
            field.widget = forms.Select(
                choices=[("", _("Please choose")), *choices.items()], attrs={"required": True, "class": "ty-field"}
            )
            field.label = _("Your choice")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "list" not in self.errors and "name" not in self.errors and not (data.get("list") or data.get("name")):
            self.add_error("name", _("Choose a list, or give a new one a name."))
        return data


class ShareForm(forms.Form):
    """What those who have the link see."""

    shown_name = LineField(
        label=_("Name shown with the list"),
        required=False,
        max_length=MAX_SHOWN_NAME,
        help_text=_("As your friends know you. Leave it empty, and the page says nothing about whose list it is."),
        widget=forms.TextInput(attrs={"class": "ty-field", "autocomplete": "nickname", "dir": "auto"}),
    )
    shares_additions = forms.BooleanField(
        label=_("Also show what I add later"),
        required=False,
        help_text=_("Without it, the link shows what is on the list when you make it."),
    )
    # The other way round than the model's field: what is not sent keeps more to itself.
    shows_gifts = forms.BooleanField(
        label=_("Let me see what is taken"),
        required=False,
        help_text=_(
            "Others can mark what they are getting. Without this it stays a surprise. Who it is you never see."
        ),
    )

    @classmethod
    def for_list(cls, row: ProductList, data: Any = None) -> ShareForm:
        """Return the form with what holds for this list today."""
        initial = {
            "shown_name": row.shown_name,
            "shares_additions": row.shares_additions,
            "shows_gifts": not row.hides_gifts,
        }
        return cls(data, initial=initial, auto_id="ty-share-%s")


class GiftForm(forms.Form):
    """So many pieces that somebody is getting; 0 takes it back."""

    product_ref = RefField()
    options = RefField(required=False)
    quantity = QuantityField()

    def __init__(self, *args: Any, wanted: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quantity = self.fields["quantity"]
        assert isinstance(quantity, QuantityField)
        quantity.limit(least=0 if wanted is None else 1, most=wanted)

    @staticmethod
    def ids(product_ref: str, options: str) -> str:
        """Return the pattern of the ids in the line of a product."""
        return f"ty-gift-{dom_id(product_ref, options)}-%s"
