"""The form of a campaign: its fields, and what they mean together."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import MinValueValidator
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from djmoney.settings import CURRENCY_CHOICES
from wagtail.admin.forms import WagtailAdminModelForm

from ..arithmetic import minor_unit
from ..catalog import get_catalog
from ..models import Campaign
from ..models.questions import repeated_places
from ..models.rules import find_zone
from .choosing import Boxes, Choice, Dots, LinesField, Module, RefField, RefsField, country_choices
from .dates import WallClockField, is_real, to_instant, to_wall, zone_choices

#: So many products are shown at once; the rest is found by name.
PRODUCTS_SHOWN = 200
PRODUCT_FIELDS = ("products_in", "products_out")
CATEGORY_FIELDS = ("categories_in", "categories_out")
DATE_FIELDS = ("starts_at", "ends_at")
#: Whole numbers of 1 or more; the column says so in words.
COUNTS = ("deadline_minutes", "total_limit", "limit_per_customer", "uses_per_coupon")


class CampaignForm(WagtailAdminModelForm):
    """Amounts with the decimals of their currency, dates on the wall clock of a zone (CD-7), products, categories and
    countries by their names.
    """

    class Media:
        js = (Module("thankyou_coupons/admin/campaign-form.js"),)
        css = {"all": ("thankyou_coupons/admin/admin.css",)}

    starts_at = WallClockField(required=False)
    ends_at = WallClockField(required=False)
    zone = forms.ChoiceField()
    countries = RefsField()
    currency = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The end as it is stored: checking the form moves the one of the instance.
        self.stored_end: datetime | None = self.instance.ends_at
        self._show_amounts()
        self._show_counts()
        self._show_dates()
        self._offer_choices()

    def _describe(self, name: str) -> None:
        """Give a field that is declared here, or made anew, the words of its column."""
        field, column = self.fields[name], Campaign._meta.get_field(name)
        field.label = column.verbose_name[:1].upper() + column.verbose_name[1:]  # type: ignore[union-attr]
        field.help_text = field.help_text or column.help_text  # type: ignore[union-attr]
        if isinstance(field.widget, Boxes | Dots):
            field.widget.label = str(field.label)

    def _show_amounts(self) -> None:
        for name in {"amount", "minimum_spend"} & self.fields.keys():
            if money := getattr(self.instance, name):
                code = money.currency.code
                self.initial[name] = [money.amount.quantize(minor_unit(code)), code]

        if self.instance.percent is not None and "percent" in self.fields:
            percent = f"{self.instance.percent:f}"
            self.initial["percent"] = percent.rstrip("0").rstrip(".") if "." in percent else percent

    def _show_counts(self) -> None:
        """Leave the smallest number to the column: Django's form would say "0 or more" first, which is not true."""
        for name in COUNTS:
            if field := self.fields.get(name):
                field.validators = [check for check in field.validators if not isinstance(check, MinValueValidator)]
                field.widget.attrs["min"] = 1

    def _show_dates(self) -> None:
        zone = find_zone(self.instance.zone)
        for name in DATE_FIELDS:
            self._describe(name)
            stored = getattr(self.instance, name)
            if stored is not None and zone is not None:
                self.initial[name] = to_wall(stored, zone).replace(second=0, microsecond=0)
        # What is stored comes before it. The active zone is the site's, or the one that the member of staff has chosen.
        preset = timezone.get_current_timezone_name()
        self.fields["zone"].initial = preset if find_zone(preset) else self.instance.zone
        self.fields["zone"].choices = zone_choices(self.instance.zone, self.fields["zone"].initial)
        self.fields["zone"].help_text = _("The dates above are the time on a clock there.")
        self._describe("zone")

    def _offer_choices(self) -> None:
        self.fields["countries"].offer(country_choices(), stored=self.instance.countries)
        currencies = dict(CURRENCY_CHOICES or ())
        stored = self.instance.currency
        if stored and stored not in currencies:
            currencies[stored] = stored
        self.fields["currency"].choices = [("", _("All currencies")), *currencies.items()]
        self.fields["currency"].help_text = _("Choose one if the coupon is only for orders in this currency.")
        for name in ("countries", "currency"):
            self._describe(name)
        self._offer_catalog()

    def _offer_catalog(self) -> None:
        """Products and categories by name where the shop tells them, otherwise references, one a line."""
        catalog = get_catalog()
        categories = list(catalog.get_categories()) if catalog else []
        products = list(catalog.search_products(limit=PRODUCTS_SHOWN)) if catalog else []
        for name in CATEGORY_FIELDS:
            self._offer(name, categories)
        for name in (*PRODUCT_FIELDS, "free_product_ref"):
            self._offer(name, products, has_more=len(products) >= PRODUCTS_SHOWN)

    def _offer(self, name: str, choices: list[Choice], *, has_more: bool = False) -> None:
        is_one = name == "free_product_ref"
        if choices:
            field: Any = RefField() if is_one else RefsField()
            stored = [getattr(self.instance, name)] if is_one else list(getattr(self.instance, name))
            if self.is_bound and has_more:
                stored += [ref for ref in self._posted(name, field) if ref not in stored]
            field.offer(choices, stored=stored, has_more=has_more)
            if has_more:
                field.widget.search_url = reverse("thankyou_coupons_campaign:products")
            self.fields[name] = field
        elif not is_one:
            self.fields[name] = LinesField(help_text=_("The references your shop uses, one in each line."))
        self._describe(name)

    def _posted(self, name: str, field: forms.Field) -> list[str]:
        value = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        return [value] if isinstance(value, str) else list(value or ())

    def clean(self) -> dict[str, Any]:
        """Turn the dates into instants, drop what the form hides, and say what does not go together."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned.update({name: value for name, value in self._hidden(cleaned) if name in cleaned})
        self._clean_dates(cleaned)
        self._clean_questions(cleaned)
        return cleaned

    @staticmethod
    def _hidden(cleaned: dict[str, Any]) -> list[tuple[str, Any]]:
        """Return what is not asked for this kind of codes, empty: it may be left from another choice."""
        if cleaned.get("code_type") == Campaign.CodeType.WORD:
            return [("personal", False), ("deadline_minutes", None), ("uses_per_coupon", 1)]
        return [("word", ""), ("is_unlimited", False)] if "code_type" in cleaned else []

    def _clean_dates(self, cleaned: dict[str, Any]) -> None:
        zone = find_zone(cleaned.get("zone", ""))
        for name in DATE_FIELDS:
            wall = cleaned.get(name)
            if wall is None:
                continue
            if zone is None:
                # The zone has its message; without one the time says nothing.
                del cleaned[name]
            elif not is_real(wall, zone):
                self.add_error(name, self.fields[name].error_messages["not_real"])
            else:
                cleaned[name] = self._kept(name, wall, zone.key) or to_instant(wall, zone, ends=name == "ends_at")

    def _kept(self, name: str, wall: datetime, zone: str) -> datetime | None:
        """Return the stored instant if nobody touched it: its seconds, and which of two equal hours it is, stay."""
        stored: datetime | None = getattr(self.instance, name)
        return stored if zone == self.initial.get("zone") and wall == self.initial.get(name) else None

    def _clean_questions(self, cleaned: dict[str, Any]) -> None:
        formset = self.formsets.get("questions")
        if formset is None:
            return
        asked = [form for form in formset.forms if self._is_filled(form) and not form["DELETE"].data]
        if asked and cleaned.get("code_type") == Campaign.CodeType.WORD:
            self.add_error(
                "code_type",
                gettext(
                    "A public word is everybody’s, so it cannot wait for one customer’s answers. "
                    "Choose single codes, or remove the questions."
                ),
            )
        # Checked now: only then an error can be added to what stands there.
        formset.is_valid()
        labelled = [form for form in asked if "label" not in form.errors]
        for place in repeated_places(form["label"].value() for form in labelled):
            text = gettext("This question has the words of another one: the customer would be asked only once.")
            labelled[place].add_error("label", text)

    @staticmethod
    def _is_filled(form: Any) -> bool:
        return form.instance.pk is not None or form.has_changed()
