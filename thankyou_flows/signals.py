"""What this app announces. All are sent with ``send_robust`` after the transaction is committed.

order_recorded       sender=OrderRecord, record, order: an order was seen for the first time.
order_state_changed  sender=OrderRecord, record, order, old_state, new_state.
subscription_confirmed  sender=Subscription, subscription: an address joined a list.
contact_left         sender=Suppression, email_key, scope, message_key: somebody unsubscribed, objected, or erased themselves.
sign_ups_suspected   sender=Message, count, seconds: more confirmation mails in an hour than CONFIRMATIONS_PER_HOUR (EM-3).
"""

from __future__ import annotations

from django.dispatch import Signal

order_recorded = Signal()
order_state_changed = Signal()
subscription_confirmed = Signal()
contact_left = Signal()
sign_ups_suspected = Signal()
