from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.errors import ConfigurationError
from parity.flow.document.matrix import count_matrix

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parity.configuration import Configuration
    from parity.document.matrix import Counted

CALLS = """
[[matrix]]
name = "System calls"
files = ["arch/{arch}/*.c"]
pattern = '= sys_(?P<item>\\w+)'
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources in which the port lacks a system call."""
    for arch, calls in (("aarch64", "read write write"), ("x86_64", "read write socket")):
        folder = tmp_path / "arch" / arch
        (folder / "deep").mkdir(parents=True)
        (folder / "table.c").write_text("\n".join(f"[{n}] = sys_{c}," for n, c in enumerate(calls.split())))
        (folder / "deep" / "more.h").write_text("= sys_hidden")
    return tmp_path


def count(configure: Callable[..., Configuration], more: str) -> Counted:
    (row,) = count_matrix(configure("cat_test", more=more))
    return row


@pytest.mark.usefixtures("tree")
def test_a_pattern_counts_each_text_once(configure: Callable[..., Configuration]) -> None:
    row = count(configure, CALLS)
    assert row.items == {"aarch64": ("read", "write"), "x86_64": ("read", "socket", "write")}
    assert (row.missing("x86_64", "aarch64"), row.parity("x86_64", "aarch64")) == (("socket",), (2, 3))


@pytest.mark.usefixtures("tree")
def test_without_a_pattern_the_files_are_counted(configure: Callable[..., Configuration]) -> None:
    row = count(configure, '[[matrix]]\nname = "Files"\nfiles = ["arch/{arch}/**/*.[ch]"]')
    assert row.items["aarch64"] == ("more.h", "table.c")


@pytest.mark.usefixtures("tree")
def test_a_star_stays_within_a_folder(configure: Callable[..., Configuration]) -> None:
    assert count(configure, '[[matrix]]\nname = "x"\nfiles = ["arch/*.h"]').items["aarch64"] == ()


@pytest.mark.usefixtures("tree")
def test_where_names_differ_more_than_the_reference_has_is_all(
    configure: Callable[..., Configuration],
) -> None:
    more = '[[matrix]]\nname = "x"\nfiles = ["arch/x86_64/*.c"]\nsame_names = false\n'
    row = count(configure, more + 'target.aarch64.files = ["arch/**/*.c"]')
    assert (len(row.items["aarch64"]), row.parity("x86_64", "aarch64")) == (2, (1, 1))
    assert row.missing("x86_64", "aarch64") == ()


@pytest.mark.usefixtures("tree")
def test_a_target_may_have_a_pattern_of_its_own(configure: Callable[..., Configuration]) -> None:
    row = count(configure, CALLS + "target.aarch64.pattern = 'sys_r\\w+'\n")
    assert row.items["aarch64"] == ("sys_read",)


def test_links_are_not_followed(configure: Callable[..., Configuration], tree: Path) -> None:
    outside = tree.parent / f"{tree.name}-outside"
    outside.mkdir()
    (outside / "secret.c").write_text("= sys_secret")
    (tree / "arch" / "aarch64" / "link.c").symlink_to(outside / "secret.c")
    (tree / "arch" / "elsewhere").symlink_to(outside)
    assert "secret" not in count(configure, CALLS).items["aarch64"]
    assert not any(count(configure, CALLS.replace("{arch}", "elsewhere")).items.values())


def test_a_file_that_is_no_text_is_counted_as_far_as_it_is(
    configure: Callable[..., Configuration], tree: Path
) -> None:
    (tree / "arch" / "aarch64" / "blob.c").write_bytes(b"\xff\x00 = sys_blob\xff")
    assert "blob" in count(configure, CALLS).items["aarch64"]


def test_without_rows_nothing_is_read(configure: Callable[..., Configuration]) -> None:
    assert count_matrix(configure("cat_test")) == ()


@pytest.mark.parametrize(
    ("row", "key", "problem"),
    [
        ('name = "x"', "matrix.0.files", "is missing"),
        ('name = "x"\nfiles = ["../*.c"]', "matrix.0.files.0", "leads out of the folder"),
        ('name = "x"\nfiles = ["/etc/*"]', "matrix.0.files.0", "leads out of the folder"),
        ('name = "x"\nfiles = ["*.c"]\npattern = "("', "matrix.0.pattern", "does not compile"),
        ('name = "x"\nfiles = ["*.c"]\ntarget.arm.files = ["*.c"]', "matrix.0.target.arm", "no target is called"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_is_told_with_its_key(
    configure: Callable[..., Configuration], row: str, key: str, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        configure("cat_test", more=f"[[matrix]]\n{row}\n")
    assert caught.value.key == key


@pytest.mark.usefixtures("tree")
def test_it_is_known_whether_a_row_found_any_file(configure: Callable[..., Configuration]) -> None:
    assert count(configure, CALLS).files == 2
    assert count(configure, CALLS.replace("*.c", "*.rs")).files == 0
