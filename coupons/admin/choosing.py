"""Form fields for lists of references: products and categories of the shop's catalogue, and countries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.templatetags.static import static
from django.utils.html import format_html, html_safe
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..money import active_locale

#: Two-letter codes of CLDR that are no country one delivers to: unions, fictions, and parts that ISO 3166-1 leaves out.
NO_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})

#: As long as ``Campaign.free_product_ref``.
LONGEST_REF = 255

Choice = tuple[str, str]


@html_safe
class Module:
    """A script that is an ES module, for ``Media.js``."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __str__(self) -> str:
        return format_html('<script type="module" src="{}"></script>', static(self.path))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Module) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.path)


def country_choices() -> list[Choice]:
    """Return ISO 3166-1 alpha-2 codes with their names in the active language, in the order of the names."""
    named = [
        (code, name)
        for code, name in active_locale().territories.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
    ]
    return sorted(named, key=lambda choice: choice[1].casefold())


class Framed(forms.Widget):
    """Many choices in a frame that scrolls. A script adds a field to find one by its name; with ``search_url`` it also
    asks the shop for more.
    """

    class Media:
        js = (Module("thankyou_coupons/admin/boxes.js"),)
        css = {"all": ("thankyou_coupons/admin/admin.css",)}

    search_url = ""
    label = ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the choices inside ``<ty-boxes>``, which carries what the script says and asks."""
        return format_html(
            '<ty-boxes class="ty-boxes" role="group" aria-label="{}" data-search="{}" data-find="{}" data-none="{}">'
            "{}</ty-boxes>",
            self.label,
            self.search_url,
            _("Find in this list"),
            _("There is none of this name."),
            super().render(name, value, attrs, renderer),
        )


class Boxes(Framed, forms.CheckboxSelectMultiple):
    """Some of many."""


class Dots(Framed, forms.RadioSelect):
    """One of many."""


class _Offering(forms.ChoiceField):
    """A choice out of what the shop has. What is stored already stays, whether or not the shop still has it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, **kwargs})
        self.has_more = False

    def offer(self, choices: Iterable[Choice], *, stored: Sequence[str] = (), has_more: bool = False) -> None:
        """Set what can be chosen, what is stored first; ``has_more`` says that the shop has more than these, and that
        any reference is taken.
        """
        titles = dict(choices)
        first = {ref: titles.get(ref, ref) for ref in stored if ref}
        self.choices = [*first.items(), *((ref, title) for ref, title in titles.items() if ref not in first)]
        self.has_more = has_more

    def valid_value(self, value: Any) -> bool:
        return super().valid_value(value) or (self.has_more and 0 < len(str(value)) <= LONGEST_REF)


class RefField(_Offering):
    """One reference."""

    widget = Dots


class RefsField(_Offering, forms.MultipleChoiceField):
    """Some references; a list, as the column holds it."""

    widget = Boxes

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(initial or ()) != set(data or ())


class LinesField(forms.CharField):
    """References without a catalogue: one a line."""

    #: Room for any list that a person types; a longer one is a mistake in the clipboard.
    MOST = 500

    default_error_messages = {
        "too_many": _("Enter at most 500 lines."),
        "too_long": _("“%(line)s…” is longer than 255 letters."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "widget": forms.Textarea(attrs={"rows": 4}), **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = list(dict.fromkeys(filter(None, (line.strip() for line in str(value or "").splitlines()))))
        if len(lines) > self.MOST:
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many")
        for line in lines:
            if len(line) > LONGEST_REF:
                raise forms.ValidationError(
                    self.error_messages["too_long"], code="too_long", params={"line": line[:40]}
                )
        return lines

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.clean(data)
