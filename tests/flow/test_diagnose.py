from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from db import open_repository
from parity.configuration import load_configuration
from parity.diagnosis import Cause, Confidence
from parity.errors import UnknownNameError, UsageError
from parity.flow.hang.diagnose import examine, examine_saved, find_capture
from parity.flow.hang.diagnosis_json import describe
from parity.flow.hang.diagnosis_page import CPU_HEADER, THREAD_HEADER, make_page
from parity.outcome import Outcome
from tests.support.duet import kernel
from tests.support.stuck import ARCH, stuck

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from db import Repository
    from parity.configuration import Configuration
    from tests.conftest import Make
    from tests.support.stuck import Stuck

__all__ = ["kernel", "stuck"]


def test_the_newest_capture_is_meant_of_a_test_of_a_target_or_of_all(
    configure: Callable[..., Configuration], repository: Repository, make: Make, tmp_path: Path
) -> None:
    configuration = configure("fork_test", "dup_test")
    campaign = repository.start_campaign(make.plan())
    for number, (test, target) in enumerate(
        [("fork_test", "aarch64"), ("dup_test", "x86_64"), ("fork_test", "x86_64")]
    ):
        hang = make.hang(tmp_path / str(number))
        attempt = make.attempt(test, Outcome.HANG, target=target, hang=hang, minutes=number)
        repository.add_attempt(campaign, attempt)
    repository.add_attempt(campaign, make.attempt("fork_test", minutes=9))

    def found(what: str | None, target: str | None = None) -> int:
        return find_capture(configuration, repository, what, target=target).id

    assert found(None) == 3
    assert found("fork_test") == 3
    assert found("dup_test") == 2
    assert found("fork_test", "aarch64") == 1
    assert found(None, "aarch64") == 1
    assert found("2") == 2


def test_where_there_is_no_capture_the_error_says_how_to_get_one(
    configure: Callable[..., Configuration], repository: Repository, make: Make
) -> None:
    configuration = configure("fork_test", "dup_test")
    with pytest.raises(UsageError, match="no attempt has a capture"):
        find_capture(configuration, repository, None)
    repository.add_attempt(repository.start_campaign(make.plan()), make.attempt("fork_test"))
    with pytest.raises(UsageError, match="no attempt of fork_test has a capture") as caught:
        find_capture(configuration, repository, "fork_test")
    assert caught.value.hint == "parity diagnose --live fork_test takes one now"
    with pytest.raises(UsageError, match=r"attempt 1 \(fork_test on aarch64: pass\) has no capture"):
        find_capture(configuration, repository, "1")
    with pytest.raises(UnknownNameError):
        find_capture(configuration, repository, "no_such_test")
    with pytest.raises(UsageError, match="dup_test was never run"):
        find_capture(configuration, repository, "dup_test")


@pytest.mark.qemu
def test_a_capture_gives_the_verdict_again_that_was_stored(stuck: Stuck) -> None:
    examined = examine_saved(load_configuration(stuck.file), "cat_test")
    assert examined.attempt is not None
    assert examined.attempt.hang is not None
    assert examined.diagnosis == examined.attempt.hang.diagnosis
    assert examined.diagnosis.cause is Cause.SELF_DEADLOCK


@pytest.mark.qemu
def test_a_capture_is_read_elsewhere_and_for_a_target_that_is_no_more(stuck: Stuck, tmp_path: Path) -> None:
    moved = stuck.copy_capture(tmp_path, lambda found: found["subject"].update(target="gone"))
    examined = examine(load_configuration(stuck.file), moved)
    assert examined.diagnosis.cause is Cause.SELF_DEADLOCK
    assert examined.attempt is None


@pytest.mark.qemu
def test_without_its_memory_a_capture_still_tells_what_the_cpus_do(stuck: Stuck, tmp_path: Path) -> None:
    copied = stuck.copy_capture(tmp_path, lambda _found: None)
    shutil.rmtree(copied / "memory")
    examined = examine(load_configuration(stuck.file), copied)
    assert examined.diagnosis.cause is Cause.SELF_DEADLOCK
    assert examined.evidence.timeline is None or not len(examined.evidence.timeline.events)


@pytest.mark.qemu
def test_a_capture_of_nothing_is_unknown_with_little_confidence(stuck: Stuck, tmp_path: Path) -> None:
    def empty(found: dict[str, Any]) -> None:
        subject = found["subject"]
        found.clear()
        found.update(version=1, subject=subject)

    examined = examine(load_configuration(stuck.file), stuck.copy_capture(tmp_path, empty))
    assert (examined.diagnosis.cause, examined.diagnosis.confidence) == (Cause.UNKNOWN, Confidence.LOW)
    assert make_page(examined, events=20, frames=12).title
    assert json.dumps(describe(examined, events=20))


@pytest.mark.qemu
def test_a_page_has_a_row_a_cpu_and_a_stack_for_each_that_does_something(stuck: Stuck) -> None:
    examined = examine(load_configuration(stuck.file), stuck.capture)
    page = make_page(examined, events=10, frames=3)
    assert page.title == f"cat_test on {ARCH}"
    assert [row[0] for row in page.cpus] == ["0", "1", "2", "3"]
    assert {len(row) for row in page.cpus} == {len(CPU_HEADER)}
    assert {len(row) for row in page.threads} == {len(THREAD_HEADER)}
    last, _markers, *stacks = page.details
    assert len(last.lines) == 10
    assert stacks
    assert all(len(stack.lines) <= 3 for stack in stacks)
    assert str(stuck.capture) in page.origin


@pytest.mark.qemu
def test_the_database_is_not_made_by_looking(tmp_path: Path, stuck: Stuck) -> None:
    shutil.copyfile(stuck.file, tmp_path / "parity.toml")
    (tmp_path / "kernel").symlink_to(stuck.folder / "kernel")
    configuration = load_configuration(tmp_path / "parity.toml")
    with pytest.raises(UsageError):
        examine_saved(configuration, None)
    assert not (tmp_path / ".parity" / "parity.db").exists()
    assert examine_saved(configuration, str(stuck.capture)).diagnosis.cause is Cause.SELF_DEADLOCK
    with open_repository(load_configuration(stuck.file).database_url, stuck.folder / ".parity") as repository:
        assert repository.newest_hang() is not None
