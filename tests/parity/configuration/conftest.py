from collections.abc import Callable
from pathlib import Path

import pytest

from parity.configuration import Configuration, load_configuration
from parity.errors import ConfigurationError

MINIMAL = """
[kernel]
name = "toy"

[tests]
names = ["fork_test", "pipe_test"]

[target.port]
arch = "aarch64"
machine = "virt"
kernel = "toy.elf"
delivery = { kind = "shell", prompt = "toy> $" }
"""


@pytest.fixture
def minimal() -> str:
    return MINIMAL


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str | bytes], Configuration]:
    """Write a parity.toml and load it."""

    def write_and_load(content: str | bytes) -> Configuration:
        file = tmp_path / "parity.toml"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_configuration(file)

    return write_and_load


@pytest.fixture
def fault(load: Callable[[str | bytes], Configuration]) -> Callable[[str | bytes], ConfigurationError]:
    """Write a faulty parity.toml and return what is said of it."""

    def load_and_catch(content: str | bytes) -> ConfigurationError:
        with pytest.raises(ConfigurationError) as caught:
            load(content)
        return caught.value

    return load_and_catch
