"""Template tags for the layout of mails."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from ..mail.inlining import inline

register = template.Library()


@register.simple_block_tag
def inline_styles(content: str) -> SafeString:
    """Write the style sheets of a whole HTML document into its lines, as mail programs want them. So every mail whose
    template extends the layout is sent that way, whoever renders it.
    """
    return mark_safe(inline(content))  # noqa: S308  the document was escaped when it was rendered
