"""Every failure shape of tests/corpus through the decoder and the judgement.

A shape is NAME.log, the console's bytes from the attempt's first one to the end of the drain without the echo of
what was typed, and NAME.toml: what parity.toml says of the kernel, how the attempt ended, and what must be judged.
NAME.PORT.log is a further serial port.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from parity.configuration import SuiteDelivery, Target
from parity.outcome import Outcome
from runners.console.console_text import decode_console
from runners.verdict.classify import classify
from runners.verdict.observation import Ending, Observation, QemuExit
from runners.verdict.proof import make_proof

CORPUS = Path(__file__).parents[1] / "corpus"
SHAPES = sorted(file.stem for file in CORPUS.glob("*.toml"))


def _observation(shape: dict[str, Any], name: str) -> Observation:
    seen, ports = shape["seen"], shape.get("other_ports", [])
    logs = {"console": CORPUS / f"{name}.log"} | {port: CORPUS / f"{name}.{port}.log" for port in ports}
    ended = seen.get("exit")
    return Observation(
        fields={
            "test": shape["test"],
            "TEST": shape["test"].upper(),
            "path": shape["path"],
            "nonce": shape["nonce"],
        },
        ending=Ending(seen["ending"]),
        waited_s=seen["waited_s"],
        transcripts={port: decode_console(log.read_bytes()) for port, log in logs.items()},
        exit=QemuExit(status=ended["status"], reason=ended.get("reason"), stderr=ended.get("stderr", ""))
        if ended
        else None,
        detail=seen.get("detail", ""),
    )


@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_is_judged_as_written_beside_it(name: str) -> None:
    shape = tomllib.loads((CORPUS / f"{name}.toml").read_text(encoding="utf-8"))
    expected = shape["expected"]
    target = Target.model_validate(
        {
            "arch": "aarch64",
            "machine": "virt",
            "delivery": shape["delivery"],
            "verdict": shape["verdict"],
        }
    )
    assert not isinstance(target.delivery, SuiteDelivery)
    verdict = classify(
        _observation(shape, name),
        target.verdict,
        make_proof(target.delivery, shape.get("tests", [shape["test"]])),
    )
    assert verdict.outcome is Outcome(expected["outcome"]), verdict.evidence
    assert expected["evidence"] in verdict.evidence[0]
    found = {
        "exit_status": verdict.exit_status,
        "signal": verdict.signal,
        "error_number": verdict.error_number,
    }
    assert found == {key: expected.get(key) for key in found}


def test_every_log_of_the_corpus_has_its_expectation() -> None:
    assert len(SHAPES) > 60
    for log in CORPUS.glob("*.log"):
        assert log.name.split(".")[0] in SHAPES
