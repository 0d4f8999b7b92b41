"""`parity stress` and the options that repeat, shuffle and divide runs."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from typer.testing import Result

    from tests.support.lab import Lab


def finish(run: subprocess.Popen[str], status: int) -> str:
    output, errors = run.communicate(timeout=120)
    assert (run.returncode, errors) == (status, "")
    return output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("stress", "dup_test"), "how often?"),
        (("stress", "dup_test", "--boots", "2", "--repeat", "2"), "--boots and --repeat exclude each other"),
        (("stress", "dup_test", "--boots", "2", "--isolation", "shared"), "takes no --isolation"),
        (("stress", "--repeat", "2"), "Missing argument"),
        (("run", "--shard", "3/2"), "--shard 3/2 is no shard"),
        (("run", "--until-fail", "--fail-fast"), "exclude each other"),
        (("run", "--resume", "--repeat", "2"), "takes no --repeat"),
        (("run", "--resume", "--shuffle", "--seed", "0"), "takes no --shuffle, --seed"),
    ],
)
def test_contradictions_are_told_and_nothing_is_started(
    parity: Callable[..., Result], arguments: tuple[str, ...], words: str
) -> None:
    result = parity(*arguments)
    assert result.exit_code != 0
    told = f"{result.output}{getattr(result.exception, 'message', '')}"
    assert words in told


def test_a_dry_run_shows_a_shard_shuffled(parity: Callable[..., Result]) -> None:
    def shown(*arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(parity("run", "--dry-run", "--json", *arguments).stdout)
        return found

    whole = shown("--seed", "1", "--repeat", "3")
    assert (whole["seed"], [target["attempts"] for target in whole["targets"]]) == (1, [9, 9])
    assert whole["targets"][0]["tests"] == whole["targets"][1]["tests"]
    parts = [shown("--shard", f"{index}/2")["targets"] for index in (1, 2)]
    together = [(target["target"], test) for part in parts for target in part for test in target["tests"]]
    assert sorted(together) == sorted(
        (target["target"], test) for target in whole["targets"] for test in target["tests"]
    )
    assert isinstance(shown("--shuffle")["seed"], int)
    assert shown("--until-fail")["targets"][0]["attempts"] is None


def test_an_empty_shard_is_nothing_to_do(parity: Callable[..., Result]) -> None:
    results = [parity("run", "dup_test", "-t", "x86_64", "--dry-run", "--shard", f"{n}/2") for n in (1, 2)]
    assert [result.exit_code for result in results] == [0, 0]
    assert sum("there is nothing to run" in result.stdout for result in results) == 1


@pytest.mark.qemu
def test_a_stress_run_without_a_failure_tells_the_upper_bound(lab: Lab) -> None:
    lab.write("pass", architectures=["x86_64"])
    output = finish(lab.start("stress", "pass", "--repeat", "20", "--jobs", "1"), 0)
    assert output.startswith("run 1: 1 test, 20 attempts, on x86_64; 1 machine (--jobs 1)\n")
    assert "20/20  20 pass\n" in output
    assert "pass on x86_64: 0 of 20 failed; with 95 % confidence fewer than 16.1 % do\n" in output


@pytest.mark.qemu
def test_failures_are_grouped_and_named_with_their_logs(lab: Lab) -> None:
    lab.write("pass", "panic", architectures=["x86_64"])
    output = finish(lab.start("stress", "pass", "panic", "--boots", "3", "--json"), 1)
    stress = json.loads(output)
    assert (stress["total"]["failed"], stress["total"]["of"]) == (3, 6)
    (group,) = stress["failures"]
    assert (group["outcome"], group["count"]) == ("crash", 3)
    assert "KERNEL PANIC: to order" in group["signature"]
    assert all(b"KERNEL PANIC" in Path(attempt["logs"][0]).read_bytes() for attempt in group["attempts"])
    shown = finish(lab.start("show", "panic", "--attempt", str(group["attempts"][2]["attempt"])), 0)
    assert "KERNEL PANIC" in shown


@pytest.mark.qemu
def test_a_stress_run_ends_with_the_first_failure(lab: Lab) -> None:
    lab.write("fail", architectures=["x86_64"])
    output = finish(lab.start("stress", "fail", "--until-fail", "--jobs", "1"), 1)
    assert "run 1: 1 test until one fails, on x86_64;" in output
    assert "fail on x86_64: 1 of 1 failed" in output
    assert "stopped at the first failure" in output


@pytest.mark.qemu
def test_an_endless_run_is_ended_by_a_signal_and_tells_what_it_has(lab: Lab) -> None:
    lab.write("pass", architectures=["x86_64"])
    run = lab.start("stress", "pass", "--until-fail", "--jobs", "1")
    assert run.stdout is not None
    assert any(line.startswith("100  100 pass") for line in run.stdout)
    run.send_signal(signal.SIGINT)
    output = finish(run, 130)
    assert "failed; with 95 % confidence fewer than" in output
    assert "go on with: parity run --resume" in output


@pytest.mark.qemu
def test_a_stress_run_that_is_resumed_tells_the_rates_of_all_of_it(lab: Lab) -> None:
    lab.write("pass", architectures=["x86_64"])
    begun = lab.start("stress", "pass", "--repeat", "20", "--jobs", "1")
    assert begun.stdout is not None
    assert any(line.startswith("2/20  2 pass") for line in begun.stdout)
    begun.send_signal(signal.SIGINT)
    finish(begun, 130)
    output = finish(lab.start("run", "--resume", "--jobs", "1"), 0)
    assert "pass on x86_64: 0 of 20 failed; with 95 % confidence fewer than" in output


@pytest.mark.qemu
def test_a_run_that_fails_fast_says_what_is_left(lab: Lab) -> None:
    lab.write("fail", "pass", "skip", architectures=["x86_64"])
    output = finish(lab.start("run", "--fail-fast", "--jobs", "1"), 1)
    assert "stopped at the first failure; 2 not attempted; go on with: parity run --resume" in output
