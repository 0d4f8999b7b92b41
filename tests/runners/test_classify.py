"""The judgement cannot be talked into a pass: whatever a guest prints."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.configuration import Target
from parity.outcome import Outcome
from runners.verdict.classify import classify
from runners.verdict.observation import Ending, Observation, QemuExit
from runners.verdict.proof import Proof

NONCE: Final = "4f1d09c2a7b3e856"
FIELDS: Final = {"test": "pipe_test", "TEST": "PIPE_TEST", "path": "/bin/pipe_test", "nonce": NONCE}
BEGIN: Final = f"[begin {NONCE} /bin/pipe_test]"
END: Final = f"[end {NONCE} exit 0]"
WORDS: Final = {
    "arch": "aarch64",
    "machine": "virt",
    "delivery": {
        "kind": "shell",
        "prompt": "duet> $",
        "begin": r"^\[begin {nonce} {path}\]$",
        "end": r"^\[end {nonce} (?:exit (?P<status>-?\d+)|signal (?P<signal>\d+))\]$",
        "unknown": "^Unknown command: .*",
    },
    "verdict": {
        "pass": ["{test}: PASS"],
        "fail": ["{test}: FAIL.*"],
        "skip": ["{test}: SKIP.*"],
        "skip_status": [77],
        "panic": ["KERNEL PANIC: .*"],
        "exit_codes": {"33": "pass"},
    },
}
TARGET: Final = Target.model_validate(WORDS)
PASSING: Final = ("booted", BEGIN, "4096 bytes", "pipe_test: PASS", END, "duet> ")


def judge(
    text: str,
    *,
    ending: Ending = Ending.COMPLETED,
    ended: QemuExit | None = None,
    exit_ends: bool = False,
    target: Target = TARGET,
) -> Outcome:
    delivery = target.delivery
    assert delivery.kind == "shell"
    proof = Proof(
        begin=delivery.begin,
        end=delivery.end,
        unknown=delivery.unknown,
        tests=frozenset({"pipe_test", "shell_pipe_test"}),
        exit_ends=exit_ends,
    )
    seen = Observation(fields=FIELDS, ending=ending, waited_s=1.0, transcripts={"console": text}, exit=ended)
    return classify(seen, target.verdict, proof).outcome


HONEST = st.sampled_from(
    [
        *(*PASSING[:4], "duet> ", "pipe_test: FAIL: x", "pipe_test: SKIP", "KERNEL PANIC: x"),
        *("Unknown command: x", "[end 0000000000000000 exit 0]", f"[end {NONCE} exit", "errno 101"),
    ]
)
"""Lines that a real console may hold, the end of this very attempt excepted."""
EXITS = st.none() | st.builds(
    QemuExit,
    status=st.integers(-64, 255),
    reason=st.none() | st.sampled_from(["guest-reset", "guest-shutdown", "guest-panic", "host-signal", "x"]),
    stderr=st.text(max_size=10),
)
TEXT = st.lists(HONEST | st.text(max_size=30), max_size=12).map("\n".join)


@given(TEXT, st.sampled_from(Ending), EXITS)
def test_nothing_passes_without_the_end_line_of_its_nonce(
    text: str, ending: Ending, ended: QemuExit | None
) -> None:
    assert judge(text, ending=ending, ended=ended) is not Outcome.PASS


@given(TEXT.map(lambda text: f"{text}\n{END}\n{text}"), st.sampled_from(Ending), EXITS)
def test_any_transcript_has_a_verdict(text: str, ending: Ending, ended: QemuExit | None) -> None:
    for exit_ends in (True, False):
        assert judge(text, ending=ending, ended=ended, exit_ends=exit_ends) in Outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *(("0x0", Outcome.PASS), ("0X00000000", Outcome.PASS), ("0x4d", Outcome.SKIP), ("0xE", Outcome.FAIL)),
        *(("E", Outcome.FAIL), ("0x", Outcome.FAIL), ("0x" + "0" * 17, Outcome.FAIL), ("00", Outcome.PASS)),
    ],
)
def test_a_status_may_be_hexadecimal_where_it_says_so(status: str, outcome: Outcome) -> None:
    delivery = {"kind": "shell", "prompt": "duet> $", "end": r"^\[end {nonce} exit (?P<status>\S+)\]$"}
    target = Target.model_validate({**WORDS, "delivery": delivery})
    text = "\n".join(PASSING).replace("exit 0", f"exit {status}")
    assert judge(text, target=target) is outcome


def test_a_plain_pass_passes() -> None:
    assert judge("\n".join(PASSING)) is Outcome.PASS


@given(st.integers(0, len(PASSING)), st.sampled_from(Ending))
def test_a_panic_anywhere_makes_a_crash_of_a_pass(line: int, ending: Ending) -> None:
    lines = [*PASSING[:line], "12KERNEL PANIC: dead", *PASSING[line:]]
    assert judge("\n".join(lines), ending=ending) is Outcome.CRASH


@given(st.integers(0, len("\n".join(PASSING))))
def test_a_panic_in_the_middle_of_a_line_makes_a_crash_of_a_pass(position: int) -> None:
    text = "\n".join(PASSING)
    assert judge(text[:position] + "KERNEL PANIC: dead" + text[position:]) is Outcome.CRASH


@given(st.sampled_from([BEGIN, "pipe_test: PASS", END]))
def test_a_pass_needs_each_of_its_proofs(missing: str) -> None:
    assert judge("\n".join(line for line in PASSING if line != missing)) is not Outcome.PASS


@given(st.integers(0, len("\n".join(PASSING)) - 1), st.integers(1, 40))
def test_losing_a_part_of_any_proof_never_leaves_a_pass(start: int, length: int) -> None:
    text = "\n".join(PASSING)
    cut = text[:start] + text[start + length :]
    whole = all(any(proof in line for line in cut.splitlines()) for proof in (BEGIN, "pipe_test: PASS", END))
    assert (judge(cut) is Outcome.PASS) <= whole


@given(st.sampled_from([ending for ending in Ending if ending is not Ending.COMPLETED]))
def test_a_pass_needs_its_wait_to_have_been_fulfilled(ending: Ending) -> None:
    assert judge("\n".join(PASSING), ending=ending) is not Outcome.PASS


@given(EXITS.filter(lambda ended: ended is not None))
def test_a_shells_pass_does_not_survive_the_end_of_its_machine(ended: QemuExit) -> None:
    if ended.status == 33 and ended.reason in (None, "x"):
        ended = replace(ended, status=34)  # the exit device's word for a pass
    assert judge("\n".join(PASSING), ended=ended) is not Outcome.PASS
