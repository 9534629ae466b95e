"""One way of shipping, at a price."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from oscar.apps.shipping.methods import FixedPrice
from oscar.apps.shipping.repository import Repository as OscarRepository


class Parcel(FixedPrice):
    code = "parcel"
    name = _("Parcel")
    description = _("At your door in two to three days.")
    charge_excl_tax = Decimal("4.90")
    charge_incl_tax = Decimal("4.90")


class Repository(OscarRepository):
    methods = (Parcel(),)
