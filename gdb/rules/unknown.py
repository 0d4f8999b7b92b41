"""Nothing is proved. What was seen and what was missing is said all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdb.rules.verdict import seen, stack, verdict
from parity.diagnosis import Cause, Confidence, Diagnosis

if TYPE_CHECKING:
    from gdb.evidence.evidence import Evidence


def unknown(evidence: Evidence) -> Diagnosis:
    """Tell what each CPU was seen doing."""
    if not evidence.cpus:
        sentence = "it is not known why: no CPU could be looked at"
    elif evidence.all_idle:
        sentence = "every CPU idles, and nothing says which thread waits for what"
    else:
        doing = "; ".join(
            f"CPU {cpu.cpu} runs {'user code' if cpu.mostly_user else cpu.function or 'unknown code'}"
            for cpu in evidence.busy[:4]
        )
        sentence = f"it is not known why: {doing}"
    facts = [fact for cpu in evidence.cpus for fact in (seen(cpu), stack(cpu))]
    return verdict(
        evidence,
        Cause.UNKNOWN,
        Confidence.LOW,
        sentence,
        facts,
        cpu=evidence.busy[0] if evidence.busy else None,
    )
