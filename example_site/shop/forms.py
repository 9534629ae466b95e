"""The forms of the shop: checkout, another try at paying, accounts."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from thankyou_flows.models import ConsentReceipt
from thankyou_flows.newsletter.forms import NewsletterBox
from thankyou_flows.values import Objection

from .countries import ShippingCountries
from .payment_methods import PaymentMethod
from .placing import Customer
from .shipping import ShippingMethod

REQUIRED = "required"


class CheckoutForm(NewsletterBox, forms.Form):
    """Everything that the one page of the checkout asks for."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("For the order confirmation and news about this parcel."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={REQUIRED: _("Please tell us your e-mail address, so that we can send the confirmation.")},
    )
    name = forms.CharField(
        label=_("Full name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={REQUIRED: _("Please tell us who the parcel is for.")},
    )
    street = forms.CharField(
        label=_("Street and number"),
        max_length=160,
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
        error_messages={REQUIRED: _("Please tell us the street and the number.")},
    )
    street_extra = forms.CharField(
        label=_("Apartment, floor, company"),
        max_length=160,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    postcode = forms.CharField(
        label=_("Postcode"),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "autocapitalize": "characters"}),
        error_messages={REQUIRED: _("Please tell us the postcode.")},
    )
    city = forms.CharField(
        label=_("Town or city"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
        error_messages={REQUIRED: _("Please tell us the town or city.")},
    )
    country = forms.ChoiceField(
        label=_("Country"),
        choices=lambda: list(ShippingCountries()),
        initial="DE",
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("Only if the carrier cannot find you."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    shipping_method = forms.ChoiceField(
        label=_("Shipping"), choices=ShippingMethod, initial=ShippingMethod.STANDARD, widget=forms.RadioSelect
    )
    payment_method = forms.ChoiceField(
        label=_("Payment"), choices=PaymentMethod, initial=PaymentMethod.CARD, widget=forms.RadioSelect
    )
    #: The offer to object, at the moment when the address is given (EM-11). Unticked: the customer has nothing to do.
    no_follow_ups = forms.BooleanField(
        label=_("No tips and offers after my order, please"),
        required=False,
        widget=forms.CheckboxInput(attrs={"aria-describedby": "follow-ups"}),
    )
    # The browser must not bring an old one back after a reload: it would name an order that exists already.
    token = forms.UUIDField(widget=forms.HiddenInput(attrs={"autocomplete": "off"}), initial=uuid.uuid4)
    #: What the page showed as the total; written by the template, since it is today's and not what was sent.
    seen_total = forms.DecimalField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            for name in self.errors:
                if name in self.fields:
                    self.fields[name].widget.attrs["aria-invalid"] = "true"

    @property
    def objection(self) -> Objection:
        """Whether the customer wants no tips and offers after this order."""
        return Objection.USED if self.cleaned_data["no_follow_ups"] else Objection.OFFERED

    def customer(self) -> Customer:
        """Return who orders; call only if the form is valid."""
        names = Customer.__dataclass_fields__
        return Customer(**{name: self.cleaned_data[name] for name in names})


class LetterForm(NewsletterBox):
    """The newsletter on the account's page: a button is the box that is ticked."""

    newsletter_method = ConsentReceipt.Method.ACCOUNT
    newsletter_source = "account"


class RetryForm(forms.Form):
    """Another try at paying, perhaps in another way."""

    payment_method = forms.ChoiceField(
        label=_("Payment"), choices=PaymentMethod, initial=PaymentMethod.CARD, widget=forms.RadioSelect
    )


class LoginForm(AuthenticationForm):
    """Logging in by e-mail address."""

    error_messages = {
        "invalid_login": _("This e-mail address and this password do not belong together. Please check both."),
        "inactive": _("This account is closed."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        # Not type="email": the demo's staff log in by name.
        self.fields["username"].widget.attrs.update({"autocomplete": "username", "inputmode": "email"})

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()


class RegistrationForm(forms.Form):
    """Opening an account: an e-mail address and a password, no more."""

    email = forms.EmailField(
        label=_("E-mail"), max_length=150, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        required=False,
        help_text=_("What we may call you."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 8 characters. A few words that only you would put together are best."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if get_user_model().objects.filter(username=email).exists():
            raise ValidationError(_("There is an account with this e-mail address already. You can log in instead."))
        return email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password" in data:
            try:
                password_validation.validate_password(data["password"], get_user_model()(email=data.get("email", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return data

    def save(self) -> AbstractUser:
        """Create the account. The address is its user name, too."""
        data = self.cleaned_data
        first, _space, last = data["name"].partition(" ")
        user: AbstractUser = get_user_model().objects.create_user(
            username=data["email"], email=data["email"], password=data["password"], first_name=first, last_name=last
        )
        return user
