"""One fault in parity.toml each, and what its user is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from parity.configuration import find_file, load_configuration
from parity.errors import ConfigurationError

Fault = Callable[[str | bytes], ConfigurationError]


# --- The file itself


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(tmp_path / "parity.toml")
    assert caught.value.message == f"{tmp_path / 'parity.toml'}: there is no such file"


def test_no_file_here_or_above_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_file(tmp_path)
    assert caught.value.file == tmp_path.resolve()
    assert "--config" in (caught.value.hint or "")


def test_a_folder_in_place_of_the_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "parity.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_configuration(tmp_path / "parity.toml")


def test_broken_toml_says_the_line(fault: Fault) -> None:
    assert "is not valid TOML" in fault("[kernel]\nname = \n").problem
    assert "line 2" in fault("[kernel]\nname = \n").problem


def test_a_byte_that_is_not_utf_8_is_counted(fault: Fault) -> None:
    assert fault(b'name = "\xff"').problem == "is not UTF-8 (byte 8)"


def test_a_number_of_thousands_of_digits_is_not_valid(fault: Fault) -> None:
    assert "is not valid TOML" in fault("x = " + "9" * 5000).problem


def test_brackets_without_end_are_a_fault_and_no_crash(fault: Fault) -> None:
    assert "nested too deeply" in fault("x = " + "[" * 100_000).problem


# --- Keys


@pytest.mark.parametrize(
    ("table", "line", "key", "near"),
    [
        ("", "kernal = 1", "kernal", "kernel"),
        ("", "default = 1", "default", "defaults"),
        ("[kernel]", "nmae = 'x'", "kernel.nmae", "name"),
        ("[tests]", "name = []", "tests.name", "names"),
        ("[results]", "databse = 'x'", "results.databse", "database"),
        ("[target.port]", "memory_mb = 64", "target.port.memory_mb", "memory_mib"),
        ("[target.port.budget]", "boots_s = 64", "target.port.budget.boots_s", "boot_s"),
        ("[target.port.boot]", "retry = 64", "target.port.boot.retry", "retries"),
        ("[target.port.verdict]", "passes = []", "target.port.verdict.passes", "pass"),
        ("[target.port.verdict]", "passed = []", "target.port.verdict.passed", "pass"),
        ("[target.port.firmware]", "cod = 'x'", "target.port.firmware.cod", "code"),
        ("[[target.port.disk]]", "imgae = 'x'", "target.port.disk.0.imgae", "image"),
        ("[test.fork_test]", "target = []", "test.fork_test.target", "targets"),
        ("[defaults]", "cpu_s = 1", "defaults.cpu_s", "cpus"),
        ("[defaults.budget]", "test = 1", "defaults.budget.test", "test_s"),
    ],
)
def test_an_unknown_key_offers_the_nearest_at_every_level(
    *, fault: Fault, minimal: str, table: str, line: str, key: str, near: str
) -> None:
    content = f"{line}\n{minimal}" if not table else _with(minimal, table, line)
    error = fault(content)
    assert (error.key, error.problem) == (key, "unknown key")
    assert near in (error.hint or "")


def test_an_unknown_key_of_a_delivery_is_named_without_its_kind(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace('kind = "shell"', 'kind = "shell", promt = "x"'))
    assert (error.key, error.problem) == ("target.port.delivery.promt", "unknown key")
    assert "prompt" in (error.hint or "")


def test_an_unknown_key_of_typing_is_named(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace('kind = "shell"', 'kind = "shell", typing = { paec_ms = 1 }'))
    assert error.key == "target.port.delivery.typing.paec_ms"
    assert "pace_ms" in (error.hint or "")


def test_an_unknown_key_like_no_other_lists_the_known_ones(fault: Fault, minimal: str) -> None:
    assert "known keys: document," in (fault(_with(minimal, "[kernel]", "zzzzz = 1")).hint or "")


@pytest.mark.parametrize(
    ("old", "key"),
    [
        ('name = "toy"', "kernel.name"),
        ('arch = "aarch64"', "target.port.arch"),
        ('machine = "virt"', "target.port.machine"),
        (', prompt = "toy> $"', "target.port.delivery.prompt"),
        ('kind = "shell", ', "target.port.delivery.kind"),
        ('delivery = { kind = "shell", prompt = "toy> $" }', "target.port.delivery"),
    ],
)
def test_a_missing_key_is_named(fault: Fault, minimal: str, old: str, key: str) -> None:
    assert old in minimal
    error = fault(minimal.replace(old, ""))
    assert (error.key, error.problem) == (key, "is missing")


def test_an_empty_file_lacks_its_kernel(fault: Fault) -> None:
    assert (fault("").key, fault("").problem) == ("kernel", "is missing")


def test_a_file_without_targets_says_so(fault: Fault) -> None:
    assert fault('[kernel]\nname = "toy"\n').key == "target"


# --- Values


@pytest.mark.parametrize(
    ("table", "line", "key", "problem"),
    [
        ("[target.port]", 'cpus = "4"', "target.port.cpus", "valid integer (got '4')"),
        ("[target.port]", "cpus = 1.5", "target.port.cpus", "valid integer (got 1.5)"),
        ("[target.port]", "cpus = true", "target.port.cpus", "valid integer (got True)"),
        ("[target.port]", "cpus = 0", "target.port.cpus", "greater than or equal to 1 (got 0)"),
        ("[target.port]", "cpu = 5", "target.port.cpu", "valid string (got 5)"),
        ("[target.port]", "serial = []", "target.port.serial", "at least 1 item"),
        ("[target.port]", "serial = 'com1'", "target.port.serial", "must be a list (got 'com1')"),
        ("[target.port]", "serial = ['a/b']", "target.port.serial.0", "is no name"),
        ("[target.port]", "serial = ['a', 'a']", "target.port.serial", "have the same name"),
        (
            "[target.port]",
            "arguments = ['-nographic']",
            "target.port.arguments",
            "-nographic is parity's own",
        ),
        ("[target.port]", "arguments = ['-append', 'x']", "target.port.arguments", "-append is parity's own"),
        ("[target.port]", "console = 'com2'", "target.port.console", "no serial port is called 'com2'"),
        ("[target.port]", "arguments = [1]", "target.port.arguments.0", "valid string (got 1)"),
        ("[target.port]", "build = ['make']", "target.port.build.0", "must be a list (got 'make')"),
        ("[target.port]", "build = [[]]", "target.port.build.0", "at least 1 item"),
        ("[target.port]", "budget = 5", "target.port.budget", "must be a table (got 5)"),
        ("[target.port]", "accelerator = 'xen'", "target.port.accelerator", "'auto', 'kvm', 'hvf' or 'tcg'"),
        ("[target.port.budget]", "test_s = 0", "target.port.budget.test_s", "greater than 0"),
        ("[target.port.budget]", "test_s = nan", "target.port.budget.test_s", "(got nan)"),
        ("[target.port.budget]", "test_s = inf", "target.port.budget.test_s", "(got inf)"),
        ("[target.port.boot]", "retries = -1", "target.port.boot.retries", "greater than or equal to 0"),
        ("[target.port.verdict]", "pass_status = ['0']", "target.port.verdict.pass_status.0", "integer"),
        (
            "[target.port.verdict]",
            "exit_codes = {x = 'pass'}",
            "target.port.verdict.exit_codes.x",
            "0 to 255",
        ),
        ("[target.port.verdict]", "exit_codes = {33 = 'ok'}", "target.port.verdict.exit_codes.33", "'pass'"),
        ("[kernel]", "goal_percent = 101", "kernel.goal_percent", "less than or equal to 100"),
        ("[kernel]", "source = 1", "kernel.source", "path"),
        ("[target]", "other = 5", "target.other", "must be a table (got 5)"),
        ("[tests]", "path = 5", "tests.path", "valid string (got 5)"),
    ],
)
def test_a_wrong_value_is_shown_beside_what_was_expected(
    *, fault: Fault, minimal: str, table: str, line: str, key: str, problem: str
) -> None:
    error = fault(_with(minimal, table, line))
    assert error.key == key
    assert problem in error.problem


@pytest.mark.parametrize("table", ["kernel", "tests", "results", "target", "test", "defaults"])
def test_a_value_in_place_of_a_table_is_a_fault(fault: Fault, table: str) -> None:
    lines = {"kernel": '{ name = "toy" }', "target": "{ port = { arch = 'aarch64', machine = 'virt' } }"}
    lines["defaults"] = "{ delivery = { kind = 'image' } }"
    error = fault("\n".join(f"{key} = {value}" for key, value in (lines | {table: "5"}).items()))
    assert error.key == table
    assert "must be a table" in error.problem


def test_a_long_value_is_cut(fault: Fault, minimal: str) -> None:
    assert len(fault(_with(minimal, "[target.port]", f"cpus = '{'x' * 100_000}'")).message) < 500


def test_an_unknown_architecture_offers_the_nearest(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace("aarch64", "arm64"))
    assert error.key == "target.port.arch"
    assert "unknown architecture 'arm64'" in error.problem
    assert "aarch64" in (error.hint or "")


def test_an_unknown_kind_of_delivery_offers_the_nearest(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace('"shell"', '"shel"'))
    assert (error.key, error.problem) == (
        "target.port.delivery.kind",
        "no kind of delivery is called 'shel'",
    )
    assert error.hint == "did you mean shell?"


# --- Patterns and fields


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("toy> (", "does not compile: missing ), unterminated subpattern at position 5"),
        ("a{99999999999999999999}", "does not compile"),
        ("[[a]", "does not compile: Possible nested set"),
        ("(?P<status>.)(?P<status>.)", "does not compile: redefinition"),
        ("x*", "matches empty text"),
        ("^$", "matches empty text"),
        ("", "matches empty text"),
        ("run {tset}", "no field is called {tset}"),
    ],
)
def test_a_pattern_that_cannot_work_is_a_fault(
    fault: Fault, minimal: str, pattern: str, problem: str
) -> None:
    error = fault(minimal.replace('"toy> $"', f"'{pattern}'"))
    assert error.key == "target.port.delivery.prompt"
    assert problem in error.problem


def test_one_bad_pattern_among_several_is_counted(fault: Fault, minimal: str) -> None:
    error = fault(_with(minimal, "[target.port.verdict]", "panic = ['PANIC', '(']"))
    assert error.key == "target.port.verdict.panic.1"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("kernel = 'build/{archh}/toy'", "target.port.kernel"),
        ("append = 'test={tets}'", "target.port.append"),
        ("build = [['make', '{tagret}']]", "target.port.build.0.1"),
        ("prepare = [['debugfs', '{dsik}']]", "target.port.prepare.0.1"),
    ],
)
def test_an_unknown_field_offers_the_nearest(fault: Fault, minimal: str, line: str, key: str) -> None:
    error = fault(_with(minimal.replace('kernel = "toy.elf"\n', ""), "[target.port]", line))
    assert error.key == key
    assert error.problem.startswith("no field is called {")
    assert (error.hint or "").startswith("did you mean ")


def test_a_plain_suite_without_a_result_pattern_is_a_fault(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace('{ kind = "shell", prompt = "toy> $" }', '{ kind = "suite" }'))
    assert error.key == "target.port.delivery.result"
    assert "(?P<test>...)" in error.problem


# --- Names that refer to other tables


@pytest.mark.parametrize("key", ["port", "reference"])
def test_a_target_of_the_kernel_that_is_not_there_is_a_fault(fault: Fault, minimal: str, key: str) -> None:
    error = fault(_with(minimal, "[kernel]", f"{key} = 'prot'"))
    assert (error.key, error.problem) == (f"kernel.{key}", "no target is called 'prot'")
    assert error.hint == "did you mean port?"


def test_a_port_that_is_its_own_reference_is_a_fault(fault: Fault, minimal: str) -> None:
    assert fault(_with(minimal, "[kernel]", "port = 'port'\nreference = 'port'")).key == "kernel.port"


def test_a_table_for_a_test_that_is_not_listed_is_a_fault(fault: Fault, minimal: str) -> None:
    error = fault(_with(minimal, "[test.frok_test]", "budget_s = 5"))
    assert (error.key, error.hint) == ("test.frok_test", "did you mean fork_test or pipe_test?")


def test_a_test_meant_for_an_unknown_target_is_a_fault(fault: Fault, minimal: str) -> None:
    error = fault(_with(minimal, "[test.fork_test]", "targets = ['prot']"))
    assert (error.key, error.hint) == ("test.fork_test.targets", "did you mean port?")


def test_a_test_listed_twice_is_a_fault(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace('"pipe_test"', '"fork_test"'))
    assert (error.key, error.problem) == ("tests.names", "'fork_test' is listed twice")


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", "a/b", "a\\nb", "x" * 65])
def test_a_test_name_that_is_no_plain_word_is_a_fault(fault: Fault, minimal: str, name: str) -> None:
    error = fault(minimal.replace("pipe_test", name))
    assert error.key == "tests.names.1"
    assert "is no name" in error.problem


def test_a_target_name_that_is_no_plain_word_is_a_fault(fault: Fault, minimal: str) -> None:
    error = fault(minimal.replace("target.port", 'target."a/b"'))
    assert error.key == "target.a/b"
    assert "is no name" in error.problem


def test_a_list_without_tests_is_a_fault(fault: Fault, minimal: str) -> None:
    assert fault(minimal.replace('"fork_test", "pipe_test"', "")).problem == "names no test"


# --- Files


def test_a_source_folder_that_is_not_there_is_a_fault(fault: Fault, minimal: str) -> None:
    error = fault(_with(minimal, "[kernel]", "source = 'nowhere'"))
    assert (error.key, error.problem) == ("kernel.source", "there is no folder 'nowhere'")


def test_a_source_folder_with_a_name_too_long_is_a_fault(fault: Fault, minimal: str) -> None:
    assert fault(_with(minimal, "[kernel]", f"source = '{'x' * 5000}'")).key == "kernel.source"


@pytest.mark.parametrize("key", ["code", "variables"])
def test_a_firmware_image_that_is_not_there_is_a_fault(
    fault: Fault, tmp_path: Path, minimal: str, key: str
) -> None:
    (tmp_path / "there.fd").touch()
    images = {"code": "there.fd", "variables": "there.fd"} | {key: "missing.fd"}
    lines = "\n".join(f"{name} = '{image}'" for name, image in images.items())
    error = fault(_with(minimal, "[target.port.firmware]", lines))
    assert (error.key, error.problem) == (f"target.port.firmware.{key}", "there is no file 'missing.fd'")


@pytest.mark.parametrize("glob", ["/bin/*", ""])
def test_a_glob_that_cannot_be_one_is_a_fault(fault: Fault, minimal: str, glob: str) -> None:
    assert fault(_with(minimal, "[tests]", f"discover = '{glob}'")).key == "tests.discover"


def test_a_discovered_file_whose_name_is_no_test_name_is_a_fault(
    fault: Fault, tmp_path: Path, minimal: str
) -> None:
    (tmp_path / "a b.c").touch()
    error = fault(_with(minimal, "[tests]", "discover = '*.c'"))
    assert error.key == "tests.discover"
    assert "'a b'" in error.problem


def test_a_glob_that_finds_nothing_is_a_fault_where_no_names_are_listed(fault: Fault, minimal: str) -> None:
    content = minimal.replace('names = ["fork_test", "pipe_test"]', "discover = 'user/*.c'")
    assert (fault(content).key, fault(content).problem) == ("tests.discover", "names no test")


# --- Faults under [defaults]


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ("[defaults]\ncpus = 'x'", "defaults.cpus"),
        ("[defaults.budget]\ntest_s = 'x'", "defaults.budget.test_s"),
        ("[defaults.verdict]\npanic = ['ok', '(']", "defaults.verdict.panic.1"),
        ("[[defaults.disk]]\nformat = 'raw'", "defaults.disk.0.image"),
        ("[defaults]\nconsole = 'com9'", "defaults.console"),
        ("[defaults]\nserial = ['a', 'a']", "defaults.serial"),
    ],
)
def test_a_fault_in_the_defaults_is_named_there(fault: Fault, minimal: str, lines: str, key: str) -> None:
    assert fault(f"{minimal}\n{lines}\n").key == key


@pytest.mark.parametrize(
    ("delivery", "key"),
    [
        ('kind = "shell"', "defaults.delivery.prompt"),
        ('kind = "shel"', "defaults.delivery.kind"),
        ('prompt = "x"', "defaults.delivery.kind"),
        ('kind = "suite"', "defaults.delivery.result"),
        ('kind = "shell"\nprompt = "("', "defaults.delivery.prompt"),
    ],
)
def test_a_fault_in_the_default_delivery_is_named_there(
    fault: Fault, minimal: str, delivery: str, key: str
) -> None:
    without = minimal.replace('delivery = { kind = "shell", prompt = "toy> $" }', "")
    assert fault(f"{without}\n[defaults.delivery]\n{delivery}\n").key == key


def test_a_fault_in_a_target_over_sound_defaults_is_named_in_the_target(fault: Fault, minimal: str) -> None:
    content = _with(minimal, "[target.port]", "cpus = 'x'") + "\n[defaults]\ncpus = 4\n"
    assert fault(content).key == "target.port.cpus"


def _with(content: str, table: str, lines: str) -> str:
    """Add `lines` to a table that is there, or a new table at the end."""
    if f"{table}\n" in content:
        return content.replace(f"{table}\n", f"{table}\n{lines}\n")
    if table == "[target]":
        return content.replace("[target.port]", f"[target]\n{lines}\n[target.port]")
    return f"{content}\n{table}\n{lines}\n"
