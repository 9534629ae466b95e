"""What is known of one person: to look up, to hand over, and to erase (EM-13; GDPR 15, 17, 20).

Addresses travel in POSTs only: what stands in the address of a page ends up in logs and histories.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views import View
from wagtail.admin import messages
from wagtail.admin.auth import permission_denied
from wagtail.admin.menu import MenuItem
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.viewsets.base import ViewSet
from wagtail.log_actions import LogFormatter, log

from coupons.exceptions import CouponBusy
from coupons.holders import normalised_email

from ..privacy.erasing import erase_found
from ..privacy.exporting import count_person, export_found
from ..privacy.person import Person, accounts_with, find_person, has_proved
from ..privacy.registry import Erasure, PersonalModel, personal_models

#: What the log of the site calls it.
EXPORTED: Final = "thankyou_flows.export_person"
ERASED: Final = "thankyou_flows.erase_person"

EXPORT: Final = "thankyou_flows.export_person"
ERASE: Final = "thankyou_flows.erase_person"


class PersonForm(forms.Form):
    """Whom it is about: an address, and accounts that claim it without a proof."""

    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "As the person wrote it; capital letters do not matter. Make sure first that it is this person who asks: "
            "answer to this address only."
        ),
    )
    accounts = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = str(self.data.get("email", ""))
        self.found = accounts_with(email)
        self.proved = [each for each in self.found if has_proved(each, email)]
        self.claiming = [each for each in self.found if each not in self.proved]
        field = self.fields["accounts"]
        field.choices = [(str(each.pk), each.get_username()) for each in self.claiming]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> list[Any]:
        """The accounts that were ticked."""
        wanted = set(self.cleaned_data.get("accounts", ()))
        return [each for each in self.claiming if str(each.pk) in wanted]

    @property
    def person(self) -> Person:
        """Who it is. Only of a valid form."""
        return find_person(email=self.cleaned_data["email"], users=self.chosen)


class ErasureForm(PersonForm):
    """The same, typed twice."""

    again = forms.CharField(
        label=_("Type the address once more"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"}),
        help_text=_("So that nobody is erased by a slip of the hand."),
    )

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        if normalised_email(again) != normalised_email(str(self.cleaned_data.get("email", ""))):
            raise forms.ValidationError(gettext("This is not the same address."))
        return again


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One line of what is known."""

    what: str
    count: int
    why: str
    erasure: str


#: What erasure does, in the owner's words.
_SAID: Final = {
    Erasure.DELETE: _("Erasure deletes"),
    Erasure.BLANK: _("Stays without a name"),
    Erasure.KEEP: _("Stays, for a reason"),
}


def known_of(person: Person) -> list[Known]:
    """Return what is known of a person, a line for each kind of which there is something."""
    counted = count_person(person)
    entries: Sequence[PersonalModel] = [entry for entry in personal_models() if entry.model.lower() in counted]
    lines = [
        Known(
            what=_capitalised(entry.plural),
            count=counted[entry.model.lower()],
            why=str(entry.why),
            erasure=str(_SAID[entry.erasure]),
        )
        for entry in entries
    ]
    order = [str(_SAID[each]) for each in Erasure]
    return sorted(lines, key=lambda line: (order.index(line.erasure), line.what.casefold()))


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


class PersonView(WagtailAdminTemplateMixin, View):
    """What the pages share: who may see them, and the way back."""

    permission = EXPORT
    header_icon = "user"
    page_title = _("People")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission):
            return permission_denied(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        # Nobody's computer keeps a page about somebody else.
        response.headers["Cache-Control"] = "no-store, private"
        return response

    @cached_property
    def form(self) -> PersonForm:
        return PersonForm(self.request.POST or None)

    def to_start(self) -> HttpResponse:
        return HttpResponseRedirect(reverse("thankyou_flows_people:index"))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead back: there is nothing to see without an address."""
        return self.to_start()

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        items = [*self.breadcrumbs_items, {"url": reverse("thankyou_flows_people:index"), "label": gettext("People")}]
        if self.get_page_title() != gettext("People"):
            items.append({"url": "", "label": self.get_page_title()})
        return items

    def show(self, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context))

    def show_person(self, **context: Any) -> HttpResponse:
        """Show the page with what is known of the person of the form, which is valid."""
        asked = {name: self.form.cleaned_data[name] for name in ("email", "accounts")}
        return self.show(known=known_of(self.form.person), **asked, **context)


class LookUpView(PersonView):
    """Asks for an address, and says what is known by it."""

    template_name = "thankyou_flows/admin/people.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show(form=PersonForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.form.is_valid():
            return self.show(form=self.form)
        return self.show_person(form=self.form, may_erase=request.user.has_perm(ERASE))


class DownloadView(PersonView):
    """Hands over everything as JSON. That it was done is written down, not of whom."""

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.form.is_valid():
            return self.to_start()
        found = export_found(person=self.form.person)
        rows = sum(len(section["rows"]) for section in found["data"].values())
        log(instance=request.user, action=EXPORTED, user=request.user, data={"count": rows})
        text = json.dumps(found, ensure_ascii=False, indent=2)
        headers = {"Content-Disposition": 'attachment; filename="person.json"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(text, content_type="application/json", headers=headers)


class EraseView(PersonView):
    """Says what goes, what stays and why, and erases once the address was typed again."""

    permission = ERASE
    template_name = "thankyou_flows/admin/person_erase.html"
    page_title = _("Erase a person")
    header_icon = "bin"

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self.form.is_valid():
            return self.to_start()
        if "again" not in request.POST:
            # The first look, from the page with what is known.
            return self.show_person(form=ErasureForm())
        form = ErasureForm(request.POST)
        if not form.is_valid():
            return self.show_person(form=form)
        try:
            counts = erase_found(person=self.form.person)
        except CouponBusy:
            messages.error(request, gettext("The database was busy, and nothing was erased. Please try again."))
            return self.show_person(form=form)
        total = sum(counts.values())
        log(instance=request.user, action=ERASED, user=request.user, data={"count": total})
        said = ngettext("Erased: one entry.", "Erased: %(count)s entries.", total) % {"count": total}
        messages.success(request, said if total else gettext("There was nothing to erase any more."))
        return self.to_start()


class PeopleMenuItem(MenuItem):
    """For those who may look people up."""

    def is_shown(self, request: HttpRequest) -> bool:
        return request.user.has_perm(EXPORT)


class PeopleViewSet(ViewSet):
    """The page "People"."""

    name = "thankyou_flows_people"
    icon = "user"
    menu_label = _("People")
    menu_item_class = PeopleMenuItem

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            path("", self.construct_view(LookUpView), name="index"),
            path("download/", self.construct_view(DownloadView), name="download"),
            path("erase/", self.construct_view(EraseView), name="erase"),
        ]


def people_permissions() -> QuerySet[Permission]:
    """Return what a group may do with people; for Wagtail's form of groups."""
    codenames = ["export_person", "erase_person"]
    return Permission.objects.filter(content_type__app_label="thankyou_flows", codename__in=codenames)


def register_people_log_actions(actions: Any) -> None:
    """Say what the report "Site history" calls these; of whom is in neither."""

    @actions.register_action(EXPORTED)
    class Exported(LogFormatter):
        label = _("Export what is known of a person")

        def format_message(self, log_entry: Any) -> str:
            return gettext("Exported what is known of a person")

    @actions.register_action(ERASED)
    class Erased(LogFormatter):
        label = _("Erase a person")

        def format_message(self, log_entry: Any) -> str:
            return gettext("Erased a person")
