"""The documents' shapes, and the Jinja environment that fills them.

Everything that a template prints is made Markdown text on its way out, unless it is `Markdown` already: what is
not said to be safe is escaped. A name that a template misspells is an error, never an empty place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, Undefined

from parity.markdown import Markdown, code, codes, fence, link, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def render_template(
    name: str, fields: Mapping[str, object], filters: Mapping[str, Callable[..., object]] | None = None
) -> str:
    """Return the named template filled with `fields`; `filters` are its own, beside those of Markdown."""
    environment = _environment()
    environment.filters |= filters or {}
    return environment.get_template(name).render(fields)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("templates", package_path=""),
        autoescape=False,  # noqa: S701 - the output is Markdown; _as_markdown escapes it
        undefined=StrictUndefined,
        finalize=_as_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": code, "codes": codes, "fence": fence, "link": link}
    return environment


def _as_markdown(value: object) -> object:
    match value:
        case Markdown() | Undefined():  # a StrictUndefined raises when it is printed
            return value
        case bool() | None:
            raise TypeError(f"a template prints {value!r}: it must say that in words")
        case int():
            return Markdown(value)
        case str():
            return text(value, limit=1000)
        case _:
            raise TypeError(f"a template prints a {type(value).__name__}: {value!r}")
