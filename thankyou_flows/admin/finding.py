"""Finding what concerns one person in a list, by an address that travels in a POST only.

What stands in the address of a page ends up in logs and histories, so there stands the person's key instead (OP-6).
"""

from __future__ import annotations

import re
from typing import Any, Final

import django_filters  # type: ignore[import-untyped]
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from coupons.holders import CUSTOMER_PREFIX, customer_key

#: The parameter of a list that shows one person only.
PERSON: Final = "person"
_KEY: Final = re.compile(rf"{re.escape(CUSTOMER_PREFIX)}[0-9a-f]{{64}}")


class PersonForm(forms.Form):
    """Whose rows to show."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class OnePersonFilterSet(WagtailFilterSet):
    """Filters that keep to one person while others are set. It is among them only if the list shows one person."""

    person = django_filters.ChoiceFilter(
        field_name="email_key", label=_("Person"), choices=(), empty_label=_("Everybody")
    )

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(data, *args, **kwargs)
        if key := person_in(data):
            self.filters[PERSON].extra["choices"] = [(key, _("The one you looked for"))]
        else:
            del self.filters[PERSON]


def person_in(data: Any) -> str:
    """Return the key of the person whom an address of a list names; empty for none, and for whatever is no key."""
    key = str((data or {}).get(PERSON, ""))
    return key if _KEY.fullmatch(key) else ""


class OnePersonMixin:
    """A list that can show one person only: a form for the address above it, and the way back."""

    #: What the list says above the rows of one person.
    one_person_title: Any = ""
    find_url_name = ""
    request: HttpRequest

    @property
    def is_one_person(self) -> bool:
        return bool(person_in(self.request.GET))

    @cached_property
    def person_form(self) -> PersonForm:
        return PersonForm()

    @property
    def find_url(self) -> str:
        return reverse(self.find_url_name)


class FindView(PermissionCheckedMixin, View):
    """Turns a typed address into its key, and leads to the list of that person. Nothing is kept."""

    any_permission_required = ("view", "add", "change", "delete")
    model: Any = None
    index_url_name = ""
    http_method_names = ("post",)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = PersonForm(request.POST)
        url = reverse(self.index_url_name)
        if form.is_valid():
            url += f"?{PERSON}={customer_key(form.cleaned_data['email'])}"
        else:
            messages.warning(request, gettext("Please type the whole e-mail address."))
        return HttpResponseRedirect(url)


class OnePersonViewSetMixin:
    """Adds the address that the form is sent to."""

    name: str
    model: Any

    def get_index_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_index_view_kwargs(**kwargs)  # type: ignore[misc]
        return {**common, "find_url_name": f"{self.name}:find"}

    def get_urlpatterns(self) -> list[URLPattern]:
        find = self.construct_view(FindView, index_url_name=f"{self.name}:index")  # type: ignore[attr-defined]
        return [*super().get_urlpatterns(), path("find/", find, name="find")]  # type: ignore[misc]
