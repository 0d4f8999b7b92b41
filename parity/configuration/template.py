"""Text and regular expressions with fields in braces, as parity.toml writes them.

Only `{name}` with a known name is a field; any other brace stands for itself, so that `a{2,3}` needs no
quoting in a regular expression.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import GetPydanticSchema
from pydantic_core import PydanticCustomError, core_schema

from parity.errors import did_you_mean, nearest_names

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Final = {
    "test": "the test's name, as listed",
    "TEST": "the same in capitals",
    "tests": "the names of all chosen tests, separated by commas (suite only)",
    "path": "the test's path in the guest (tests.path)",
    "nonce": "the random word of this attempt",
    "arch": "the target's architecture",
    "target": "the target's name",
    "disk": "the attempt's own copy of the target's first disk (prepare steps only)",
}
"""The fields that templates may use, each with its meaning."""

_FIELD: Final = re.compile(r"\{([A-Za-z_]+)\}")


def fill(template: str, fields: Mapping[str, str]) -> str:
    """Return `template` with each known `{field}` replaced; a field without a value stays as it is."""
    return _FIELD.sub(lambda match: fields.get(match[1], match[0]), template)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression with fields; `^` and `$` match at line ends."""

    source: str

    def compile(self, fields: Mapping[str, str]) -> re.Pattern[str]:
        """Return the expression with the fields' values in it, each matching itself alone."""
        filled = _FIELD.sub(
            lambda match: re.escape(fields[match[1]]) if match[1] in fields else match[0], self.source
        )
        return re.compile(filled, re.MULTILINE)

    def anywhere(self) -> re.Pattern[str]:
        """Return the expression with every field matching any word: for logs whose attempt is unknown."""
        return re.compile(_FIELD.sub(lambda m: r"\S+" if m[1] in FIELDS else m[0], self.source), re.MULTILINE)


def _check_fields(source: str) -> None:
    for name in _FIELD.findall(source):
        if name not in FIELDS:
            hint = did_you_mean(nearest_names(name, FIELDS)) or f"known fields: {', '.join(FIELDS)}"
            raise PydanticCustomError(
                "unknown_field", "no field is called {name}", {"name": f"{{{name}}}", "hint": hint}
            )


def _parse_pattern(source: str) -> Pattern:
    _check_fields(source)
    pattern = Pattern(source)
    try:
        compiled = _compile_strictly(pattern)
    except re.error as error:
        where = f" at position {error.pos}" if error.pos is not None else ""
        raise _bad_pattern(f"{error.msg}{where}") from error
    except (FutureWarning, OverflowError, RecursionError) as error:
        raise _bad_pattern(str(error)) from error
    if compiled.search("") is not None:
        raise PydanticCustomError("empty_pattern", "the pattern matches empty text, so it would match always")
    return pattern


def _compile_strictly(pattern: Pattern) -> re.Pattern[str]:
    """Compile, and take for a fault what a later Python would read otherwise: `[[a]` needs a backslash."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        return pattern.compile(dict.fromkeys(FIELDS, "x"))


def _bad_pattern(reason: str) -> PydanticCustomError:
    return PydanticCustomError("bad_pattern", "the pattern does not compile: {reason}", {"reason": reason})


def _parse_template(source: str) -> str:
    _check_fields(source)
    return source


def _schema_after_text(parse: Any) -> GetPydanticSchema:  # pydantic's hook is untyped here
    return GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_after_validator_function(
            parse, core_schema.str_schema(strict=True)
        )
    )


PatternField = Annotated[Pattern, _schema_after_text(_parse_pattern)]
"""A `Pattern`, validated from text."""
TemplateField = Annotated[str, _schema_after_text(_parse_template)]
"""Text whose fields are known, to be filled later."""
