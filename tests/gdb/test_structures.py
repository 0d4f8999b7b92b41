"""DWARF of real compilers: where members are, behind what typedefs, pointers and wrappers."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdb.guest.memory import Block, RecordedMemory
from gdb.guest.place import PathError, place_of, text_place_of
from gdb.kernel_file.elf_image import ElfImage
from gdb.kernel_file.structures import Kind, Structures, Variable
from parity.errors import UsageError
from tests.support.compiled import ARCHITECTURES, compile_c, compile_cxx, compile_ir

RUST = (Path(__file__).parent / "sources" / "rust_types.ll").read_text(encoding="utf-8")

KERNEL = """
typedef unsigned long u64;
enum state { READY, RUNNING = 5, LOST = -1 };
struct cell { volatile u64 value; };
struct atomic { struct cell inner; };
struct process { char name[32]; const char *label; struct thread *main; };
typedef struct thread {
    int id;
    const volatile enum state state;
    struct process *process;
    _Atomic(struct thread *) next;
    struct atomic ticks;
    union { struct { short low, high; }; int both; };
    unsigned few : 3;
    _Bool busy;
    struct { int x, y; } grid[2][3];
    struct text { const char *bytes; u64 length; } title;
} thread_t;
struct elsewhere;
extern struct elsewhere *hidden;
extern int only_declared;
struct process init = { "init", "first", 0 };
thread_t first = { .id = -7, .state = LOST, .process = &init, .title = { "abcdef", 3 } };
thread_t *all = &first;
static int twice = 1;
int use(void) { static int inside; return twice + inside++ + only_declared + (hidden != 0); }
"""
OTHER = """
struct elsewhere { long a, b; } there;
struct elsewhere *hidden = &there;
int only_declared = 3;
static int twice = 2;
int use2(void) { return twice; }
"""


def structures_of(content: bytes) -> Structures:
    return Structures(ElfImage(io.BytesIO(content), name="kernel.elf"))


def variable(structures: Structures, name: str) -> Variable:
    found = structures.variable(name)
    assert found is not None, name
    return found


@pytest.fixture(params=[(arch, form) for arch in ARCHITECTURES for form in ("-gdwarf-4", "-gdwarf-5")])
def kernel(request: pytest.FixtureRequest) -> ElfImage:
    arch, form = request.param
    return ElfImage(io.BytesIO(compile_c(KERNEL, OTHER, arch=arch, options=(form,))), name="kernel.elf")


def test_a_global_variable_has_its_symbol_s_address_and_its_type(kernel: ElfImage) -> None:
    first = variable(Structures(kernel), "first")
    symbol = kernel.symbols.find("first")
    assert symbol is not None
    assert (first.address, first.type.size) == (symbol.address, symbol.size)
    assert (first.type.kind, first.type.name) == (Kind.STRUCTURE, "thread")


@pytest.mark.parametrize(
    ("path", "value"),
    [("id", -7), ("state", -1), ("ticks", 0), ("ticks.value", 0), ("both", 0), ("title.length", 3)],
)
def test_numbers_are_read_by_member_path(kernel: ElfImage, path: str, value: int) -> None:
    first = variable(Structures(kernel), "first")
    assert place_of(first.type, path).read(kernel, first.address) == value


def test_a_member_path_follows_pointers_on_its_way_and_that_of_the_variable_itself(kernel: ElfImage) -> None:
    structures = Structures(kernel)
    listed = variable(structures, "all")
    assert place_of(listed.type, "process.main").offsets == (0, 8, 40)
    assert place_of(listed.type, "process.main").read(kernel, listed.address) == 0
    assert place_of(listed.type, "next.next.id").locate(kernel, listed.address) is None


def test_members_of_unnamed_members_are_the_structure_s_own(kernel: ElfImage) -> None:
    thread = variable(Structures(kernel), "first").type
    both, high = thread.members["both"], thread.members["high"]
    assert (high.offset - both.offset, high.type.size) == (2, 2)


@pytest.mark.parametrize("form", ["-gdwarf-4", "-gdwarf-5"])
def test_members_of_cxx_classes_and_their_bases_are_found_and_static_ones_are_none(form: str) -> None:
    source = """
    namespace Kernel {
    struct Listed { Listed *next = nullptr; };
    class Thread : public Listed {
    public:
        static int count;
        int id = 7;
        enum class State : unsigned char { Ready, Blocked } state = State::Blocked;
    };
    int Thread::count = 1;
    static Thread first;
    Thread *all = &first;
    }
    """
    elf = ElfImage(io.BytesIO(compile_cxx(source, options=(form,))), name="kernel.elf")
    listed = variable(Structures(elf), "Kernel::all")
    assert place_of(listed.type, "id").read(elf, listed.address) == 7
    assert place_of(listed.type, "next").read(elf, listed.address) == 0
    state = place_of(listed.type, "state")
    assert state.name_of(state.read(elf, listed.address) or 0) == "Blocked"
    thread = listed.type.target
    assert thread is not None
    assert set(thread.members) == {"next", "id", "state"}


def test_elements_of_arrays_are_reached_by_number(kernel: ElfImage) -> None:
    thread = variable(Structures(kernel), "first").type
    grid = thread.members["grid"]
    assert (grid.type.count, grid.type.size) == (6, 48)
    assert place_of(thread, "grid.4.y").offsets == (grid.offset + 4 * 8 + 4,)
    with pytest.raises(PathError):
        place_of(thread, "grid.6.y")


def test_an_enumeration_has_names_also_for_negative_values(kernel: ElfImage) -> None:
    structures = Structures(kernel)
    assert structures.enumerators("state") == {0: "READY", 5: "RUNNING", -1: "LOST"}
    place = place_of(variable(structures, "first").type, "state")
    assert (place.name_of(-1), place.name_of(5), place.name_of(99)) == ("LOST", "RUNNING", "99")


def test_texts_are_read_where_they_lie_and_behind_pointers(kernel: ElfImage) -> None:
    first = variable(Structures(kernel), "first")
    texts = [
        text_place_of(first.type, path).read(kernel, first.address)
        for path in ("process.name", "process.label", "title")
    ]
    assert texts == ["init", "first", "abc"]


def test_a_declaration_never_wins_over_a_definition(kernel: ElfImage) -> None:
    structures = Structures(kernel)
    assert variable(structures, "only_declared").type.size == 4
    hidden = variable(structures, "hidden").type.target
    assert hidden is not None
    assert list(hidden.members) == ["a", "b"]


def test_a_name_that_two_files_use_for_themselves_names_neither(kernel: ElfImage) -> None:
    structures = Structures(kernel)
    assert structures.variable("twice") is None
    assert sum(one.name == "twice" for one in structures.variables()) == 2


def test_variables_inside_functions_are_none_of_the_globals(kernel: ElfImage) -> None:
    structures = Structures(kernel)
    assert structures.variable("inside") is None
    assert {one.name for one in structures.variables()} >= {"first", "all", "init", "there", "hidden"}


def test_a_typedef_names_a_structure_too(kernel: ElfImage) -> None:
    structures = Structures(kernel)
    by_typedef, by_tag = structures.structure("thread_t"), structures.structure("thread")
    assert by_typedef is not None
    assert by_tag is not None
    assert by_typedef.size == by_tag.size
    assert structures.structure("nothing") is None


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("idd", "thread has no member idd; did you mean id"),
        ("process.nam", "process has no member nam; did you mean name"),
        ("process.name", "process.name is no number: it is a array of 32 bytes"),
        ("few", "has no member few"),
        ("id.x", "int has no member x"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(kernel: ElfImage, path: str, said: str) -> None:
    with pytest.raises(PathError, match=said):
        place_of(variable(Structures(kernel), "first").type, path)


def test_without_dwarf_nothing_is_there() -> None:
    structures = structures_of(compile_c(KERNEL, OTHER, options=("-g0",)))
    assert not structures.is_there
    assert structures.variable("first") is None
    assert list(structures.variables()) == []


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_rust_s_enumerations_with_data_have_a_number_with_names(arch: str) -> None:
    structures = structures_of(compile_ir(RUST, arch=arch))
    state = place_of(variable(structures, "task::STATE").type, "")
    assert (state.offsets, state.size) == ((0,), 1)
    assert dict(state.names) == {0: "Ready", 1: "Blocked"}


def test_rust_s_optional_references_are_followed() -> None:
    structures = structures_of(compile_ir(RUST))
    following = variable(structures, "NEXT")
    assert place_of(following.type, "next.id").offsets == (0, 8, 0)
    memory = RecordedMemory(
        [
            Block(address=following.address, content=(0x1000).to_bytes(8, "little")),
            Block(address=0x1000, content=b"\7\0\0\0\0\0\0\0" + (0x2000).to_bytes(8, "little")),
        ]
    )
    assert place_of(following.type, "id").read(memory, following.address) == 7
    assert place_of(following.type, "next").read(memory, following.address) == 0x2000


def _walk(structures: Structures) -> None:
    for found in structures.variables():
        _ = found.type.size, found.type.number(), found.type.pointer(), found.type.array()
        for member in found.type.members.values():
            _ = member.type.size, member.type.enumerators, member.type.target, member.type.members
        for path in ("id", "state", "process.name", "title", "next.next.process.main.state"):
            for make in (place_of, text_place_of):
                try:
                    make(found.type, path).read(RecordedMemory(()), found.address)
                except PathError:
                    continue


def _dwarf_spans(content: bytes) -> list[tuple[int, int]]:
    image = ElfImage(io.BytesIO(content), name="kernel.elf")
    sections = (image.dwarf.debug_info_sec, image.dwarf.debug_abbrev_sec, image.dwarf.debug_str_offsets_sec)
    return [(section.global_offset, section.size) for section in sections if section is not None]


@settings(max_examples=120, deadline=None)
@given(data=st.data(), form=st.sampled_from(["-gdwarf-4", "-gdwarf-5"]))
def test_damaged_dwarf_is_read_as_far_as_it_goes(data: st.DataObject, form: str) -> None:
    content = bytearray(compile_c(KERNEL, OTHER, options=(form,)))
    spans = _dwarf_spans(bytes(content))
    for _ in range(data.draw(st.integers(1, 6))):
        start, size = data.draw(st.sampled_from(spans))
        content[start + data.draw(st.integers(0, size - 1))] = data.draw(st.integers(0, 255))
    try:
        structures = structures_of(bytes(content))
    except UsageError:
        return
    _walk(structures)
