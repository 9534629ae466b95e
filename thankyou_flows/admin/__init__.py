"""The owner's screens in the Wagtail admin: mail, lists, and what is known of a person."""
