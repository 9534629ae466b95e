"""Oscar's catalogue pages ask a search engine even to list everything. This one asks the product table.

A real shop has Solr, Elasticsearch or Whoosh here; a demo that needs one more service would not be tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Q
from haystack.backends import SearchNode
from haystack.backends.simple_backend import SimpleEngine, SimpleSearchBackend, SimpleSearchQuery
from haystack.models import SearchResult
from oscar.core.loading import get_model

ORDERS = {"title_exact": "title", "date_created": "date_created", "price": "stockrecords__price", "rating": "rating"}


class TableBackend(SimpleSearchBackend):
    def search(
        self,
        query: list[tuple[str, Any]],
        *,
        start_offset: int = 0,
        end_offset: int | None = None,
        sort_by: list[str] | None = None,
        result_class: type[SearchResult] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        products = get_model("catalogue", "Product").objects.browsable().base_queryset()
        for field, value in query:
            if field == "category":
                products = products.filter(categories__in=value)
            elif field == "content":
                for word in str(getattr(value, "query_string", value)).split():
                    products = products.filter(Q(title__icontains=word) | Q(description__icontains=word))
        order = [f"-{ORDERS[name[1:]]}" if name[0] == "-" else ORDERS[name] for name in sort_by or ()]
        products = products.order_by(*order, "pk")
        found = [self._result(product, result_class or SearchResult) for product in products[start_offset:end_offset]]
        return {"results": found, "hits": products.count()}

    def _result(self, product: Any, result_class: type[SearchResult]) -> SearchResult:
        result = result_class(product._meta.app_label, product._meta.model_name, product.pk, 0)
        result._object = product
        result._model = type(product)
        return result


class TableQuery(SimpleSearchQuery):
    def build_query(self) -> list[tuple[str, Any]]:
        return list(self._conditions(self.query_filter))

    def _conditions(self, node: SearchNode) -> Iterator[tuple[str, Any]]:
        for child in node.children:
            if isinstance(child, SearchNode):
                yield from self._conditions(child)
            else:
                expression, value = child
                yield expression.partition("__")[0], value


class TableEngine(SimpleEngine):
    backend = TableBackend
    query = TableQuery
