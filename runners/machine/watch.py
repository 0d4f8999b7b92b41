"""Watching one attempt on a running machine, from its first byte to the end of the drain."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from parity.attempt import Attempt, Log, LogKind
from parity.deadline import Deadline
from runners.machine.boot import Report
from runners.machine.inspection import Stall, look_inside
from runners.machine.machine import Rest
from runners.machine.patience import wait_patiently
from runners.machine.rig import now
from runners.verdict.classify import classify
from runners.verdict.evidence import has_begun
from runners.verdict.observation import Ending, Observation

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence

    from parity.diagnosis import Hang
    from runners.machine.boot import Booted
    from runners.machine.machine import Limits, Machine
    from runners.machine.rig import Rig
    from runners.verdict.observation import QemuExit
    from runners.verdict.proof import Proof

_REST: Final = Rest(idle_s=0.03, busy_s=0.2)
"""After which a guest's test is over, where it is not configured: three ticks at 100 Hz, or a moment of a busy one."""


class Watch:
    """Begins when it is made; `over` says why the waiting ended; `report` gives the judged attempt."""

    def __init__(
        self, rig: Rig, machine: Machine, fields: Mapping[str, str], *, from_boot: bool = False
    ) -> None:
        self._rig = rig
        self._machine = machine
        self._fields = fields
        self._since = dict.fromkeys(machine.positions(), 0) if from_boot else machine.positions()
        self._started_at = now()
        self._started = time.monotonic()
        self._ending = Ending.BUDGET
        self._waited_s = 0.0
        self._exit: QemuExit | None = None
        self._hang: Hang | None = None
        self.detail = ""
        """More on the ending, as a sentence part."""
        machine.begin_wait()

    @property
    def hang(self) -> Hang | None:
        """What was found inside a guest that got no further."""
        return self._hang

    @property
    def was_looked_into(self) -> bool:
        """Whether the guest was stopped and given less of the host: it is of no use to another test."""
        return self._hang is not None

    @property
    def machine_runs(self) -> bool:
        """Whether QEMU was still there at the end."""
        return self._exit is None

    def wait_for(self, patterns: Sequence[re.Pattern[str]], limits: Limits) -> int | Ending:
        """Wait for one of `patterns`, with a look inside where the guest shows no progress. Raises `Stopped`."""
        looks = self._rig.inspector is not None
        waited, self._hang = wait_patiently(
            self._machine, patterns, limits, self._look_on_the_way if looks else None
        )
        return waited

    def over(self, ending: Ending) -> None:
        """Take down the end, and read on for a moment: for a late panic, or for the rest of one.

        A guest that got no further is looked into first.
        """
        self._ending = ending
        self._waited_s = time.monotonic() - self._started
        self.detail = self.detail or self._describe(ending)
        if self._hang is None and ending.is_stuck:
            self._hang = self._look(ending, is_last=True)
        self._read_on(ending)
        self._exit = self._machine.wait_exit() if ending is Ending.EXITED else self._machine.exit()

    def _read_on(self, ending: Ending) -> None:
        drain_s = self._rig.target.budget.drain_s
        if ending is Ending.PANICKED:
            self._machine.drain(self._rig.after_panic_s)
        elif drain_s is None:
            self._machine.settle(_REST, Deadline.after(_REST.busy_s))
        else:
            self._machine.drain(drain_s)

    def _look_on_the_way(self, ending: Ending) -> Hang | None:
        return self._look(ending, is_last=False)

    def _look(self, ending: Ending, *, is_last: bool) -> Hang | None:
        waited_s = time.monotonic() - self._started
        return look_inside(
            Stall(
                rig=self._rig,
                machine=self._machine,
                fields=self._fields,
                ending=ending,
                waited_s=waited_s,
                is_last=is_last,
            )
        )

    def report(
        self, proof: Proof, booted: Booted, *, fresh: bool = True, echoes: Sequence[tuple[int, int]] = ()
    ) -> Report:
        """Judge what was seen. `echoes` are the console positions of what the guest echoed of our typing.

        `fresh`: whether this attempt paid for the boot.
        """
        observation = self.observe(echoes)
        attempt = Attempt(
            target=self._rig.name,
            test=self._fields["test"],
            verdict=classify(
                observation,
                self._rig.configuration.verdict_rules(self._rig.name, self._fields["test"]),
                proof,
            ),
            nonce=self._fields["nonce"],
            isolation=booted.isolation,
            started_at=self._started_at,
            duration_s=self._waited_s,
            boot_s=booted.boot_s if fresh else None,
            logs=self.logs(observation),
            hang=self._hang,
        )
        return Report(
            attempt=attempt,
            boot_failures=booted.failures if fresh else (),
            begun=has_begun(observation, proof),
        )

    def observe(self, echoes: Sequence[tuple[int, int]] = ()) -> Observation:
        """Return what was seen, the input of every judgement."""
        texts = self._machine.texts(self._since)
        console = self._rig.target.console_port
        texts[console] = _without(texts[console], self._since[console], echoes)
        diagnosis = self._hang.diagnosis if self._hang is not None else None
        return Observation(
            fields=self._fields,
            ending=self._ending,
            waited_s=self._waited_s,
            transcripts=texts,
            exit=self._exit,
            detail=self.detail,
            proved=diagnosis.outcome if diagnosis is not None else None,
            finding=diagnosis.sentence if diagnosis is not None else "",
        )

    def logs(self, observation: Observation) -> tuple[Log, ...]:
        """Return what is kept of the attempt: all that a later judgement needs, and every port's bytes."""
        judged = (
            Log(kind=LogKind.TRANSCRIPT, port=port, content=text.encode("utf-8", "backslashreplace"))
            for port, text in observation.transcripts.items()
        )
        facts = Log(kind=LogKind.OBSERVATION, port="parity", content=observation.facts_as_json())
        return (*judged, *self._machine.raw_logs(), facts)

    def _describe(self, ending: Ending) -> str:
        if ending is Ending.FLOODED:
            return f"more than {self._rig.target.budget.output_limit_mib:g} MiB of output"
        if ending is Ending.BUDGET:
            return f"its machine kept {self._machine.busy_share:.1f} host CPUs busy"
        return ""


def _without(text: str, start: int, cuts: Sequence[tuple[int, int]]) -> str:
    """Return `text`, which begins at position `start`, without the spans in `cuts`."""
    pieces, position = [], start
    for begin, end in cuts:
        pieces.append(text[position - start : max(begin, position) - start])
        position = max(end, position)
    return "".join(pieces) + text[position - start :]
