"""Names to addresses and back, as debuggers of C and Rust kernels need it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdb.kernel_file.symbols import Symbol, SymbolKind, SymbolTable, decode_symbols, demangle

LEGACY = "_ZN6kernel4task9scheduler4pick17h0123456789abcdefE"
V0 = "_RNvNtCsYFL8Hf1C8z_6kernel4task5sleep"


def symbol(name: str, address: int, size: int = 0, kind: SymbolKind = SymbolKind.FUNCTION) -> Symbol:
    return Symbol(name=name, address=address, size=size, kind=kind)


def name_at(table: SymbolTable, address: int) -> tuple[str, int] | None:
    found = table.at(address)
    return found and (found[0].name, found[1])


def test_an_address_inside_a_function_is_named_with_its_offset() -> None:
    table = SymbolTable([symbol("a", 0x1000, 0x10), symbol("b", 0x1010, 0x20)])
    assert name_at(table, 0x100F) == ("a", 15)
    assert name_at(table, 0x1010) == ("b", 0)


def test_an_address_between_two_sized_functions_belongs_to_none() -> None:
    table = SymbolTable([symbol("a", 0x1000, 8), symbol("b", 0x1010, 8)])
    assert table.at(0x1008) is None
    assert table.at(0xFFF) is None
    assert table.at(0x1018) is None


def test_a_symbol_without_a_size_reaches_to_the_next_one() -> None:
    table = SymbolTable([symbol("a", 0x1000), symbol("b", 0x1010, 8)])
    assert name_at(table, 0x100F) == ("a", 15)
    assert name_at(table, 0x1010) == ("b", 0)


def test_a_symbol_without_a_size_ends_with_its_section() -> None:
    table = SymbolTable([symbol("last", 0x1000)], ends=[0x1020, 0x800])
    assert name_at(table, 0x101F) == ("last", 31)
    assert table.at(0x1020) is None


def test_a_label_inside_a_sized_function_does_not_hide_it() -> None:
    table = SymbolTable([symbol("f", 0x1000, 0x40), symbol("again", 0x1010, kind=SymbolKind.LABEL)])
    assert name_at(table, 0x1014) == ("f", 0x14)


def test_of_several_names_at_one_address_a_function_s_is_preferred() -> None:
    table = SymbolTable([symbol("f", 0x1000, 8), symbol("text_start", 0x1000, kind=SymbolKind.LABEL)])
    assert name_at(table, 0x1000) == ("f", 0)


def test_a_relocated_table_speaks_of_where_the_kernel_runs() -> None:
    table = SymbolTable([symbol("f", 0x1000, 8)]).relocated(0x10000000000)
    found = table.find("f")
    assert found is not None
    assert found.address == 0x10000001000
    assert name_at(table, 0x10000001004) == ("f", 4)
    assert table.at(0x1004) is None


def test_absolute_numbers_are_found_by_name_but_are_no_place() -> None:
    table = SymbolTable([symbol("SIZE", 0x1000, kind=SymbolKind.ABSOLUTE)]).relocated(0x100)
    found = table.find("SIZE")
    assert found is not None
    assert found.address == 0x1000
    assert table.at(0x1100) is None


@pytest.mark.parametrize("mangled", [LEGACY, V0])
def test_rust_names_are_found_by_path_and_by_the_end_of_a_path(mangled: str) -> None:
    table = SymbolTable([symbol(mangled, 0x1000, 8), symbol("main", 0x2000, 8)])
    path = demangle(mangled)
    for name in (mangled, path, path.removeprefix("kernel::"), path.rsplit("::", 1)[1]):
        found = table.find(name)
        assert found is not None
        assert found.name == mangled, name


def test_the_end_of_a_path_that_fits_two_functions_finds_none() -> None:
    table = SymbolTable([symbol("_ZN1a4pickE", 0x1000, 8), symbol("_ZN1b4pickE", 0x2000, 8)])
    assert table.find("pick") is None
    assert table.find("b::pick") is not None


def test_a_linker_name_wins_over_a_path() -> None:
    table = SymbolTable([symbol("_ZN1a4pickE", 0x1000, 8), symbol("pick", 0x2000, 8)])
    found = table.find("pick")
    assert found is not None
    assert found.address == 0x2000


def test_a_name_that_several_files_use_for_themselves_finds_none() -> None:
    own = [Symbol(name="lock", address=at, size=8, kind=SymbolKind.OBJECT, is_global=False) for at in (8, 16)]
    assert SymbolTable(own).find("lock") is None
    found = SymbolTable([*own, symbol("lock", 0x2000, 8, SymbolKind.OBJECT)]).find("lock")
    assert found is not None
    assert found.address == 0x2000


def test_demangling_strips_the_hash() -> None:
    assert demangle(LEGACY) == "kernel::task::scheduler::pick"
    assert demangle(V0) == "kernel::task::sleep"


@pytest.mark.parametrize("name", ["main", "_Z", "_ZN", "_R", "R", "_ZN9", "_RNvC", "_RINv", "", "_RB_"])
def test_what_is_not_mangled_stays_as_it_is(name: str) -> None:
    assert demangle(name) == name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("_Z3foov", "foo"),
        ("_ZN6Kernel8SpinLock4lockEv", "Kernel::SpinLock::lock"),
        ("_ZN6KernelL6s_rootE", "Kernel::s_root"),
        ("_ZNK6Kernel6Thread4nameEv", "Kernel::Thread::name"),
        ("_ZN6Kernel6LockerINS_8SpinLockEE4lockEv", "Kernel::Locker<Kernel::SpinLock>::lock"),
        ("_ZTVN6Kernel4BaseE", "vtable for Kernel::Base"),
    ],
)
def test_cxx_names_are_shown_as_paths(name: str, path: str) -> None:
    assert demangle(name) == path


def test_a_cxx_name_that_would_fill_pages_stays_as_it_is() -> None:
    doubling = "_Z1fI1AE" + "".join(f"1BI{ref}{ref}E" for ref in ["S0_", *(f"S{n:X}_" for n in range(1, 30))])
    assert len(demangle(doubling)) < 100_000
    assert demangle("_Z1f" + "S0_" * 25) == "_Z1f" + "S0_" * 25


def test_a_cxx_variable_is_found_by_its_path() -> None:
    table = SymbolTable([symbol("_ZN6KernelL6s_rootE", 0x1000, 8, SymbolKind.OBJECT)])
    assert [found.address for name in ("Kernel::s_root", "s_root") if (found := table.find(name))] == [
        0x1000
    ] * 2


def test_demangling_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    half_known = (
        "_RINvNtCsgEmfK2I1SDS_4core3ptr13drop_in_placeINtNtCslNYArtu3iFV_5alloc5boxed3BoxDG0_INtNtNtB4_3ops8function"
        "2FnTRL1_INtNtCsjrHSEGnQ3l9_3std5panic13PanicHookInfoL0_EEEp6OutputuNtNtB4_6marker4SyncNtB2N_4SendEL_EEB1T_"
    )
    assert "drop_in_place" in demangle(half_known)
    assert capsys.readouterr().out == ""


def test_undefined_symbols_and_mapping_symbols_are_left_out() -> None:
    names = b"\0f\0$x\0$d.1\0.Ltmp\0"
    rows = [(1, 0), (1, 1), (3, 1), (6, 1), (11, 1)]
    table = b"".join(
        name.to_bytes(4, "little") + bytes([0x12, 0]) + section.to_bytes(2, "little") + bytes(16)
        for name, section in rows
    )
    assert [found.name for found in decode_symbols(table, names)] == ["f"]


def test_a_hundred_thousand_symbols_take_less_than_a_second() -> None:
    rows, names = bytearray(), bytearray(b"\0")
    for index in range(100_000):
        rows += len(names).to_bytes(4, "little") + b"\x12\0\1\0"
        rows += (index * 16).to_bytes(8, "little") + (16).to_bytes(8, "little")
        names += b"_ZN6kernel7f%06d17h%016xE\0" % (index, index)
    start = time.process_time()
    table = SymbolTable(decode_symbols(bytes(rows), bytes(names)))
    assert name_at(table, 16 * 77_777 + 3) == ("_ZN6kernel7f07777717h0000000000012fd1E", 3)
    assert table.find("kernel::f077777") is not None
    assert time.process_time() - start < 1


@given(st.one_of(st.text(), st.from_regex(r"_?(_ZN?|_R)[A-Za-z0-9_.$]{0,60}", fullmatch=True)))
def test_demangling_never_fails(name: str) -> None:
    assert isinstance(demangle(name), str)


@given(st.binary(max_size=200), st.binary(max_size=60), st.sampled_from([32, 64]), st.integers(0, 2**64 - 1))
def test_any_bytes_are_a_symbol_table(table: bytes, names: bytes, bits: int, address: int) -> None:
    symbols = SymbolTable(decode_symbols(table, names, is_64_bit=bits == 64), ends=[1 << 20])
    symbols.at(address)
    for symbol in symbols.symbols:
        found = symbols.find(symbol.name)
        assert found is None or found.name == symbol.name
