"""A timeline as one HTML page that needs nothing else: no network, no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATE: Final = "trace.html.j2"


def render_trace_page(data: Mapping[str, Any]) -> str:
    """Return the page for `gdb.trace.timeline_page.timeline_page_data`; the same data give the same bytes.

    Whatever the guest wrote stays text: the template escapes for HTML, and what its script reads is JSON in which
    nothing can end the element that holds it.
    """
    environment = Environment(
        loader=PackageLoader("templates", package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(data)
