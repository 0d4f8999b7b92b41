"""The fields of one entry's front matter: what each must be, with the line of whatever is not."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

import yaml

from parity.errors import PlanFault, did_you_mean, nearest_names
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_LINE: Final = 300
_MOST_WORDS: Final = 1000
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,10}", re.ASCII)
_NULL: Final = "tag:yaml.org,2002:null"


class Fields:
    """What a front matter says; each faulty field is recorded, and reads as None."""

    def __init__(self, mapping: yaml.MappingNode, *, file: str, offset: int) -> None:
        """Take a composed mapping; `offset` is the number of lines before it."""
        self.file = file
        self.faults: list[PlanFault] = []
        self.lines: dict[str, int] = {}
        self._offset = offset
        self._nodes: dict[str, yaml.Node] = {}
        for key, value in mapping.value:
            self._add(key, value)

    def fault(self, name: str, problem: str, *, hint: str | None = None) -> None:
        """Record what is wrong with a field, at its line."""
        self.faults.append(PlanFault(self.file, self.lines.get(name, 1), problem, hint=hint))

    def refuse_others(self, known: Sequence[str]) -> None:
        """Record a fault for every field that is not known."""
        for name in self._nodes:
            if name not in known:
                hint = did_you_mean(nearest_names(name, known)) or f"known fields: {', '.join(known)}"
                self.fault(name, f"unknown field {_shown(name)}", hint=hint)

    def line(self, name: str, *, optional: bool = False) -> str | None:
        """Return a field that is one line of text."""
        text = self._scalar(name, optional=optional)
        if text is None:
            return None
        line = " ".join(text.split())
        if not line or len(line) > _LONGEST_LINE:
            problem = f"is longer than {_LONGEST_LINE} characters" if line else "is empty"
            self.fault(name, f"{name} {problem}")
            return None
        return line

    def identifier(self, name: str, *, optional: bool = False) -> str | None:
        """Return a field that is an id."""
        return self._matching(
            name, _IDENTIFIER, "is no id: letters, digits, and . _ - inside", optional=optional
        )

    def integer(self, name: str, *, low: int, high: int, optional: bool = False) -> int | None:
        """Return a field that is a whole number between two others."""
        text = self._matching(name, _INTEGER, "is no whole number", optional=optional)
        if text is None:
            return None
        if not low <= int(text) <= high:
            self.fault(name, f"{name} is not between {low} and {high} (got {text})")
            return None
        return int(text)

    def date(self, name: str) -> date | None:
        """Return a field that is a day."""
        text = self._matching(name, _DAY, "is no date such as 2026-11-21")
        try:
            return date.fromisoformat(text) if text is not None else None
        except ValueError:
            self.fault(name, f"there is no {name} {text}")
            return None

    def choice(self, name: str, choices: Sequence[str], *, optional: bool = False) -> str | None:
        """Return a field that is one of a few words."""
        text = self._scalar(name, optional=optional)
        if text is None or text in choices:
            return text
        hint = did_you_mean(nearest_names(text, choices)) or f"known: {', '.join(choices)}"
        self.fault(name, f"no {name} is called {_shown(text)}", hint=hint)
        return None

    def words(self, name: str, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return a table of lists of words; a word alone is a list of one, and what is wrong is left out."""
        node = self._nodes.get(name)
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode) or not node.value:
            self.fault(name, f"{name} must have fields", hint=f"known: {', '.join(keys)}")
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for key, value in node.value:
            label = key.value if isinstance(key, yaml.ScalarNode) else ""
            self.lines.setdefault(f"{name}.{label}", self._line_of(key))
            if label not in keys or label in found:
                problem = "stands twice" if label in found else f"unknown field {_shown(label)} in {name}"
                self.fault(f"{name}.{label}", problem, hint=f"known: {', '.join(keys)}")
            else:
                found[label] = self._list(f"{name}.{label}", value)
        return found

    def _list(self, name: str, node: yaml.Node) -> tuple[str, ...]:
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        words = [" ".join(item.value.split()) for item in items if isinstance(item, yaml.ScalarNode)]
        if len(words) != len(items) or not words or not all(words) or len(words) > _MOST_WORDS:
            self.fault(name, f"{name} must be a list of words", hint="such as [one, two]")
            return ()
        return tuple(words)

    def _matching(
        self, name: str, pattern: re.Pattern[str], problem: str, *, optional: bool = False
    ) -> str | None:
        text = self._scalar(name, optional=optional)
        if text is None or pattern.fullmatch(text):
            return text
        self.fault(name, f"{name} {problem} (got {_shown(text)})")
        return None

    def _scalar(self, name: str, *, optional: bool) -> str | None:
        node = self._nodes.get(name)
        if node is None:
            if not optional:
                self.fault(name, f"{name} is missing")
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
            self.fault(name, f"{name} must be one value")
            return None
        return str(node.value)

    def _add(self, key: yaml.Node, value: yaml.Node) -> None:
        line = self._line_of(key)
        if not isinstance(key, yaml.ScalarNode):
            self.faults.append(PlanFault(self.file, line, "a field's name must be one word"))
        elif key.value in self._nodes:
            self.faults.append(PlanFault(self.file, line, f"{_shown(key.value)} stands twice"))
        else:
            self.lines[key.value] = line
            self._nodes[key.value] = value

    def _line_of(self, node: yaml.Node) -> int:
        return int(self._offset + node.start_mark.line + 1)


def _shown(text: str) -> str:
    return printable_line(repr(text), limit=80)
