"""The example shop's URLs, with Anymail's webhooks."""

from __future__ import annotations

from django.urls import include, path

from example_site.urls import urlpatterns as shop

urlpatterns = [path("anymail/", include("anymail.urls")), *shop]
