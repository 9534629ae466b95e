"""Views: they parse, call a verb, and answer."""
