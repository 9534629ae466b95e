"""What the shop's people see of this app in the Wagtail admin."""
