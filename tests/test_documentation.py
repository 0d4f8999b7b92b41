"""Documents that would go stale: the reference of parity.toml, the examples in it, links."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from parity.campaign import Case
from parity.configuration import inspection, load_configuration, matrix, model
from parity.configuration.table import Table
from parity.configuration.template import FIELDS
from parity.expectation_file import parse_expectations

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

SECTIONS: dict[str, type[BaseModel]] = {
    "[kernel]": model.Kernel,
    "[tests]": model.Tests,
    "[test.NAME]": model.TestOverride,
    "[[matrix]]": matrix.MatrixRow,
    "matrix.target.NAME": matrix.MatrixTarget,
    "[results]": model.Results,
    "[target.NAME] and [defaults]": model.Target,
    'kind = "shell"': model.ShellDelivery,
    "typing": model.Typing,
    'kind = "boot-arg"': model.BootArgumentDelivery,
    'kind = "image"': model.ImageDelivery,
    'kind = "suite"': model.SuiteDelivery,
    'kind = "process"': model.ProcessDelivery,
    "verdict": model.VerdictRules,
    "budget": model.Budget,
    "boot": model.Boot,
    "disk": model.Disk,
    "firmware": model.Firmware,
    "hang": inspection.HangRules,
    "hang.symbols": inspection.TraceNames,
    "hang.threads": inspection.ThreadNames,
    "hang.locks": inspection.LockNames,
}


def _rows(section: str) -> list[list[str]]:
    """Return the cells of the tables below one heading."""
    heading = re.search(rf"^#+ {re.escape(section)}$", REFERENCE, re.MULTILINE)
    assert heading, f"docs/configuration.md has no section {section!r}"
    body = re.split(r"^#+ ", REFERENCE[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in body.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _told_default(field: FieldInfo) -> str:
    """Write a field's default as the reference does."""
    if field.is_required():
        return "required"
    match field.default:
        case None:
            return "none"
        case BaseModel():
            return "its defaults"
        case bool() as truth:
            return f"`{str(truth).lower()}`"
        case tuple() as values:
            return f"`[{', '.join(_as_toml(value) for value in values)}]`"
        case value:
            return f"`{_as_toml(value)}`"


def _as_toml(value: object) -> str:
    text = str(value).replace("\n", "\\n").replace("\x15", "\\u0015")
    return f'"{text}"' if isinstance(value, str | Path) else text


@pytest.mark.parametrize("section", SECTIONS)
def test_the_reference_tells_every_key_and_no_other(section: str) -> None:
    keys = [field.alias or name for name, field in SECTIONS[section].model_fields.items()]
    assert [row[0].strip("`") for row in _rows(section)] == keys


@pytest.mark.parametrize("section", SECTIONS)
def test_the_reference_tells_every_default_as_it_is(section: str) -> None:
    fields = {field.alias or name: field for name, field in SECTIONS[section].model_fields.items()}
    for row in _rows(section):
        assert row[2] == _told_default(fields[row[0].strip("`")]), row[0]


def test_the_reference_has_a_section_for_every_table() -> None:
    tables = {
        value
        for value in (*vars(model).values(), *vars(inspection).values(), *vars(matrix).values())
        if isinstance(value, type) and issubclass(value, Table) and value is not Table
    }
    assert tables - {model.ParityFile} == set(SECTIONS.values())


def test_the_reference_tells_every_field_of_templates() -> None:
    assert {row[0].strip("`{}") for row in _rows("Fields and patterns")} == FIELDS.keys()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", text):
        if target and "://" not in target:
            assert (document.parent / target).exists(), target


TOML_BLOCKS = [
    (document, number, block)
    for document in DOCUMENTS
    for number, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```", document.read_text("utf-8"), re.M | re.S), 1
    )
]
EXPECTATIONS = [block for _, _, block in TOML_BLOCKS if block.startswith("[[expect]]")]


@pytest.mark.parametrize("block", EXPECTATIONS)
def test_every_list_of_expectations_in_a_document_is_read(block: str) -> None:
    cases = (Case(target="aarch64", test="tcp_socket_test"),)
    assert parse_expectations(block, file=Path("expectations.toml"), cases=cases).entries


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{document.name}-{number}")
        for document, number, block in TOML_BLOCKS
        if block not in EXPECTATIONS
    ],
)
def test_every_parity_toml_in_a_document_loads(
    block: str, tmp_path: Path, stand_in: Callable[[Path], None]
) -> None:
    (tmp_path / "parity.toml").write_text(block, encoding="utf-8")
    stand_in(tmp_path)
    assert load_configuration(tmp_path / "parity.toml").targets


@pytest.fixture
def stand_in() -> Callable[[Path], None]:
    """Make the files that a document's parity.toml takes for given."""

    def make(folder: Path) -> None:
        content = tomllib.loads((folder / "parity.toml").read_text(encoding="utf-8"))
        (folder / content["kernel"].get("source", ".")).mkdir(parents=True, exist_ok=True)
        for target in content["target"].values():
            for path in target.get("firmware", {}).values():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).touch()

    return make
