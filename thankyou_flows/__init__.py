"""The thank-you page and its blocks, offers and opt-ins; and the door to the shop."""
