"""What a capture may claim: files come from elsewhere too, and decoders take a layout at its word."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gdb.captures.capture import Capture
    from gdb.trace.layout import Field, RingLayout

_MOST_CPUS: Final = 1024
_MOST_BYTES: Final = 256 * 1024 * 1024
_LARGEST_EVENT: Final = 4096


def impossible_number(found: object) -> float | None:
    """Return a number in JSON's values that no 64-bit machine and no clock can have given, if there is one."""
    waiting = [found]
    while waiting:
        match waiting.pop():
            case dict() as each:
                waiting += each.values()
            case list() as each:
                waiting += each
            case int() as number if not -(1 << 63) <= number < 1 << 64:
                return math.inf if number > 0 else -math.inf
            case float() as number if not math.isfinite(number):
                return number
    return None


def find_lie(capture: Capture) -> str | None:
    """Return what cannot be true of a capture, as a sentence part; None where it could be."""
    rings = capture.layout.rings if capture.layout is not None else None
    if rings is not None and (why := _wrong_rings(rings)) is not None:
        return f"layout.rings: {why}"
    if not 0 <= capture.subject.cpus <= _MOST_CPUS:
        return "subject.cpus: no machine has so many"
    times = [progress.at_s for progress in capture.progress]
    if any(later <= earlier for earlier, later in itertools.pairwise(times)):
        return "progress: its times do not ascend"
    return None


def _wrong_rings(rings: RingLayout) -> str | None:
    """Say why no kernel has such rings; where fields lie in an event is for the decoder to judge."""
    if not 0 < rings.cpus <= _MOST_CPUS or not 0 < rings.stride * rings.cpus <= _MOST_BYTES:
        return "no kernel has so many or such rings"
    if not 0 < rings.event.size <= _LARGEST_EVENT or rings.capacity <= 0:
        return "no event is of that size"
    if not 0 <= rings.entries <= rings.stride - rings.capacity * rings.event.size:
        return "the events do not fit into it"
    indices = (rings.write_index, rings.read_index, rings.dropped)
    if not all(_lies_in(field, rings.stride) for field in indices if field is not None):
        return "an index does not fit into it"
    return None


def _lies_in(field: Field, size: int) -> bool:
    return 0 < field.size <= 8 and 0 <= field.offset <= size - field.size
