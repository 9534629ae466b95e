"""Every address of the example site. Wagtail's pages come last, because they take whatever is left."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.images.views.serve import ServeView

urlpatterns = [
    path("thanks/", include("thankyou_flows.urls")),
    path("", include("wishlists.urls")),
    path("coupons/", include("coupons.urls")),
    path("", include("example_site.shop.urls")),
    path("demo/", include("example_site.demo.urls")),
    path("admin/", include(wagtailadmin_urls)),
    path("django-admin/", admin.site.urls),
    path("documents/", include(wagtaildocs_urls)),
    re_path(r"^images/([^/]*)/(\d*)/([^/]*)/[^/]*$", ServeView.as_view(), name="wagtailimages_serve"),
]

if settings.DEBUG or settings.DEMO:
    urlpatterns += [
        path("styleguide/", include("example_site.styleguide")),
        # A real shop lets its web server do this.
        re_path(rf"^{settings.MEDIA_URL.lstrip('/')}(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
    ]

urlpatterns += [path("", include(wagtail_urls))]
