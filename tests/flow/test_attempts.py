from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.errors import UnknownNameError, UsageError
from parity.flow.results.attempts import choose_attempts, measure_capture, read_attempts, read_tail
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from tests.conftest import Make
    from tests.flow.conftest import Past

PASS = (Outcome.PASS, "exit status 0", None)


def test_a_test_that_is_no_longer_listed_still_has_its_history(
    configure: Callable[..., Configuration], past: Past
) -> None:
    past.run(0, {("aarch64", "gone_test"): PASS})
    assert len(read_attempts(configure("fork_test"), past.repository, "gone_test")) == 1


def test_a_name_that_was_never_known_offers_listed_and_former_tests(
    configure: Callable[..., Configuration], past: Past
) -> None:
    past.run(0, {("aarch64", "gone_test"): PASS})
    with pytest.raises(UnknownNameError) as caught:
        read_attempts(configure("fork_test"), past.repository, "gone_tst")
    assert caught.value.near[0] == "gone_test"


def test_a_test_that_was_never_run_says_how_to_run_it(
    configure: Callable[..., Configuration], past: Past
) -> None:
    with pytest.raises(UsageError, match="fork_test was never run on aarch64") as caught:
        read_attempts(configure("fork_test"), past.repository, "fork_test", target="aarch64")
    assert caught.value.hint == "parity run fork_test --target aarch64"


def test_without_a_number_each_targets_newest_attempt_is_chosen(
    configure: Callable[..., Configuration], past: Past
) -> None:
    for hour in range(2):
        past.run(hour, {("aarch64", "fork_test"): PASS, ("x86_64", "fork_test"): PASS})
    attempts = read_attempts(configure("fork_test"), past.repository, "fork_test")
    chosen = choose_attempts(attempts, test="fork_test")
    assert sorted((attempt.target, attempt.campaign) for attempt in chosen) == [("aarch64", 2), ("x86_64", 2)]


def test_an_attempt_of_another_test_is_refused(configure: Callable[..., Configuration], past: Past) -> None:
    past.run(0, {("aarch64", "fork_test"): PASS, ("aarch64", "dup_test"): PASS})
    attempts = read_attempts(configure("fork_test", "dup_test"), past.repository, "fork_test")
    with pytest.raises(UsageError, match="fork_test has no attempt 2"):
        choose_attempts(attempts, test="fork_test", number=2)


def test_the_tail_of_a_transcript_is_harmless(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt(transcript=b"first\r\n\x1b[2Jsecond \xff\nthird\n"))
    (attempt,) = repository.attempts_of("fork_test")
    assert read_tail(repository, attempt, lines=2) == (r"\x1b[2Jsecond \xff", "third")


def test_an_attempt_without_logs_has_no_tail(repository: Repository, make: Make) -> None:
    campaign = repository.start_campaign(make.plan())
    repository.add_attempt(campaign, make.attempt())
    (attempt,) = repository.attempts_of("fork_test")
    assert read_tail(repository, attempt, lines=5) == ()


def test_a_capture_is_as_large_as_its_files_and_not_as_what_they_point_to(tmp_path: Path, make: Make) -> None:
    capture = tmp_path / "capture"
    (capture / "rings").mkdir(parents=True)
    (tmp_path / "image").write_bytes(b"x" * 500_000)
    (capture / "rings" / "cpu0.bin").write_bytes(b"x" * 300)
    (capture / "kernel").symlink_to(tmp_path / "image")
    size = measure_capture(make.hang(capture))
    assert size is not None
    assert 300 < size < 500_000


def test_a_capture_that_is_gone_has_no_size(tmp_path: Path, make: Make) -> None:
    assert measure_capture(make.hang(tmp_path / "gone")) is None
