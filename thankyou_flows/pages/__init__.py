"""The ready-made thank-you page type: an optional app, for sites without a page model of their own."""
