from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result


def test_targets_and_tests_are_listed_before_anything_was_run(parity: Callable[..., Result]) -> None:
    assert parity("list").stdout.splitlines() == [
        "target   role       arch     machine  cpu  cpus  memory   tests by",
        "aarch64  port       aarch64  virt     -    1     128 MiB  shell",
        "x86_64   reference  x86_64   virt     -    1     128 MiB  shell",
        "",
        "test       path in the guest  targets",
        "dup_test   /bin/dup_test      aarch64, x86_64",
        "fork_test  /bin/fork_test     aarch64, x86_64",
        "pty_test   /bin/pty_test      aarch64, x86_64",
    ]


def test_json_lists_the_chosen_tests(parity: Callable[..., Result]) -> None:
    told = json.loads(parity("list", "*k_test", "--json").stdout)
    assert told["tests"] == [
        {"test": "fork_test", "path": "/bin/fork_test", "targets": ["aarch64", "x86_64"]}
    ]
    assert [target["target"] for target in told["targets"]] == ["aarch64", "x86_64"]
