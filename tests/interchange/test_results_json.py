from __future__ import annotations

import json
from typing import TYPE_CHECKING

from parity.interchange.results_json import render_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.interchange.results import RunResults


def test_a_run_is_written_as_it_always_was(results: RunResults, golden: Callable[[str, str], None]) -> None:
    golden("export.json", render_json(results))


def test_the_form_says_what_it_is(results: RunResults) -> None:
    told = json.loads(render_json(results))
    assert (told["format"], told["version"]) == ("parity-results", 1)


def test_every_attempt_is_there(results: RunResults) -> None:
    told = json.loads(render_json(results))["results"]
    (unsteady,) = [found for found in told if found["mixed"]]
    assert [attempt["outcome"] for attempt in unsteady["attempts"]] == ["fail", "pass"]
