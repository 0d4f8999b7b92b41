"""Kernels that do not come up, or come up now and then, and consoles that lose what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from db import open_repository
from parity.attempt import Isolation
from parity.flow.campaign.work import BootFailed
from parity.outcome import Outcome
from tests.support.lab import ARCHITECTURES, SHELL, Lab, evidence, outcomes

if TYPE_CHECKING:
    from parity.attempt import StoredBootFailure

pytestmark = [pytest.mark.qemu, pytest.mark.parametrize("architecture", ARCHITECTURES)]


ECHO_S: Final = 0.5


def shell(*, echo_s: float = ECHO_S) -> str:
    return SHELL + f"typing = {{ echo_s = {echo_s} }}\n"


def kept_boot_failures(lab: Lab) -> tuple[StoredBootFailure, ...]:
    with open_repository(f"sqlite:///{lab.folder}/.parity/parity.db", lab.folder / ".parity") as repository:
        return tuple(repository.boot_failures(1))


@pytest.mark.parametrize(
    ("mode", "why"), [("half", "stopped half-way"), ("panic", "the kernel died while booting")]
)
def test_a_kernel_that_never_boots_is_tried_as_often_as_configured_and_each_failure_is_kept(
    lab: Lab, architecture: str, mode: str, why: str
) -> None:
    configuration = lab.write(
        "pass",
        architectures=[architecture],
        append=f"boot={mode}",
        defaults="boot.retries = 1",
        boot_s=16,  # on a busy host silence may last 4 s, twice, with a look inside after each
    )
    summary = lab.run(configuration)
    assert outcomes(summary) == {(architecture, "pass"): Outcome.BOOT_FAILURE}
    assert why in evidence(summary)
    if mode == "half":
        assert "; awaited: ^> $; last console line: 1[boot] guest is up" in evidence(summary)
    told = [event for event in lab.watcher.events if isinstance(event, BootFailed)]
    assert [(why in event.failure.reason, event.tries_left) for event in told] == [(True, 1), (True, 0)]
    assert [why in failure.reason for failure in kept_boot_failures(lab)] == [True, True]


def test_a_boot_that_fails_once_succeeds_by_retry_and_the_failure_is_kept(
    lab: Lab, architecture: str
) -> None:
    wrapper, failed = lab.folder / "qemu", lab.folder / "failed"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" != --version ] && mkdir {failed} 2>/dev/null && set -- "$@" -append boot=panic\n'
        f'exec qemu-system-{architecture} "$@"\n'
    )
    wrapper.chmod(0o755)
    configuration = lab.write("pass", architectures=[architecture], target=f'qemu = "{wrapper}"')
    summary = lab.run(configuration)
    assert outcomes(summary) == {(architecture, "pass"): Outcome.PASS}
    (failure,) = kept_boot_failures(lab)
    assert "KERNEL PANIC: to order" in (failure.logs[0].path.read_text() if failure.logs else "")


def test_a_target_that_does_not_boot_is_given_up_soon(lab: Lab, architecture: str) -> None:
    configuration = lab.write(
        "pass",
        "fail",
        "skip",
        "silent",
        architectures=[architecture],
        append="boot=panic",
        defaults="boot.retries = 0",
    )
    summary = lab.run(configuration)
    assert set(outcomes(summary).values()) == {Outcome.BOOT_FAILURE}
    assert summary.attempts[-1].verdict.evidence[0].startswith("not tried")
    assert len(kept_boot_failures(lab)) == 2


def test_a_guest_that_does_not_read_its_console_leaves_tests_not_run(lab: Lab, architecture: str) -> None:
    configuration = lab.write("pass", architectures=[architecture], append="boot=mute", delivery=shell())
    summary = lab.run(configuration)
    assert outcomes(summary) == {(architecture, "pass"): Outcome.NOT_RUN}
    assert "does not read its console" in evidence(summary)


def test_a_line_that_lost_a_character_is_typed_again(lab: Lab, architecture: str) -> None:
    configuration = lab.write(
        "pass", "skip", architectures=[architecture], append="lose=40", delivery=shell()
    )
    summary = lab.run(configuration, isolation=Isolation.SHARED)
    assert list(outcomes(summary).values()) == [Outcome.PASS, Outcome.SKIP]


def test_a_line_that_always_loses_characters_is_an_error_of_the_harness(lab: Lab, architecture: str) -> None:
    configuration = lab.write(
        "pass", architectures=[architecture], append="lose=7", delivery=shell(echo_s=0.3)
    )
    summary = lab.run(configuration)
    assert outcomes(summary) == {(architecture, "pass"): Outcome.ERROR}
    assert "did not reach the guest unharmed" in evidence(summary)


def test_a_guest_that_wants_carriage_returns_gets_them_and_is_asked_once(lab: Lab, architecture: str) -> None:
    configuration = lab.write(
        "pass", "fail", "skip", architectures=[architecture], append="newline=cr", delivery=shell()
    )
    summary = lab.run(configuration, isolation=Isolation.SHARED)
    assert list(outcomes(summary).values()) == [Outcome.PASS, Outcome.FAIL, Outcome.SKIP]
    found_out, *knew = (attempt.duration_s for attempt in summary.attempts)
    assert found_out > 2 * ECHO_S > max(knew)


def test_a_newline_that_is_configured_is_the_only_one_that_is_typed(lab: Lab, architecture: str) -> None:
    delivery = SHELL + f'typing = {{ echo_s = {ECHO_S}, newline = "\\n" }}\n'
    configuration = lab.write("pass", architectures=[architecture], append="newline=cr", delivery=delivery)
    summary = lab.run(configuration)
    assert outcomes(summary) == {(architecture, "pass"): Outcome.ERROR}
    assert "did not reach the guest unharmed" in evidence(summary)


def test_a_guest_without_echo_is_typed_at_blindly(lab: Lab, architecture: str) -> None:
    configuration = lab.write(
        "pass",
        "fail",
        architectures=[architecture],
        append="echo=0",
        delivery=SHELL + "typing = { echo = false, pace_ms = 1 }\n",
    )
    summary = lab.run(configuration, isolation=Isolation.SHARED)
    assert list(outcomes(summary).values()) == [Outcome.PASS, Outcome.FAIL]
