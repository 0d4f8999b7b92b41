"""What was seen of one attempt: the only input of the judgement, so that a saved attempt can be judged again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


class Ending(StrEnum):
    """Why the wait for a test ended."""

    COMPLETED = "completed"
    """What ends a test was seen: its end line, or the prompt after the last typed line."""
    PANICKED = "panicked"
    EXITED = "exited"
    """QEMU is gone."""
    QUIET = "quiet"
    """Neither output nor work for the no-progress limit."""
    STALLED = "stalled"
    """Neither output nor progress for the no-progress limit, though the guest is busy: worth a look, and no end."""
    BUDGET = "budget"
    """The time was used up."""
    FLOODED = "flooded"
    """More output than the limit allows."""
    GARBLED = "garbled"
    """The guest echoed something else than what was typed."""
    UNREAD = "unread"
    """The guest echoed nothing of what was typed."""
    NOT_STARTED = "not-started"
    """The host could not execute the program."""
    LOST = "lost"
    """It is over, and how it ended is not known: what kept watch over it was killed."""

    @property
    def is_stuck(self) -> bool:
        """Whether the guest is still there and got no further: worth a look inside before it is ended."""
        return self in (Ending.QUIET, Ending.BUDGET, Ending.PANICKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class QemuExit:
    """How QEMU ended."""

    status: int
    """Its exit status; negative: the signal that killed it."""
    reason: str | None
    """The SHUTDOWN event's reason (QMP, QEMU 7.2: `ShutdownCause`), such as `guest-reset`; None without an event."""
    stderr: str = ""
    """What it said on its standard error."""

    @property
    def is_from_outside(self) -> bool:
        """Whether the host ended it: QEMU answers a SIGTERM with status 0, as a guest may that passes."""
        return self.status < 0 or (self.reason or "").startswith("host-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One attempt as the runner saw it."""

    fields: Mapping[str, str]
    """The template fields of this attempt: test, TEST, path, nonce, arch, target."""
    ending: Ending
    waited_s: float
    transcripts: Mapping[str, str]
    """Text by serial port, the console first, from the attempt's first byte to the end of the drain. The echo of
    typed commands is not in it."""
    status: int | None = None
    """The exit status of the test's process, where the host itself waited for it."""
    signal: int | None = None
    """The signal that ended it, likewise."""
    exit: QemuExit | None = None
    """Set where QEMU ended by itself or was killed from outside."""
    detail: str = ""
    """More on the ending, as a sentence part: what was typed and echoed, how busy the guest was."""
    proved: Outcome | None = None
    """What a look inside the guest proved, where it did not end."""
    finding: str = ""
    """What was found there, as a sentence."""
    caveat: str = ""
    """Why a failure would say nothing about the test or the kernel, as a sentence."""

    def facts_as_json(self) -> bytes:
        """Return everything but the transcripts, for a file beside theirs."""
        facts = {
            "fields": dict(self.fields),
            "ending": self.ending,
            "waited_s": self.waited_s,
            "status": self.status,
            "signal": self.signal,
            "exit": None if self.exit is None else asdict(self.exit),
            "detail": self.detail,
            "proved": self.proved,
            "finding": self.finding,
            "caveat": self.caveat,
        }
        return json.dumps(facts, indent=1, sort_keys=True).encode()


def read_observation(facts: bytes, transcripts: Mapping[str, str]) -> Observation:
    """Return the observation that `facts_as_json` described; raises `ValueError` where it is not one."""
    try:
        read = json.loads(facts)
        return Observation(
            fields={str(key): str(value) for key, value in read["fields"].items()},
            ending=Ending(read["ending"]),
            waited_s=float(read["waited_s"]),
            transcripts=transcripts,
            status=read["status"],
            signal=read["signal"],
            exit=None if read["exit"] is None else QemuExit(**read["exit"]),
            detail=str(read["detail"]),
            proved=Outcome(read["proved"]) if read.get("proved") else None,
            finding=str(read.get("finding", "")),
            caveat=str(read.get("caveat", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no observation: {error}") from error
