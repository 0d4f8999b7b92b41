"""Throw random rings at the decoder: `python -m tests.gdb.fuzz_rings 1000000 [SEED]`.

A third of them is noise, a third a sound ring with some bytes changed, a third noise that is read by a layout that is
noise as well. Every hundredth goes on into a timeline. An exception ends it, with what brought it about.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdb.trace.event_types import Event, event_types
from gdb.trace.layout import EventLayout, Field, RingLayout
from gdb.trace.ring import decode_ring
from gdb.trace.timeline import merge, pair_system_calls
from tests.support.ring_writer import RingWriter, ring_layout

if TYPE_CHECKING:
    from gdb.trace.ring import DecodedRing

KNOWN = event_types().known


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A ring to be decoded, and how."""

    raw: bytes
    layout: RingLayout
    last: int
    write_index_before: int | None
    write_index_after: int | None
    live: bool

    def decode(self) -> DecodedRing:
        return decode_ring(
            self.raw,
            self.layout,
            cpu=0,
            last=self.last,
            write_index_before=self.write_index_before,
            write_index_after=self.write_index_after,
            live=self.live,
            known_types=KNOWN,
        )


def noise_layout(draw: random.Random) -> RingLayout:
    def field() -> Field:
        return Field(offset=draw.randint(-1, 40), size=draw.randint(-1, 9))

    event = EventLayout(
        size=draw.randint(0, 40),
        timestamp=field(),
        event_type=field(),
        cpu=draw.choice([None, field()]),
        flags=draw.choice([None, field()]),
        payload=field(),
    )
    return RingLayout(
        address=0,
        stride=draw.randint(-1, 1000),
        cpus=1,
        capacity=draw.choice([draw.randint(-1, 64), draw.getrandbits(48)]),
        entries=draw.randint(-1, 64),
        write_index=field(),
        read_index=None,
        dropped=None,
        event=event,
    )


def sound_ring(draw: random.Random) -> bytearray:
    writer = RingWriter(layout=ring_layout(capacity=48))
    now = draw.getrandbits(40)
    for _ in range(draw.randint(0, 120)):
        now += draw.randint(1, 1000)
        writer.emit(now, draw.choice(list(Event)), draw.getrandbits(32))
    for _ in range(draw.randint(0, 3)):
        writer.reserve()
    return writer.memory


def draw_case(draw: random.Random, sound: list[bytearray]) -> Case:
    kind = draw.randrange(3)
    layout = noise_layout(draw) if kind == 2 else ring_layout(capacity=48)
    if kind == 1:
        raw = bytearray(draw.choice(sound))
        for _ in range(draw.randint(0, 20)):
            raw[draw.randrange(len(raw))] = draw.getrandbits(8)
    else:
        raw = bytearray(draw.randbytes(draw.randint(0, 900)))
        if (
            layout.write_index.offset + 8 < len(raw) and draw.random() < 0.5
        ):  # few indices are small by chance
            at = max(0, layout.write_index.offset)
            raw[at : at + 8] = draw.getrandbits(8).to_bytes(8, "little")
    return Case(
        raw=bytes(raw),
        layout=layout,
        last=draw.choice([0, draw.getrandbits(7), draw.getrandbits(64)]),
        write_index_before=draw.choice([None, None, draw.getrandbits(7), draw.getrandbits(64)]),
        write_index_after=draw.choice([None, draw.getrandbits(7), draw.getrandbits(64)]),
        live=draw.random() < 0.3,
    )


def check(ring: DecodedRing, case: Case) -> None:
    sequence = ring.events["sequence"]
    assert len(sequence) <= len(case.raw)
    assert (sequence[1:] > sequence[:-1]).all()
    assert ring.lost >= 0
    assert ring.overwritten >= 0


def main(count: int, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    sound = [sound_ring(draw) for _ in range(50)]
    started, spent, slowest, events, rings = time.perf_counter(), 0.0, 0.0, 0, []
    for number in range(count):
        case = draw_case(draw, sound)
        before = time.perf_counter()
        try:
            ring = case.decode()
            check(ring, case)
            rings.append(ring)
            if len(rings) == 100:
                pair_system_calls(merge(rings[-4:], draw.choice([None, draw.getrandbits(40)])))
                rings.clear()
        except Exception:
            sys.stderr.write(f"ring {number} of seed {seed}: {case}\n")
            raise
        took = time.perf_counter() - before
        spent, slowest, events = spent + took, max(slowest, took), events + len(ring.events)
    sys.stdout.write(
        f"{count} rings, {events} events: {count / spent:.0f} rings a second in the decoder, the slowest in "
        f"{slowest * 1e3:.1f} ms; {time.perf_counter() - started:.0f} s in all\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
