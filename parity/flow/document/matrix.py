"""The rows of `[[matrix]]`, counted in the files beside parity.toml."""

from __future__ import annotations

import os
import re
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from parity.configuration import fill
from parity.document.matrix import Counted
from parity.errors import ConfigurationError, UsageError
from parity.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from parity.configuration import Configuration
    from parity.configuration.matrix import MatrixRow

_MOST_FILES: Final = 200_000
"""In one folder and below; more are a wrong folder."""
_MOST_BYTES: Final = 4 * 1024 * 1024
"""Read of one file."""
_LONGEST_ITEM: Final = 200
_WILD: Final = re.compile(r"[*?\[]")
_LEFT_OUT: Final = frozenset({".git", ".parity", ".venv", "__pycache__", "node_modules"})
"""Folders that hold no sources."""


def count_matrix(configuration: Configuration) -> tuple[Counted, ...]:
    """Return what the tree holds for each target, row by row.

    Links are not followed, and neither are folders that hold no sources. Raises `UsageError` where a file cannot be
    read, and `ConfigurationError` where the tree is too large to be one of sources.
    """
    rows = configuration.content.matrix
    if not rows:
        return ()
    tree = _Tree(configuration)
    targets = [name for name, target in configuration.targets.items() if not target.is_host]
    return tuple(_count_row(tree, row, configuration, targets) for row in rows)


def _count_row(tree: _Tree, row: MatrixRow, configuration: Configuration, targets: Sequence[str]) -> Counted:
    found: dict[str, tuple[str, ...]] = {}
    looked_at: set[str] = set()
    for target in targets:
        fields = {"arch": configuration.target(target).arch, "target": target}
        own = row.target.get(target)
        files = tree.matching(fill(glob, fields) for glob in (own and own.files) or row.files)
        looked_at.update(files)
        pattern = (own and own.pattern) or row.pattern
        if pattern is None:
            items = {PurePosixPath(file).name if row.same_names else file for file in files}
        else:
            expression = pattern.compile(fields)
            items = {item for file in files for item in _find(expression, tree.read(file))}
        found[target] = tuple(sorted(items))
    return Counted(name=row.name, same_names=row.same_names, items=found, files=len(looked_at))


def _find(expression: re.Pattern[str], text: str) -> Iterator[str]:
    has_item = "item" in expression.groupindex
    for match in expression.finditer(text):
        found = match["item"] if has_item else match[0]
        if found:
            yield printable_line(found, limit=_LONGEST_ITEM)


class _Tree:
    """The files below parity.toml's folder: each folder listed once, each file read once."""

    def __init__(self, configuration: Configuration) -> None:
        self._file = configuration.file
        self._root = configuration.root.resolve()
        self._lists: dict[str, tuple[str, ...]] = {}
        self._texts: dict[str, str] = {}

    def matching(self, globs: Iterable[str]) -> tuple[str, ...]:
        """Return the files that any of the globs matches, as paths from the root, sorted."""
        found: set[str] = set()
        for glob in globs:
            expression = _glob_expression(glob)
            found.update(file for file in self._below(_folder_of(glob)) if expression.fullmatch(file))
        return tuple(sorted(found))

    def read(self, file: str) -> str:
        """Return the text of a file, as far as it is read."""
        if file not in self._texts:
            try:
                with (self._root / file).open("rb") as stream:
                    content = stream.read(_MOST_BYTES)
            except OSError as error:
                raise UsageError(f"{self._root / file}: cannot be read: {error.strerror}") from error
            self._texts[file] = content.decode("utf-8", "replace")
        return self._texts[file]

    def _below(self, folder: str) -> tuple[str, ...]:
        if folder not in self._lists:
            self._lists[folder] = tuple(self._list(folder))
        return self._lists[folder]

    def _list(self, start: str) -> Iterator[str]:
        count = 0
        if not (self._root / start).resolve().is_relative_to(self._root):
            return
        for folder, folders, files in os.walk(self._root / start):
            folders[:] = [name for name in folders if name not in _LEFT_OUT]
            count += len(files)
            if count > _MOST_FILES:
                raise ConfigurationError(
                    file=self._file,
                    key="matrix",
                    problem=f"there are more than {_MOST_FILES} files below {self._root / start}",
                    hint="name the folders of the sources in `files`",
                )
            for name in files:
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    yield path.relative_to(self._root).as_posix()


def _folder_of(glob: str) -> str:
    """Return the folder in which all that a glob can match is."""
    parts = glob.split("/")[:-1]
    return "/".join(takewhile(lambda part: not _WILD.search(part), parts))


def _glob_expression(glob: str) -> re.Pattern[str]:
    """Return the regular expression of a glob: `**/` is any folders, `*` and `?` stay within one name."""
    parts = []
    for token in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", glob):
        match token:
            case "**/":
                parts.append("(?:[^/]+/)*")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _ if token.startswith("[") and token.endswith("]") and len(token) > 2:
                inside = token[1:-1].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
                parts.append(f"[{'^' + inside[1:] if inside.startswith('!') else inside}]")
            case _:
                parts.append(re.escape(token))
    return re.compile("".join(parts))
