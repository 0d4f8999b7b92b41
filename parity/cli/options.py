"""The parameters that several commands share, as Typer reads them from a command's annotations."""

from __future__ import annotations

from typing import Annotated

import typer

from parity.cli.completion import complete_query, complete_target, complete_test

Tests = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[TEST]...",
        help="Names or globs; all tests where none is given.",
        autocompletion=complete_test,
    ),
]
"""Any number of tests."""

Test = Annotated[str, typer.Argument(help="The test's name.", autocompletion=complete_test)]
"""Exactly one test."""

Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        "-t",
        metavar="NAME",
        help="Only this target (repeatable).",
        autocompletion=complete_target,
    ),
]
"""Any number of targets."""

Target = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="NAME", help="Only attempts on this target.", autocompletion=complete_target
    ),
]
"""One target, or all."""

Capture = Annotated[
    str | None,
    typer.Argument(
        metavar="[TEST|ATTEMPT|CAPTURE]",
        help="A test (its newest capture), an attempt's number, or a capture's folder; the newest of all.",
        autocompletion=complete_test,
    ),
]
"""One capture."""

CaptureTarget = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="NAME", help="Only captures of this target.", autocompletion=complete_target
    ),
]
"""Whose captures."""

Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        "-w",
        metavar="QUERY",
        help="Only tests for which this is true now, such as 'aarch64:fail and x86_64:pass' or flaky; "
        "docs/questions.md has all words.",
        autocompletion=complete_query,
    ),
]
"""A question about tests."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
"""Whether the output is for a program."""
