"""Throw damaged lines at the guard, and what it lets through at pygdbmi: `python -m tests.gdb.fuzz_mi N [SEED]`."""

from __future__ import annotations

import random
import signal
import sys
from typing import TYPE_CHECKING, Final

from pygdbmi.gdbmiparser import parse_response

from gdb.debugger.mi_text import find_fault

if TYPE_CHECKING:
    from types import FrameType

_PATIENCE_S: Final = 10.0
_BATCH: Final = 1000
REAL_LINES: Final = (
    "7^done",
    '12^error,msg="No symbol \\"x\\" in current context."',
    (
        '^done,threads=[{id="1",target-id="Thread 1.1",details="CPU#0 [running]",frame={level="0",'
        'addr="0xffffff8040204360",func="spin_lock",args=[],file="core/spinlock.c",line="44",arch="aarch64"},'
        'state="stopped"}],current-thread-id="1"'
    ),
    '^done,stack=[frame={level="0",addr="0x1",func="a"},frame={level="1",addr="0x2"}]',
    '^done,register-values=[{number="0",value="0x0"},{number="33",value="0x3c5"}]',
    '^done,register-names=["x0","x1","","pc"]',
    '*stopped,frame={addr="0x0",func="??",args=[]},thread-id="1",stopped-threads="all"',
    '=thread-group-added,id="i1"',
    "=library-loaded,ranges=[{}],x={a=[],b={}}",
    '~"Breakpoint 1, main () at a.c:3\\n"',
    '&"warning: \\342\\200\\230x\\342\\200\\231\\n"',
    '@"\\033[1m"',
    "(gdb) ",
    "text of the program",
    '^done,a=["x"',
)
_PIECES: Final = (
    *'{}[],="\\^*=+~&@019 \t\r',
    '\\"',
    "\\777",
    "\\1",
    '="',
    "a=",
    "{}",
    "[[",
    "0x",
    "٣",
    "\x00",
    "é",
)


def random_line(dice: random.Random) -> str:
    """Make a line: pieces of MI at random, or a real one that is cut, spliced or nested."""
    if dice.random() < 0.2:
        return "".join(dice.choices(_PIECES, k=dice.randrange(30)))
    line = dice.choice(REAL_LINES)
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(line) + 1)
        match dice.randrange(5):
            case 0:
                line = line[:at]
            case 1:
                line = line[:at] + dice.choice(_PIECES) + line[at:]
            case 2:
                line = line[:at] + line[at + dice.randrange(1, 9) :]
            case 3:
                line = line[:at] + dice.choice(REAL_LINES)[dice.randrange(8) :]
            case _:
                line = line[:at] + line[at : at + 1] * dice.choice((2, 40, 3000)) + line[at + 1 :]
    return line


def fuzz(count: int, seed: int) -> int:
    """Check `count` lines and return how many passed the guard; raises for what pygdbmi cannot take."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    passed = 0

    def give_up(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"no end with seed {seed}")

    previous = signal.signal(signal.SIGALRM, give_up)
    try:
        for index in range(count):
            if index % _BATCH == 0:
                signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)
            line = random_line(dice).replace("\n", " ")
            if find_fault(line) is None:
                passed += 1
                parse_response(line)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    return passed


def main() -> None:
    """Check as many lines as the command line says."""
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    passed = fuzz(count, seed)
    sys.stdout.write(f"seed {seed}: {count} lines, {passed} passed the guard and were parsed\n")


if __name__ == "__main__":
    main()
