"""From pydantic's account of a fault to parity's: the key as the user wrote it, the problem, the nearest name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from parity.errors import ConfigurationError, did_you_mean, nearest_names
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

_DELIVERY_KINDS: Final = ("shell", "boot-arg", "image", "suite", "process")
_NO_TABLE: Final = {"model_type", "model_attributes_type", "dict_type"}
_NO_LIST: Final = {"tuple_type"}


def translate_fault(file: Path, raw: Mapping[str, Any], error: ErrorDetails) -> ConfigurationError:
    """Return the `ConfigurationError` for one of pydantic's; `raw` is the file's content before merging."""
    context = error.get("ctx", {})
    problem, hint = describe_fault(error)
    path = _without_union_tag([str(part) for part in error["loc"] if part != "[key]"])
    if error["type"].startswith("union_tag"):
        path.append("kind")
    elif "key" in context:
        path.append(str(context["key"]))
    return ConfigurationError(file=file, key=".".join(_as_written(raw, path)), problem=problem, hint=hint)


def check_known(file: Path, prefix: str, keys: Iterable[str], known: Iterable[str]) -> None:
    """Raise `ConfigurationError` for the first key that is not known."""
    known = sorted(known)
    for key in keys:
        if key not in known:
            raise ConfigurationError(
                file=file, key=f"{prefix}{key}", problem="unknown key", hint=offer(key, known, "known keys")
            )


def offer(name: str, known: Iterable[str], label: str) -> str:
    """Return the hint for a wrong name: the nearest right ones, or all of them."""
    known = tuple(known)
    return did_you_mean(nearest_names(name, known)) or f"{label}: {', '.join(known)}"


def describe_fault(error: ErrorDetails) -> tuple[str, str | None]:
    """Return what is wrong, and what to do about it."""
    kind, given = error["type"], error["input"]
    hint: str | None = error.get("ctx", {}).get("hint")
    match kind:
        case "missing":
            return "is missing", hint
        case "unknown_key":
            return "unknown key", hint
        case "union_tag_not_found":
            return "is missing", f"known kinds: {', '.join(_DELIVERY_KINDS)}"
        case "union_tag_invalid":
            wrong = str(given.get("kind"))
            return f"no kind of delivery is called {_shown(wrong)}", offer(
                wrong, _DELIVERY_KINDS, "known kinds"
            )
        case _ if kind in _NO_TABLE:
            problem = "must be a table"
        case _ if kind in _NO_LIST:
            problem = "must be a list"
        case _:
            problem = error["msg"][:1].lower() + error["msg"][1:]
    return problem if isinstance(given, dict | list) else f"{problem} (got {_shown(given)})", hint


def _shown(given: object) -> str:
    return printable_line(repr(given), limit=80)


def _without_union_tag(path: Sequence[str]) -> list[str]:
    """Drop the delivery's kind, which pydantic puts between `target.NAME.delivery` and its key."""
    if len(path) > 3 and path[0] == "target" and path[2] == "delivery" and path[3] in _DELIVERY_KINDS:
        return [*path[:3], *path[4:]]
    return list(path)


def _as_written(raw: Mapping[str, Any], path: list[str]) -> list[str]:
    """Return the key under `[defaults]` where it, or the table that lacks it, stands there alone."""
    inherited = ["defaults", *path[2:]]
    if path[:1] != ["target"] or len(path) < 3 or _has(raw, path):
        return path
    table_is_inherited = len(path) > 3 and not _has(raw, path[:-1]) and _has(raw, inherited[:-1])
    return inherited if _has(raw, inherited) or table_is_inherited else path


def _has(raw: object, path: Iterable[str]) -> bool:
    for part in path:
        if isinstance(raw, dict) and part in raw:
            raw = raw[part]
        elif isinstance(raw, list) and part.isdecimal() and int(part) < len(raw):
            raw = raw[int(part)]
        else:
            return False
    return True
