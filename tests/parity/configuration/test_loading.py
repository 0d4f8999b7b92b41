"""A sound parity.toml, and what comes of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from parity.architecture import AARCH64
from parity.configuration import (
    Configuration,
    ImageDelivery,
    ShellDelivery,
    SuiteDelivery,
    find_file,
    load_configuration,
)
from parity.errors import UnknownNameError

Load = Callable[[str | bytes], Configuration]
ROOT = Path(__file__).parents[3]


def test_the_nearest_file_upward_is_found(tmp_path: Path) -> None:
    (tmp_path / "parity.toml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_file(tmp_path / "a" / "b") == (tmp_path / "parity.toml").resolve()


def test_a_nearer_file_hides_one_above(tmp_path: Path) -> None:
    (tmp_path / "parity.toml").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "parity.toml").touch()
    assert find_file(tmp_path / "a") == (tmp_path / "a" / "parity.toml").resolve()


def test_a_folder_of_that_name_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "parity.toml").touch()
    (tmp_path / "a" / "parity.toml").mkdir(parents=True)
    assert find_file(tmp_path / "a") == (tmp_path / "parity.toml").resolve()


def test_ten_lines_are_enough(load: Load, minimal: str) -> None:
    configuration = load(minimal)
    assert configuration.tests == ("fork_test", "pipe_test")
    assert configuration.target("port").architecture is AARCH64


def test_the_database_is_beside_the_file(load: Load, minimal: str, tmp_path: Path) -> None:
    assert load(minimal).database_url == f"sqlite:///{tmp_path}/.parity/parity.db"


def test_another_database_may_be_named(load: Load, minimal: str) -> None:
    content = minimal + '[results]\ndatabase = "postgresql://host/name"\n'
    assert load(content).database_url == "postgresql://host/name"


def test_relative_paths_start_at_the_file(load: Load, minimal: str, tmp_path: Path) -> None:
    assert load(minimal).root == tmp_path


# --- Defaults


def test_a_default_holds_for_every_target(load: Load, minimal: str) -> None:
    assert load(minimal + "[defaults]\ncpus = 4\n").target("port").cpus == 4


def test_a_target_overrides_a_default(load: Load, minimal: str) -> None:
    content = minimal.replace('"virt"', '"virt"\ncpus = 2') + "[defaults]\ncpus = 4\n"
    assert load(content).target("port").cpus == 2


def test_a_table_is_overridden_key_by_key(load: Load, minimal: str) -> None:
    content = minimal + "[target.port.budget]\ntest_s = 5\n[defaults.budget]\ntest_s = 1\nboot_s = 2\n"
    budget = load(content).target("port").budget
    assert (budget.test_s, budget.boot_s) == (5, 2)


def test_a_list_is_overridden_whole(load: Load, minimal: str) -> None:
    content = minimal + "[target.port.verdict]\npanic = ['A']\n[defaults.verdict]\npanic = ['B', 'C']\n"
    assert [pattern.source for pattern in load(content).target("port").verdict.panic] == ["A"]


def test_a_delivery_of_the_same_kind_is_overridden_key_by_key(load: Load, minimal: str) -> None:
    content = minimal + "[defaults.delivery]\nkind = 'shell'\nprompt = '% $'\nrun = ['{test} -v']\n"
    delivery = load(content).target("port").delivery
    assert isinstance(delivery, ShellDelivery)
    assert (delivery.prompt.source, delivery.run) == ("toy> $", ("{test} -v",))


def test_a_delivery_without_a_kind_takes_the_default_one(load: Load, minimal: str) -> None:
    content = (
        minimal.replace('kind = "shell", ', "") + "[defaults.delivery]\nkind = 'shell'\nprompt = '% $'\n"
    )
    delivery = load(content).target("port").delivery
    assert isinstance(delivery, ShellDelivery)
    assert delivery.prompt.source == "toy> $"


def test_a_delivery_of_another_kind_replaces_the_default_whole(load: Load, minimal: str) -> None:
    content = minimal.replace('kind = "shell", prompt = "toy> $"', 'kind = "image"')
    content += "[defaults.delivery]\nkind = 'shell'\nprompt = '% $'\n"
    assert isinstance(load(content).target("port").delivery, ImageDelivery)


def test_targets_do_not_share_their_overrides(load: Load, minimal: str) -> None:
    content = minimal + (
        "[target.reference]\narch = 'x86_64'\nmachine = 'q35'\nbudget = { test_s = 5 }\n"
        "[defaults]\nbudget = { test_s = 1 }\ndelivery = { kind = 'shell', prompt = '% $' }\n"
    )
    configuration = load(content)
    assert configuration.target("port").budget.test_s == 1
    assert configuration.target("reference").budget.test_s == 5


# --- Tests


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([], ("fork_test", "pipe_test")),
        (["pipe_test"], ("pipe_test",)),
        (["pipe_test", "fork_test"], ("fork_test", "pipe_test")),
        (["*_test", "fork_test"], ("fork_test", "pipe_test")),
        (["p*"], ("pipe_test",)),
    ],
)
def test_tests_are_chosen_by_name_or_glob_in_listed_order(
    load: Load, minimal: str, wanted: list[str], chosen: tuple[str, ...]
) -> None:
    assert load(minimal).select_tests(wanted) == chosen


@pytest.mark.parametrize("name", ["frok_test", "x*"])
def test_a_name_or_glob_that_matches_no_test_is_an_error(load: Load, minimal: str, name: str) -> None:
    with pytest.raises(UnknownNameError, match="no test is called"):
        load(minimal).select_tests(["fork_test", name])


def test_an_unknown_target_is_an_error_with_the_nearest_name(load: Load, minimal: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load(minimal).target("prot")
    assert caught.value.near == ("port",)


def test_discovered_tests_come_after_the_listed_ones_in_alphabetical_order(
    load: Load, tmp_path: Path, minimal: str
) -> None:
    for name in ("b.c", "a.c", "pipe_test.c", "a.h"):
        (tmp_path / name).touch()
    content = minimal.replace("[tests]", '[tests]\ndiscover = "*.c"')
    assert load(content).tests == ("fork_test", "pipe_test", "a", "b")


def test_a_test_meant_for_some_targets_runs_on_no_other(load: Load, minimal: str) -> None:
    configuration = load(minimal + '[test.fork_test]\ntargets = ["port"]\n[test.pipe_test]\ntargets = []\n')
    assert configuration.runs_on("fork_test", "port")
    assert not configuration.runs_on("pipe_test", "port")


def test_the_path_of_a_test_is_filled_in(load: Load, minimal: str) -> None:
    content = minimal.replace("[tests]", '[tests]\npath = "/bin/{test}"') + (
        '[test.pipe_test]\npath = "/opt/{TEST}"\n'
    )
    configuration = load(content)
    assert configuration.test_fields("fork_test")["path"] == "/bin/fork_test"
    assert configuration.test_fields("pipe_test")["path"] == "/opt/PIPE_TEST"


def test_the_typed_port_is_the_first_unless_it_is_named(load: Load, minimal: str) -> None:
    serial = minimal.replace('"virt"', '"virt"\nserial = ["user", "log"]')
    assert load(serial).target("port").console_port == "user"
    assert load(serial.replace('"log"]', '"log"]\nconsole = "log"')).target("port").console_port == "log"


def test_a_ktap_suite_needs_no_result_pattern(load: Load, minimal: str) -> None:
    content = minimal.replace('kind = "shell", prompt = "toy> $"', 'kind = "suite", format = "ktap"')
    assert isinstance(load(content).target("port").delivery, SuiteDelivery)


# --- Those that come with parity


def test_the_sample_kernel_s_own_loads() -> None:
    configuration = load_configuration(ROOT / "parity.toml")
    assert set(configuration.targets) == {"aarch64", "x86_64", "linux-aarch64", "linux-x86_64"}
    assert len(configuration.tests) == 80


@pytest.mark.parametrize(
    "example", sorted((ROOT / "examples").glob("*/parity.toml")), ids=lambda file: file.parent.name
)
def test_every_example_loads(load: Load, tmp_path: Path, example: Path) -> None:
    # Flash images come with QEMU, not with an example: any file stands for them.
    (tmp_path / "firmware").mkdir()
    for name in ("OVMF_CODE.fd", "OVMF_VARS.fd"):
        (tmp_path / "firmware" / name).touch()
    configuration = load(example.read_bytes())
    assert configuration.kernel.port in configuration.targets
