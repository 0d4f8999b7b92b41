"""Threads and spinlocks, planned from what a compiler wrote and read from whole, damaged and hostile memory."""

import io
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.guest.memory import Block, Memory, RecordedMemory
from gdb.kernel_file.elf_image import ElfImage, read_elf
from gdb.kernel_file.structures import Structures
from gdb.scheduler.scheduler_plan import Listing
from gdb.scheduler.scheduler_state import SchedulerPlan, SchedulerState, plan_scheduler, read_scheduler
from parity.configuration import HangRules, LockNames, ThreadNames, load_configuration
from tests.support.compiled import ARCHITECTURES, compile_c, compile_ir

ROOT = Path(__file__).parents[2]

RUST = (Path(__file__).parent / "sources" / "rust_types.ll").read_text(encoding="utf-8")
CHAIN = """
enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED };
struct process { char name[16]; };
struct queue { void *first; } console_queue;
struct thread {
    unsigned tid; enum thread_state state; int cpu; struct process *process; char name[16];
    struct queue *waiting_on; struct thread *all_next;
};
struct process shell = { "sh" };
struct thread third = { .tid = 3, .state = THREAD_BLOCKED, .cpu = 1, .process = &shell, .waiting_on = &console_queue };
struct thread second = { .tid = 2, .state = THREAD_READY, .cpu = 0, .name = "worker\\033[2J", .all_next = &third };
struct thread first = { .tid = 1, .state = THREAD_RUNNING, .cpu = -1, .name = "idle/0", .all_next = &second };
struct thread *all_threads = &first;

struct spinlock { unsigned locked; int holder_cpu; const char *name; };
struct spinlock heap_lock = { 1, 2, "heap" };
static struct spinlock tree_lock = { 0, -1, "tree" };
struct { int flags; struct spinlock lock; } console = { 0, { 1, -1, 0 } };
struct { struct spinlock lock; } slots[2] = { [1] = { { 1, 0, "slot" } } };
static unsigned queue_length = 7;
int use(void) { return tree_lock.locked + queue_length; }
"""
XV6 = """
enum procstate { UNUSED, SLEEPING, RUNNABLE, RUNNING };
struct cpu { int id; } cpus[2] = { { 0 }, { 1 } };
struct proc { enum procstate state; int pid; void *chan; struct cpu *cpu; char name[16]; };
struct proc proc[64] = { { RUNNING, 1, 0, &cpus[1], "init" }, { SLEEPING, 2, proc, 0, "sh" }, [9] = { RUNNABLE, 5, 0, 0, "ls" } };
struct proc *table[4] = { &proc[1], 0, &proc[9] };
struct node { struct node *next; };
struct odd { int tid, state; struct node link; } lonely, *odd_list = &lonely;
"""
THREADS = ThreadNames(
    list="all_threads",
    next="all_next",
    id="tid",
    state="state",
    cpu="cpu",
    name=("process.name", "name"),
    waits_for="waiting_on",
)
LOCKS = LockNames(type="spinlock", held="locked", holder="holder_cpu", name="name")
OWNED = LockNames(type="lock", holder="owner")
PROCS = ThreadNames(list="proc", id="pid", state="state", cpu="cpu.id", name=("name",), waits_for="chan")


def image_of(source: str, arch: str = "aarch64") -> ElfImage:
    return ElfImage(io.BytesIO(compile_c(source, arch=arch)), name="kernel.elf")


def plan(
    image: ElfImage,
    *,
    threads: ThreadNames | None = None,
    locks: LockNames | None = None,
    queue_length: str | None = None,
    base: int = 0,
) -> SchedulerPlan:
    rules = HangRules(threads=threads, locks=locks, queue_length=queue_length)
    return plan_scheduler(image, Structures(image), rules, base=base)


def read(
    source: str,
    arch: str = "aarch64",
    *,
    threads: ThreadNames | None = None,
    locks: LockNames | None = None,
) -> SchedulerState:
    """Plan from the program's DWARF and read the program's own initial data."""
    image = image_of(source, arch)
    return read_scheduler(image, plan(image, threads=threads, locks=locks))


def address_of(image: ElfImage, name: str) -> int:
    symbol = image.symbols.find(name)
    assert symbol is not None
    return symbol.address


class Patched:
    """Memory with some bytes other than they were; None: cannot be read."""

    def __init__(self, memory: Memory, address: int, content: bytes | None, size: int = 8) -> None:
        self.reads = 0
        self._memory = memory
        self._address = address
        self._content = content
        self._size = size if content is None else len(content)

    def read(self, address: int, size: int) -> bytes | None:
        self.reads += 1
        raw = self._memory.read(address, size)
        start, end = self._address - address, self._address + self._size - address
        if raw is None or end <= 0 or start >= size:
            return raw
        if self._content is None:
            return None
        under = bytearray(raw)
        for index, byte in enumerate(self._content):
            if 0 <= start + index < size:
                under[start + index] = byte
        return bytes(under)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_chain_of_threads_is_followed_to_its_end(arch: str) -> None:
    state = read(CHAIN, arch, threads=THREADS)
    assert [(t.id, t.state, t.cpu, t.name, t.waits_for) for t in state.threads] == [
        (1, "THREAD_RUNNING", -1, "idle/0", ""),
        (2, "THREAD_READY", 0, r"worker\x1b[2J", ""),
        (3, "THREAD_BLOCKED", 1, "sh", "console_queue"),
    ]
    assert state.missing == ()


def test_a_chain_that_is_a_ring_ends_where_it_began() -> None:
    ring = CHAIN.replace(".waiting_on = &console_queue }", ".all_next = &first_ }").replace(
        "&first_", "&first"
    )
    state = read("struct thread; extern struct thread first;\n" + ring, threads=THREADS)
    assert ([t.id for t in state.threads], state.missing) == ([1, 2, 3], ())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_array_of_threads_is_read_without_its_unused_elements(arch: str) -> None:
    state = read(XV6, arch, threads=PROCS)
    assert [(t.id, t.state, t.cpu, t.name, t.waits_for) for t in state.threads] == [
        (1, "RUNNING", 1, "init", ""),
        (2, "SLEEPING", None, "sh", "proc"),
        (5, "RUNNABLE", None, "ls", ""),
    ]


def test_unused_elements_can_be_told_by_number() -> None:
    state = read(XV6, threads=PROCS.model_copy(update={"unused": (0, 1)}))
    assert [(t.id, t.state_number) for t in state.threads] == [(1, 3), (5, 2)]


def test_an_array_of_pointers_is_read_without_its_null_ones() -> None:
    state = read(XV6, threads=PROCS.model_copy(update={"list": "table"}))
    assert [t.id for t in state.threads] == [2, 5]


def rust_memory(
    image: ElfImage, name: str, content: Sequence[int], *more: tuple[int, Sequence[int]]
) -> Memory:
    """Return memory with 64-bit words in a variable, and at further addresses."""
    words = [(address_of(image, name), content), *more]
    return RecordedMemory(
        Block(address=at, content=b"".join(word.to_bytes(8, "little") for word in words))
        for at, words in words
    )


def test_slots_of_rust_s_that_hold_nothing_are_no_threads() -> None:
    image = ElfImage(io.BytesIO(compile_ir(RUST)), name="kernel.elf")
    planned = plan(image, threads=ThreadNames(list="task::SLOTS", id="id", state="id"))
    memory = rust_memory(image, "SLOTS", [1, 7, 0, 0, 8, 0, 1, 9, 0])
    assert [t.id for t in read_scheduler(memory, planned).threads] == [7, 9]


def test_a_vector_of_rust_s_is_read_as_far_as_it_is_long() -> None:
    image = ElfImage(io.BytesIO(compile_ir(RUST)), name="kernel.elf")
    planned = plan(image, threads=ThreadNames(list="task::LIST", id="id", state="id"))
    listed = (0x9000, [0x9100, 0x9200, 0x9100])
    memory = rust_memory(image, "LIST", [3, 0x9000, 2], listed, (0x9100, [4, 0]), (0x9200, [5, 0]))
    state = read_scheduler(memory, planned)
    assert ([t.id for t in state.threads], state.missing) == ([4, 5], ())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_global_lock_is_found_also_inside_structures_and_arrays(arch: str) -> None:
    state = read(CHAIN, arch, locks=LOCKS)
    assert {(lock.symbol, lock.name, lock.held, lock.holder) for lock in state.locks} == {
        ("heap_lock", "heap", True, 2),
        ("tree_lock", "tree", False, None),
        ("console.lock", "console.lock", True, None),
        ("slots[0].lock", "slots[0].lock", False, None),
        ("slots[1].lock", "slot", True, 0),
    }
    assert all(lock.size == 16 for lock in state.locks)


def test_without_a_flag_a_lock_is_held_while_it_has_a_holder() -> None:
    state = read(CHAIN, locks=LOCKS.model_copy(update={"held": None}))
    assert {lock.name: lock.holder for lock in state.locks if lock.held} == {
        "heap": 2,
        "slot": 0,
        "slots[0].lock": 0,
    }


def test_a_holder_of_minus_one_is_none_also_where_the_member_has_no_sign() -> None:
    state = read("struct lock { unsigned owner; } free_lock = { -1u }, held_lock = { 3 };\n", locks=OWNED)
    assert {lock.symbol: lock.holder for lock in state.locks} == {"free_lock": None, "held_lock": 3}
    assert [lock.symbol for lock in state.locks if lock.held] == ["held_lock"]


def test_the_run_queue_s_length_needs_no_dwarf() -> None:
    image = ElfImage(io.BytesIO(compile_c(CHAIN, options=("-g0",))), name="kernel.elf")
    assert read_scheduler(image, plan(image, queue_length="queue_length")).queue_length == 7
    image = image_of(CHAIN)
    assert read_scheduler(image, plan(image, queue_length="queue_length")).queue_length == 7


def test_a_position_independent_kernel_is_read_where_it_runs() -> None:
    image, base = image_of(CHAIN), 0x10000000000
    moved = plan(image, base=base, threads=THREADS, locks=LOCKS)
    assert moved.threads is not None
    assert moved.threads.address == address_of(image, "all_threads") + base
    assert address_of(image, "heap_lock") + base in {lock.address for lock in moved.locks}


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ({"list": "all_thread"}, "threads: no variable all_thread is in the DWARF"),
        ({"id": "pid"}, "threads: thread has no member pid; did you mean tid?"),
        ({"next": None}, "threads: all_threads is a pointer: `next` must say"),
        ({"list": "queue_length"}, "threads: queue_length is neither a pointer nor an array"),
        ({"next": "process"}, "threads: process points to a process, not to a thread"),
        ({"cpu": "process"}, ""),
    ],
)
def test_what_the_kernel_does_not_have_is_told(update: dict[str, str], reason: str) -> None:
    found = plan(image_of(CHAIN), threads=THREADS.model_copy(update=update))
    assert (found.threads is None) == bool(reason)
    assert all(said.startswith(reason) for said in found.missing)


def test_links_that_do_not_lead_to_threads_are_refused() -> None:
    names = ThreadNames(list="odd_list", next="link.next", id="tid", state="state")
    assert plan(image_of(XV6), threads=names).missing == (
        "threads: link.next points to a node, not to a odd",
    )


def test_a_kernel_without_dwarf_says_so() -> None:
    image = ElfImage(io.BytesIO(compile_c(CHAIN, options=("-g0",))), name="kernel.elf")
    assert plan(image, threads=THREADS).missing == ("threads: the kernel's file has no DWARF",)


def test_a_chain_that_leads_back_into_itself_is_told() -> None:
    image = image_of(CHAIN)
    planned = plan(image, threads=THREADS)
    assert planned.threads is not None
    assert planned.threads.next is not None
    second, third = address_of(image, "second"), address_of(image, "third")
    link = third + planned.threads.next.offsets[0]
    state = read_scheduler(Patched(image, link, second.to_bytes(8, "little")), planned)
    assert [t.id for t in state.threads] == [1, 2, 3]
    assert state.missing == (f"threads: the chain leads back to {second:#x}",)


def test_a_thread_that_cannot_be_read_ends_the_list_with_its_address() -> None:
    image = image_of(CHAIN)
    second = address_of(image, "second")
    state = read_scheduler(Patched(image, second, None, size=4), plan(image, threads=THREADS))
    assert [t.id for t in state.threads] == [1]
    assert state.missing == (f"threads: the one at {second:#x} cannot be read",)


def test_a_state_that_has_no_name_is_told_as_its_number() -> None:
    image = image_of(CHAIN)
    second = address_of(image, "second")
    state = read_scheduler(Patched(image, second + 4, b"\x63\0\0\0"), plan(image, threads=THREADS))
    assert [t.state for t in state.threads] == ["THREAD_RUNNING", "99", "THREAD_BLOCKED"]
    assert state.missing == ("threads: 1 in states that have no name",)


def test_what_cannot_be_read_at_all_is_told_once_each() -> None:
    image = image_of(CHAIN)
    planned = plan(image, threads=THREADS, locks=LOCKS, queue_length="queue_length")
    state = read_scheduler(RecordedMemory(()), planned)
    assert (state.threads, state.locks, state.queue_length) == ((), (), None)
    assert [reason.split(" ", 1)[0] for reason in state.missing] == ["threads:", "locks:", "the"]


def test_fifty_threads_are_read_in_less_than_five_milliseconds_and_two_reads_each() -> None:
    planned = plan(image_of(CHAIN), threads=THREADS)
    assert planned.threads is not None
    size, at = planned.threads.size, 0x100000
    blocks = [Block(address=planned.threads.address, content=at.to_bytes(8, "little"))]
    for number in range(50):
        thread = bytearray(size)
        thread[0] = number + 1
        following = at + (number + 1) * 256 if number < 49 else 0
        thread[-8:] = following.to_bytes(8, "little")
        thread[16:24] = (0x900000).to_bytes(8, "little")
        blocks.append(Block(address=at + number * 256, content=bytes(thread)))
    blocks.append(Block(address=0x900000, content=b"shell".ljust(16, b"\0")))
    memory = Patched(RecordedMemory(blocks), 0, b"")
    start = time.process_time()
    state = read_scheduler(memory, planned)
    assert time.process_time() - start < 0.005
    assert (len(state.threads), state.threads[49].name) == (50, "shell")
    assert memory.reads <= 2 * 50 + 1


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_sample_kernel_s_scheduler_is_planned_by_its_own_parity_toml(arch: str) -> None:
    file = ROOT / "kernel" / "build" / arch / "duet.elf"
    if not file.exists():
        pytest.skip("the sample kernel is not built: make -C kernel")
    image = read_elf(file)
    rules = load_configuration(ROOT / "parity.toml").target(arch).hang
    found = plan_scheduler(image, Structures(image), rules)
    assert found.missing == ()
    assert found.threads is not None
    assert (found.threads.listing, found.threads.address) == (Listing.CHAIN, address_of(image, "all_threads"))
    assert dict(found.threads.state.names)[2] == "THREAD_BLOCKED"
    assert {lock.symbol for lock in found.locks} >= {
        "tree_lock",
        "process_lock",
        "scheduler_lock",
        "heap_lock",
    }
    assert found.queue_length is not None
    assert found.queue_length[0] == address_of(image, "queue_length")


def test_locks_that_lie_together_take_one_read() -> None:
    image = image_of(CHAIN)
    planned = plan(image, locks=LOCKS)
    memory = Patched(image, 0, b"")
    state = read_scheduler(memory, planned)
    assert len(state.locks) == 5
    assert memory.reads <= 2 + 2  # the data and the zeroed data; two locks have no name to read


def test_a_list_that_leads_into_what_are_no_threads_is_left() -> None:
    image = image_of(CHAIN)
    planned = plan(image, threads=THREADS)
    assert planned.threads is not None
    size, blocks = planned.threads.size, []
    for at in range(0x1000, 0x100000, 0x1000):
        garbage = bytearray(b"\x99" * size)
        garbage[-8:] = (at + 0x1000).to_bytes(8, "little")
        blocks.append(Block(address=at, content=bytes(garbage)))
    blocks.append(Block(address=planned.threads.address, content=(0x1000).to_bytes(8, "little")))
    state = read_scheduler(RecordedMemory(blocks), planned)
    assert len(state.threads) == 33
    assert state.missing == ("threads: more than 32 in states that have no name: these are no threads",)


class Noise:
    """Memory in which anything can be anywhere; the same address always holds the same."""

    def __init__(self, pattern: bytes, hole: int) -> None:
        self._pattern = pattern
        self._hole = hole

    def read(self, address: int, size: int) -> bytes | None:
        if address < 0 or address % 7 == self._hole:
            return None
        start = address % len(self._pattern)
        return (self._pattern * (size // len(self._pattern) + 2))[start : start + size]


@settings(max_examples=60, deadline=None)
@given(
    st.binary(min_size=1, max_size=64), st.integers(0, 7), st.sampled_from(["all_threads", "proc", "table"])
)
def test_whatever_memory_holds_the_reading_ends(pattern: bytes, hole: int, listed: str) -> None:
    if listed == "all_threads":
        planned = plan(image_of(CHAIN), threads=THREADS, locks=LOCKS, queue_length="queue_length")
    else:
        planned = plan(image_of(XV6), threads=PROCS.model_copy(update={"list": listed}))
    state = read_scheduler(Noise(pattern, hole), planned)
    assert len(state.threads) <= 4096
    assert all(text.isprintable() for t in state.threads for text in (t.name, t.state, t.waits_for))
    assert all(lock.name.isprintable() for lock in state.locks)
