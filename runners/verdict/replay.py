"""Judging a saved console log: what the configured rules make of it, without a machine. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parity.configuration import SuiteDelivery, fill
from parity.errors import UsageError
from runners.verdict.classify import classify
from runners.verdict.observation import Ending, Observation
from runners.verdict.proof import make_proof
from runners.verdict.suite_results import judge_suite

if TYPE_CHECKING:
    from parity.attempt import Verdict
    from parity.configuration import Configuration
    from runners.verdict.observation import QemuExit


def judge_log(
    configuration: Configuration, *, target: str, test: str, text: str, ended: QemuExit | None = None
) -> Verdict:
    """Return the verdict on `test` in the text of a log from anywhere; `ended` says how QEMU ended, if it did.

    The nonce is taken from the last begin line for the test, and what was printed before that is left out. A log
    without the begin line that the configuration asks for proves nothing and is judged accordingly.
    """
    delivery = configuration.target(target).delivery
    fields = configuration.test_fields(test) | {"arch": configuration.target(target).arch, "target": target}
    proof = None if isinstance(delivery, SuiteDelivery) else make_proof(delivery, configuration.tests)
    if proof is not None and proof.begin is not None:
        start, nonce = _find_begin(proof.begin.source, text, fields)
        text, fields = text[start:], fields | {"nonce": nonce}
    observation = Observation(
        fields={"nonce": "", **fields},
        ending=Ending.COMPLETED if ended is None else Ending.EXITED,
        waited_s=0.0,
        transcripts={configuration.target(target).console_port: text},
        exit=ended,
    )
    rules = configuration.verdict_rules(target, test)
    if isinstance(delivery, SuiteDelivery):
        return judge_suite(observation, [test], delivery, rules)[0].verdict
    return classify(observation, rules, make_proof(delivery, configuration.tests))


def judge_observation(configuration: Configuration, *, target: str, observation: Observation) -> Verdict:
    """Return what today's rules make of a stored attempt."""
    delivery = configuration.target(target).delivery
    test = observation.fields["test"]
    rules = configuration.verdict_rules(target, test)
    if isinstance(delivery, SuiteDelivery):
        raise UsageError(
            f"{target}: a suite's tests are judged together",
            hint="judge the stored console log: parity judge LOG",
        )
    return classify(observation, rules, make_proof(delivery, configuration.tests))


def _find_begin(source: str, text: str, fields: dict[str, str]) -> tuple[int, str]:
    """Return where the last begin line starts and the nonce that it bears; (0, "") without one."""
    escaped = {name: re.escape(value) for name, value in fields.items()}
    filled = fill(source, escaped).replace("{nonce}", r"(?P<found_nonce>[0-9A-Za-z]+)", 1)
    filled = filled.replace("{nonce}", r"(?P=found_nonce)")
    matches = list(re.compile(filled, re.MULTILINE).finditer(text))
    return (matches[-1].start(), matches[-1].groupdict().get("found_nonce") or "") if matches else (0, "")
