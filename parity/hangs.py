"""Hangs that have one cause, put together: a leaked lock that thirty tests run into is one thing to mend."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parity.diagnosis import Cause
from parity.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from parity.attempt import Attempt, StoredAttempt
    from parity.diagnosis import Diagnosis, Hang

    Hung = Attempt | StoredAttempt

_VICTIMS: Final = (Cause.LOCK_LEAKED, Cause.LOCK_CYCLE)
"""Their stacks are those of whoever came for the lock: where that was says nothing about who keeps it."""

_CAUSES: Final = tuple(Cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class HangGroup:
    """Attempts that got no further for one and the same reason."""

    key: str
    """What they have in common."""
    hang: Hang
    """The one whose diagnosis can be relied on most."""
    example: Hung
    """The attempt that it is of."""
    tests: Mapping[str, tuple[str, ...]]
    """By target, each test once; both in the order in which they were given."""
    stacks: tuple[tuple[str, ...], ...]
    """The different stuck stacks, the most frequent one first."""

    @property
    def cause(self) -> Cause:
        """What the kernel is stuck on."""
        return self.diagnosis.cause

    @property
    def diagnosis(self) -> Diagnosis:
        """The one that can be relied on most."""
        return self.hang.diagnosis

    @property
    def count(self) -> int:
        """How many tests it holds; one that is stuck on two targets counts twice."""
        return sum(map(len, self.tests.values()))

    @property
    def extent(self) -> str:
        """Whom it blocks, such as `3 tests on x86_64, 35 on aarch64`."""
        (first, names), *others = self.tests.items()
        counts = (f", {len(found)} on {target}" for target, found in others)
        return f"{counted(len(names), 'test')} on {first}{''.join(counts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """How often attempts got stuck for one cause, over all runs."""

    attempts: int
    tests: int
    first_run: int
    """The lowest number of a run in which one did."""


def group_hangs(attempts: Iterable[Hung]) -> tuple[HangGroup, ...]:
    """Group the attempts that have a capture by cause: real hangs first, the largest group of them first.

    What is not the guest's fault or merely slow comes next, and what nobody could explain last.
    """
    found: dict[str, list[tuple[Hung, Hang]]] = {}
    for attempt in attempts:
        if attempt.hang is not None:
            key = _attempt_key(attempt, attempt.hang.diagnosis)
            found.setdefault(key, []).append((attempt, attempt.hang))
    return tuple(sorted((_group(key, hung) for key, hung in found.items()), key=_rank))


def cause_key(diagnosis: Diagnosis) -> str:
    """Return what hangs of one cause share: the signature, without the frames where those are the victims'."""
    if diagnosis.cause in _VICTIMS and diagnosis.subject:
        return f"{diagnosis.cause.value} | {diagnosis.subject}"
    return diagnosis.signature


def cause_words(cause: Cause) -> str:
    """Return the cause as words, such as `lock leaked`."""
    return cause.value.replace("-", " ")


def count_blocked(groups: Iterable[HangGroup]) -> tuple[str, ...]:
    """Return by target how many causes block how many tests, such as `1 cause blocks 35 tests on aarch64`."""
    causes: Counter[str] = Counter()
    tests: dict[str, set[str]] = {}
    for group in groups:
        if group.cause.is_hang:
            causes.update(group.tests.keys())
            for target, names in group.tests.items():
                tests.setdefault(target, set()).update(names)
    return tuple(
        f"{counted(causes[target], 'cause')} {'blocks' if causes[target] == 1 else 'block'} "
        f"{counted(len(names), 'test')} on {target}"
        for target, names in tests.items()
    )


def deciding_sentence(attempt: Hung | None) -> str:
    """Return why an attempt ended as it did: its diagnosis where it failed and has one, else the first evidence.

    What is not proved reads `perhaps: ...`.
    """
    if attempt is None:
        return ""
    if (
        attempt.hang is not None
        and not attempt.verdict.outcome.is_wanted
        and attempt.hang.diagnosis.cause is not Cause.UNKNOWN
    ):
        diagnosis = attempt.hang.diagnosis
        return diagnosis.sentence if diagnosis.confidence.is_proof else f"perhaps: {diagnosis.sentence}"
    return attempt.verdict.evidence[0] if attempt.verdict.evidence else ""


def _attempt_key(attempt: Hung, diagnosis: Diagnosis) -> str:
    if diagnosis.cause is Cause.UNKNOWN and not (diagnosis.subject or diagnosis.frames):
        return (
            f"{diagnosis.signature} | {attempt.test} on {attempt.target}"  # nothing says that two are alike
        )
    return cause_key(diagnosis)


def _group(key: str, hung: Sequence[tuple[Hung, Hang]]) -> HangGroup:
    example, hang = max(hung, key=lambda pair: pair[1].diagnosis.confidence.rank)
    tests: dict[str, dict[str, None]] = {}
    for attempt, _ in hung:
        tests.setdefault(attempt.target, {})[attempt.test] = None
    stacks = Counter(found.diagnosis.frames for _, found in hung if found.diagnosis.frames)
    return HangGroup(
        key=key,
        hang=hang,
        example=example,
        tests={target: tuple(names) for target, names in tests.items()},
        stacks=tuple(frames for frames, _ in stacks.most_common()),
    )


def _rank(group: HangGroup) -> tuple[bool, bool, int, int, str]:
    cause = group.cause
    return cause is Cause.UNKNOWN, not cause.is_hang, -group.count, _CAUSES.index(cause), group.key
