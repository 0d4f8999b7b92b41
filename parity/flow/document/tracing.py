"""What the newest captures tell of each target's tracing, for the document."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gdb.trace.event_types import provider_name
from gdb.trace.trace_validation import count_events
from parity.document.tracing import ProviderCount, TraceCheck, TraceFacts
from parity.errors import UsageError
from parity.flow.hang.diagnose import examine
from parity.flow.hang.trace import validate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parity.attempt import StoredAttempt
    from parity.configuration import Configuration
    from parity.flow.hang.diagnose import Examined


def read_tracing(configuration: Configuration, hung: Iterable[StoredAttempt]) -> tuple[TraceFacts, ...]:
    """Return what the captures of some attempts show; nothing of one without rings, or whose folder is gone.

    A capture that cannot be read is none: `parity trace` says what is wrong with it.
    """
    found = []
    for attempt in hung:
        if attempt.hang is None:
            continue
        try:
            examined = examine(configuration, attempt.hang.folder, attempt)
        except UsageError:
            continue
        facts = _describe(examined, target=attempt.target)
        if facts is not None:
            found.append(facts)
    return tuple(found)


def _describe(examined: Examined, *, target: str) -> TraceFacts | None:
    timeline, capture = examined.evidence.timeline, examined.capture
    layout = capture.layout.rings if capture.layout is not None else None
    if timeline is None or layout is None:
        return None
    by_provider: Counter[int] = Counter()
    for count in count_events(timeline):
        by_provider[count.provider] += count.count
    return TraceFacts(
        target=target,
        test=capture.subject.test,
        folder=examined.folder,
        cpus=len(timeline.rings),
        capacity=layout.capacity,
        event_bytes=layout.event.size,
        hz=timeline.hz,
        held=sum(len(ring.events) for ring in timeline.rings),
        written=sum(ring.write_index for ring in timeline.rings),
        speaking=tuple(ring.cpu for ring in timeline.rings if len(ring.events)),
        providers=tuple(
            ProviderCount(provider=provider_name(provider), events=events)
            for provider, events in sorted(by_provider.items())
        ),
        counters=tuple((counter.name, counter.total) for counter in capture.counters),
        checks=tuple(
            TraceCheck(name=check.name, standing=check.standing, sentence=check.sentence)
            for check in validate(examined)
        ),
    )
