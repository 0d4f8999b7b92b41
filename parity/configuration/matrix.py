"""`[[matrix]]` in parity.toml: what is counted in the sources, target by target."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from parity.configuration.table import Table
from parity.configuration.template import PatternField, TemplateField


def _glob_below(glob: str) -> str:
    if glob.startswith("/") or ".." in glob.split("/"):
        raise PydanticCustomError("bad_glob", "leads out of the folder of parity.toml")
    return glob


Glob = Annotated[TemplateField, Field(min_length=1), AfterValidator(_glob_below)]
Globs = Annotated[tuple[Glob, ...], Field(strict=False, min_length=1)]


class MatrixTarget(Table):
    """`matrix.target.NAME`: what is different for one target."""

    files: Globs | None = None
    pattern: PatternField | None = None


class MatrixRow(Table):
    """`[[matrix]]`: one row of the architecture parity matrix."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    files: Globs = ()
    """The files, as globs below parity.toml's folder."""
    pattern: PatternField | None = None
    """What is counted in them, each different text once (the group item, or the whole match). Without it: the files."""
    same_names: bool = True
    """Whether a thing is called the same for every target, so that what is missing can be named."""
    target: dict[str, MatrixTarget] = Field(default={})

    @model_validator(mode="after")
    def _names_files(self) -> MatrixRow:
        if not self.files and not any(own.files for own in self.target.values()):
            raise PydanticCustomError("missing", "is missing", {"key": "files", "hint": "name globs"})
        return self
