"""For what a shop, or a service that it uses, knows of a person beside our models.

person_export_requested  sender=Person, person, now: answer with a dict that JSON can hold. It is put into the export under
                         the receiver's module and name. A receiver that raises breaks the export: half of it would pass
                         for all of it.
person_erased            sender=Person, person, now: sent with ``send_robust`` after the erasure is committed. ``person``
                         holds the address, so that other services can be asked to erase it too.

Rows of the shop's own database are better registered (``privacy.registry.register``): they are then erased in the same
transaction.
"""

from __future__ import annotations

from django.dispatch import Signal

person_export_requested = Signal()
person_erased = Signal()
