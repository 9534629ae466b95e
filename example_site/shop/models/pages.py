"""The pages that editors write: home, categories and products. Prices and stock are not here, they are the shop's."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail import blocks
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.images import get_image_model_string
from wagtail.images.views.serve import generate_image_url
from wagtail.models import Orderable, Page

from .catalogue import Category, Product

RICH_TEXT = ["bold", "italic", "link", "ol", "ul"]


class FactBlock(blocks.StructBlock):
    """One line of a product's details: "Origin: Uji, Japan"."""

    label = blocks.CharBlock(max_length=60, label=_("What"), help_text=_("For example: Origin"))
    value = blocks.CharBlock(max_length=200, label=_("Value"), help_text=_("For example: Uji, Japan"))

    class Meta:
        icon = "list-ul"


class ProductStory(blocks.StreamBlock):
    """What can be written about a product."""

    text = blocks.RichTextBlock(features=RICH_TEXT, label=_("Text"), icon="pilcrow")
    facts = blocks.ListBlock(FactBlock(), label=_("Details"), icon="list-ul", template="shop/blocks/facts.html")
    note = blocks.CharBlock(
        max_length=280,
        label=_("Note from us"),
        help_text=_("A sentence from the people behind the counter."),
        icon="openquote",
        template="shop/blocks/note.html",
    )


def picture_url(image: Any) -> str:
    """Return the address of a picture in shop size, without a query. Drawings are served as they are."""
    if image is None:
        return ""
    return str(image.file.url if image.is_svg() else generate_image_url(image, "fill-800x800"))


class HomePage(Page):
    """The shop window."""

    headline = models.CharField(_("headline"), max_length=120)
    lead = models.CharField(_("sentence below it"), max_length=280, blank=True)
    button_text = models.CharField(_("button"), max_length=40, default=_("Look around"))
    image = models.ForeignKey(
        get_image_model_string(), on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("picture"),
    )  # fmt: skip
    intro = RichTextField(_("introduction"), features=RICH_TEXT, blank=True)

    content_panels = [
        *Page.content_panels,
        MultiFieldPanel(
            [FieldPanel("headline"), FieldPanel("lead"), FieldPanel("button_text"), FieldPanel("image")],
            heading=_("Top of the page"),
        ),
        FieldPanel("intro"),
        InlinePanel("featured_products", label=_("Featured product"), heading=_("Featured products"), max_num=8),
    ]
    parent_page_types = ["wagtailcore.Page"]
    template = "shop/home_page.html"

    class Meta:
        verbose_name = _("home page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        refs = [item.product_id for item in self.featured_products.all()]
        found = Product.objects.for_sale().with_pages().in_bulk(refs)
        context["products"] = [found[ref] for ref in refs if ref in found]
        context["category_pages"] = CategoryPage.objects.child_of(self).live().select_related("category", "image")
        return context

    @property
    def image_url(self) -> str:
        return picture_url(self.image)


class FeaturedProduct(Orderable):
    """A product in the shop window."""

    page = ParentalKey(HomePage, on_delete=models.CASCADE, related_name="featured_products")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", verbose_name=_("product"))

    panels = [FieldPanel("product")]

    def __str__(self) -> str:
        return str(self.product)


class CategoryPage(Page):
    """A shelf: its products, with some words above them."""

    category = models.OneToOneField(Category, on_delete=models.PROTECT, related_name="page", verbose_name=_("category"))
    intro = models.CharField(_("introduction"), max_length=400, blank=True)
    image = models.ForeignKey(
        get_image_model_string(), on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("picture"),
    )  # fmt: skip

    content_panels = [*Page.content_panels, FieldPanel("category"), FieldPanel("intro"), FieldPanel("image")]
    parent_page_types = ["shop.HomePage"]
    subpage_types = ["shop.ProductPage"]
    template = "shop/category_page.html"

    class Meta:
        verbose_name = _("category page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        # One that has no published page cannot be opened, so it is not shown.
        context["products"] = self.category.products.for_sale().with_pages().filter(page__live=True)
        return context

    @property
    def image_url(self) -> str:
        return picture_url(self.image)


class ProductPage(Page):
    """What is said about a product, and its picture."""

    product = models.OneToOneField(Product, on_delete=models.PROTECT, related_name="page", verbose_name=_("product"))
    image = models.ForeignKey(
        get_image_model_string(), on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("picture"),
    )  # fmt: skip
    image_alt = models.CharField(
        _("description of the picture"),
        max_length=200,
        blank=True,
        help_text=_("For people who do not see it: “Green leaves in an open tin”."),
    )
    story = StreamField(ProductStory(), blank=True, verbose_name=_("about it"))

    content_panels = [
        *Page.content_panels,
        FieldPanel("product", help_text=_("Its name, price and stock are changed under Shop › Products.")),
        MultiFieldPanel([FieldPanel("image"), FieldPanel("image_alt")], heading=_("Picture")),
        FieldPanel("story"),
    ]
    parent_page_types = ["shop.CategoryPage"]
    subpage_types: list[str] = []
    template = "shop/product_page.html"

    class Meta:
        verbose_name = _("product page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        # Loaded with the picture in one query; the page itself carries neither price nor stock.
        product = Product.objects.with_pages().get(pk=self.product_id)
        context["product"] = product
        context["others"] = (
            Product.objects.for_sale()
            .with_pages()
            .filter(category_id=product.category_id, page__live=True, stock__gt=0)
            .exclude(pk=product.pk)[:4]
        )
        return context

    @property
    def image_url(self) -> str:
        return picture_url(self.image)
