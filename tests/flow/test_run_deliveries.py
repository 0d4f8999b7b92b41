"""The other ways of taking a test, further serial ports, and disks that are prepared for each attempt."""

from __future__ import annotations

import shutil
from typing import Final

import pytest

from db import open_repository
from parity.attempt import LogKind
from parity.outcome import Outcome
from tests.support.lab import ARCHITECTURES, Lab, evidence, outcomes

pytestmark = pytest.mark.qemu

on_both = pytest.mark.parametrize("architecture", ARCHITECTURES)

BOOT_ARGUMENT: Final = r"""
kind = "boot-arg"
append = "boot=arg nonce={nonce} test={test}"
begin = '^\[begin {nonce} {path}\]$'
end = '^\[end {nonce} exit (?P<status>-?\d+)\]$'
"""
KTAP: Final = 'kind = "suite"\nformat = "ktap"\nappend = "boot=suite"\n'
PLAIN: Final = r"""
kind = "suite"
append = "boot=suite"
result = '^ *(?:(?P<fail>not ok)|(?P<skip>ok(?= \d+ \w+ # SKIP))|(?P<pass>ok)) \d+ (?P<test>\w+)'
"""
EXIT_DEVICES: Final = {
    "aarch64": (', "-semihosting"', '{ 0 = "pass", 1 = "fail" }'),
    "x86_64": (', "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"', '{ 33 = "pass", 35 = "fail" }'),
}


@on_both
def test_tests_are_named_on_the_kernels_command_line(lab: Lab, architecture: str) -> None:
    expected = {
        "pass": "pass",
        "fail": "fail",
        "skip": "skip",
        "panic": "crash",
        "reset": "crash",
        "hang": "hang",
    }
    configuration = lab.write(*expected, architectures=[architecture], delivery=BOOT_ARGUMENT)
    assert outcomes(lab.run(configuration)) == {
        (architecture, test): Outcome(outcome) for test, outcome in expected.items()
    }


@on_both
def test_each_test_is_an_image_whose_exit_device_says_how_it_went(lab: Lab, architecture: str) -> None:
    for test in ("pass", "fail"):
        (lab.folder / test).mkdir()
        shutil.copy(lab.guest / f"guest-{architecture}.elf", lab.folder / test / "kernel.elf")
    arguments, codes = EXIT_DEVICES[architecture]
    configuration = lab.write(
        "pass",
        "fail",
        "absent",
        architectures=[architecture],
        kernel="{test}/kernel.elf",
        append="boot=exit test={test}",
        delivery='kind = "image"',
        arguments=arguments,
        verdict=f"exit_codes = {codes}",
    )
    assert outcomes(lab.run(configuration)) == {
        (architecture, "pass"): Outcome.PASS,
        (architecture, "fail"): Outcome.FAIL,
        (architecture, "absent"): Outcome.NOT_RUN,
    }


@on_both
@pytest.mark.parametrize("delivery", [KTAP, PLAIN], ids=["ktap", "plain"])
def test_one_boot_reports_a_whole_suite(lab: Lab, architecture: str, delivery: str) -> None:
    expected = {"pass": "pass", "fail": "fail", "skip": "skip", "inner": "pass", "absent": "not-run"}
    configuration = lab.write(*expected, architectures=[architecture], delivery=delivery)
    assert outcomes(lab.run(configuration)) == {
        (architecture, test): Outcome(outcome) for test, outcome in expected.items()
    }


def test_a_panic_on_the_second_serial_port_is_a_crash(lab: Lab) -> None:
    configuration = lab.write(
        "panic_on_second_port", architectures=["x86_64"], target='serial = ["console", "kernel"]'
    )
    summary = lab.run(configuration)
    assert outcomes(summary) == {("x86_64", "panic_on_second_port"): Outcome.CRASH}
    assert "KERNEL PANIC: on the second port" in evidence(summary)


def test_a_prepare_step_writes_into_the_attempts_own_copy_of_the_disk(lab: Lab) -> None:
    original = lab.folder / "disk.img"
    original.write_bytes(bytes(64 * 1024))
    configuration = lab.write(
        "disk",
        architectures=["x86_64"],
        machines={"x86_64": ("pc", "qemu64")},
        target='disk = [{ image = "disk.img", interface = "ide" }]',
        defaults="prepare = [['sh', '-c', 'printf %s for-{test}-alone | dd of={disk} conv=notrunc 2>/dev/null']]",
        more="[test.disk]\npass = ['the disk says: for-disk-alone']",
    )
    assert outcomes(lab.run(configuration)) == {("x86_64", "disk"): Outcome.PASS}
    assert original.read_bytes() == bytes(64 * 1024)


@on_both
def test_a_prepare_step_that_fails_is_an_error_with_its_own_words(lab: Lab, architecture: str) -> None:
    configuration = lab.write(
        "pass",
        "skip",
        architectures=[architecture],
        defaults="prepare = [['sh', '-c', 'echo cannot prepare {test}; [ {test} = skip ]']]",
    )
    summary = lab.run(configuration)
    assert list(outcomes(summary).values()) == [Outcome.ERROR, Outcome.SKIP]
    assert "cannot prepare pass" in summary.attempts[0].verdict.evidence


@on_both
def test_a_flood_beyond_the_limit_ends_the_attempt(lab: Lab, architecture: str) -> None:
    configuration = lab.write("flood", architectures=[architecture], budget="output_limit_mib = 0.05")
    summary = lab.run(configuration)
    assert outcomes(summary) == {(architecture, "flood"): Outcome.FAIL}
    assert "flooded the console" in evidence(summary)


def test_the_raw_bytes_of_the_console_are_kept_whole(lab: Lab) -> None:
    configuration = lab.write("binary", architectures=["x86_64"])
    lab.run(configuration)
    with open_repository(configuration.database_url, configuration.state_folder) as repository:
        (attempt,) = repository.campaign_attempts(1)
        raw = next(log for log in repository.logs_of(attempt.id) if log.kind is LogKind.RAW)
        assert b"\x1b[31m\x00\xff\xfe\xc3(\r\x1b]0;x\x07\n" in repository.logs.read(raw.sha256)
