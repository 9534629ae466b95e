"""Who must not get which mail. Staff find, add and remove them by an address that is typed and never kept (EM-6)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log

from coupons.admin.formpage import FormPage
from coupons.admin.readonly import ReadOnlyViewSet
from coupons.holders import customer_key

from ..models import MailingList, Suppression
from .finding import OnePersonFilterSet, OnePersonMixin, OnePersonViewSetMixin
from .words import list_titles, scope_in_words

NAME: Final = "thankyou_flows_suppression"
#: What the log of the site calls it.
ADDED: Final = "thankyou_flows.add_suppression"
REMOVED: Final = "thankyou_flows.remove_suppression"


def short_key(suppression: Suppression) -> str:
    """Return enough of an address's key to tell two people apart, and nothing of the address."""
    return f"{suppression.email_key.removeprefix('c:')[:10]}…"


class SuppressionFilterSet(OnePersonFilterSet):
    """By person and reason."""

    class Meta:
        model = Suppression
        fields: ClassVar = ["reason"]


class SuppressionIndexView(OnePersonMixin, generic.IndexView):
    """The list, newest first. It holds no address: a search computes the key of the one that is typed."""

    template_name = "thankyou_flows/admin/one_person.html"
    one_person_title = _("What one person does not get")
    results_template_name = "thankyou_flows/admin/suppressions_results.html"
    default_ordering = "-pk"

    @cached_property
    def titles(self) -> dict[str, str]:
        return list_titles()

    @cached_property
    def columns(self) -> list[Any]:
        person, *others = super().columns
        scope = Column(
            "scope", label=_("What is not sent"), accessor=lambda row: scope_in_words(row.scope, self.titles)
        )
        return [person, scope, *others]

    @cached_property
    def header_buttons(self) -> list[Any]:
        buttons: list[Any] = list(super().header_buttons)
        if self.user_has_permission("add"):
            url = reverse(f"{NAME}:enter")
            buttons.append(HeaderButton(gettext("Enter one by hand"), url=url, icon_name="plus"))
        return buttons


class SuppressionView(generic.InspectView):
    """One suppression: what it stops, why, and since when."""

    template_name = "thankyou_flows/admin/suppression.html"
    page_title = _("Suppression")

    def get_fields(self) -> list[str]:
        """The page has a template of its own."""
        return []

    def get_page_subtitle(self) -> str:
        return short_key(self.object)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs,
            suppression=self.object,
            scope=scope_in_words(self.object.scope, list_titles()),
            meaning=MEANINGS[self.object.reason],
            remove_url=reverse(f"{NAME}:remove", args=[self.object.pk]) if self.user_has_permission("delete") else "",
        )


#: What it means to remove one, by its reason.
MEANINGS: Final[dict[str, Any]] = {
    Suppression.Reason.LEFT: _(
        "This person has unsubscribed. Remove it only if the person has asked you to; signing up again does it by itself."
    ),
    Suppression.Reason.OBJECTED: _(
        "This person does not want follow-ups. Remove it only if the person has told you otherwise, and keep that letter."
    ),
    Suppression.Reason.BOUNCED: _(
        "Mail to this address came back, because it does not exist. Remove it only if you know that it exists now: "
        "mail that comes back hurts the good name of your shop with all mail providers."
    ),
    Suppression.Reason.COMPLAINED: _(
        "This person reported a mail as spam. Remove it only if the person has asked you to: a second report may make "
        "providers refuse the mail of your shop to everybody."
    ),
    Suppression.Reason.ERASED: _(
        "This person asked for erasure. Only this key is left, so that nobody writes to them again. It should stay."
    ),
    Suppression.Reason.MANUAL: _("One of you has entered it by hand."),
}


class SuppressionForm(forms.Form):
    """Whom, and from what. The address is turned into its key, and not kept."""

    email = forms.EmailField(
        label=_("E-mail address"),
        help_text=_("Only a key that recognises the address is kept, not the address itself."),
    )
    scope = forms.ChoiceField(label=_("What shall not be sent"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = [Suppression.MARKETING, Suppression.FOLLOW_UPS]
        titles = dict(MailingList.objects.values_list("slug", "title"))
        scopes += [f"{Suppression.LIST_PREFIX}{slug}" for slug in titles]
        self.fields["scope"].choices = [(scope, scope_in_words(scope, titles)) for scope in scopes]  # type: ignore[attr-defined]


class EnterView(FormPage):
    """Enters somebody who must not get some kind of mail; stops at once what is planned."""

    model = Suppression
    permission_required = "add"
    form_class = SuppressionForm
    header_icon = "no-view"
    page_title = _("Enter somebody by hand")
    submit_label = _("Do not write to them any more")
    explanation = _("What is planned for them is stopped at once. Mails that an order needs still go out.")

    def get_back_url(self) -> str:
        if self.request.user.has_perm("thankyou_flows.view_suppression"):
            return reverse(f"{NAME}:index")
        return reverse("wagtailadmin_home")

    def get_back_label(self) -> str:
        return gettext("Suppressions")

    def form_valid(self, form: SuppressionForm) -> HttpResponse:
        from ..mail.suppression import suppress

        key, scope = customer_key(form.cleaned_data["email"]), form.cleaned_data["scope"]
        if suppress(email_key=key, scope=scope, reason=Suppression.Reason.MANUAL):
            entered = Suppression.objects.get(email_key=key, scope=scope)
            log(instance=entered, action=ADDED, user=self.request.user)
            messages.success(self.request, gettext("It is entered, and holds from now on."))
        else:
            messages.success(self.request, gettext("It was entered already: nothing had to be done."))
        return HttpResponseRedirect(self.get_back_url())


class RemoveView(FormPage):
    """Removes one, after a question that says what it means."""

    model = Suppression
    permission_required = "delete"
    form_class = forms.Form
    header_icon = "bin"
    page_title = _("Remove this suppression")
    submit_label = _("Yes, remove it")
    is_grave = True

    @cached_property
    def suppression(self) -> Suppression:
        return get_object_or_404(Suppression, pk=self.kwargs["pk"])

    def get_explanation(self) -> str:
        scope = scope_in_words(self.suppression.scope, list_titles())
        said = gettext("Not sent to this person: %(scope)s.") % {"scope": scope}
        more = gettext("Removing it gives no consent: whether a mail may be sent is still asked each time.")
        return f"{said} {MEANINGS[self.suppression.reason]} {more}"

    def get_back_url(self) -> str:
        if self.request.user.has_perm("thankyou_flows.view_suppression"):
            return reverse(f"{NAME}:index")
        return reverse("wagtailadmin_home")

    def get_back_label(self) -> str:
        return gettext("Suppressions")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        log(instance=self.suppression, action=REMOVED, user=self.request.user, data={"reason": self.suppression.reason})
        self.suppression.delete()
        messages.success(self.request, gettext("It is removed."))
        return HttpResponseRedirect(self.get_back_url())


class SuppressionViewSet(OnePersonViewSetMixin, ReadOnlyViewSet):
    """Suppressions: to look at, to enter and to remove. Nobody changes one."""

    model = Suppression
    name = NAME
    icon = "no-view"
    menu_label = _("Suppressions")
    index_view_class = SuppressionIndexView
    inspect_view_class = SuppressionView
    filterset_class = SuppressionFilterSet
    list_display: ClassVar = [
        TitleColumn("person", label=_("Key of the address"), accessor=short_key, url_name=f"{NAME}:inspect"),
        Column("get_reason_display", label=_("Why"), sort_key="reason"),
        DateColumn("at", label=_("Since"), sort_key="at"),
    ]

    def get_urlpatterns(self) -> list[URLPattern]:
        return [
            *super().get_urlpatterns(),
            path("enter/", self.construct_view(EnterView), name="enter"),
            path("remove/<int:pk>/", self.construct_view(RemoveView), name="remove"),
        ]
