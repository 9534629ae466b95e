"""The site's own layout, in which our pages stand: its ``base.html``, or the one that the store adapter brings."""

from __future__ import annotations

from typing import Any

from django.template import Context, Template, TemplateDoesNotExist
from django.template.base import NodeList
from django.template.loader import get_template
from django.template.loader_tags import BlockNode, ExtendsNode

from .stores import get_store

#: What our pages fill of the layout.
NEEDED_BLOCKS = frozenset({"title", "extra_head", "content"})
SITE_TEMPLATE = "base.html"


def find_base_template() -> str:
    """Return the name of the layout. Raises TemplateDoesNotExist if the site has none and the store brings none."""
    try:
        get_template(SITE_TEMPLATE)
    except TemplateDoesNotExist:
        own = get_store().base_template
        if not own:
            raise
        get_template(own)
        return own
    return SITE_TEMPLATE


def is_replaced() -> bool:
    """Tell whether the site brings a ``thankyou_flows/base.html`` of its own, which knows its way around."""
    nodes = _nodes_of("thankyou_flows/base.html")
    # Ours, asked without a flow, falls back to the usual name.
    return nodes is None or _parent_of(nodes) != SITE_TEMPLATE


def missing_blocks(name: str) -> set[str]:
    """Return the blocks that we need and a layout lacks; empty for one of another template engine."""
    found: set[str] = set()
    parent: str | None = name
    while parent is not None:
        nodes = _nodes_of(parent)
        if nodes is None:
            return set()
        found |= {block.name for block in nodes.get_nodes_by_type(BlockNode) if isinstance(block, BlockNode)}
        parent = _parent_of(nodes)
    return set(NEEDED_BLOCKS - found)


def _nodes_of(name: str) -> NodeList | None:
    template = getattr(get_template(name), "template", None)
    return template.nodelist if isinstance(template, Template) else None


def _parent_of(nodes: NodeList) -> str | None:
    for node in nodes.get_nodes_by_type(ExtendsNode):
        # django-stubs take a filter expression for a node.
        parent: Any = getattr(node, "parent_name", None)
        name = parent.resolve(Context())
        return name if isinstance(name, str) and name else None
    return None
