"""The page as a whole: a plan, imported history, a pinned baseline, hangs and a matrix, here and on another machine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from db import open_repository
from parity.attempt import Isolation
from parity.campaign import Baseline, ImportedCampaign, Origin, ReportedTotal
from parity.errors import PlanError
from parity.flow.document.report import make_report
from parity.flow.exchange.run_file import export_runs, import_runs
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from parity.configuration import Configuration
    from tests.flow.conftest import Past

TESTS = ("cat_test", "dns_test", "dup_test", "fork_test", "pty_test", "tcp_socket_test", "udp_socket_test")
PASS = (Outcome.PASS, "the test exited with status 0", None)
FAIL = (Outcome.FAIL, "assertion failed: x == 1", None)
NO_CALL = (Outcome.FAIL, "socket: errno 38 (ENOSYS)", 38)
STUCK = (Outcome.HANG, "no output for 5 s", None)

MATRIX = """
[[matrix]]
name = "System calls"
files = ["kernel/{arch}.c"]
pattern = 'sys_(?P<item>\\w+)'

[[matrix]]
name = "Drivers | of all kinds"
files = ["drivers/*.c"]
same_names = false
"""

PLAN = {
    "kd-1.md": """\
---
kind: decision
id: KD-1
title: Numbers | of *Linux*
date: 2026-01-20
status: superseded
superseded_by: KD-2
---

# Why

So that <b>tests</b> run there too. See [the list](https://example.org/calls).
""",
    "kd-2.md": """\
---
kind: decision
id: KD-2
title: Numbers of our own
date: 2026-02-20
status: accepted
---
""",
    "p0.md": """\
---
kind: work
id: P0
title: Give back the lock
priority: 0
effort: an hour
unblocks: {causes: [lock-leaked root_lock], tests: fork_test}
---

`root_fs` never returns:

```c
drop(guard);  /* before it jumps */
""",
    "p1.md": """\
---
kind: work
id: P1
title: Sockets
priority: 1
unblocks: {errors: [ENOSYS]}
---
""",
    "p2.md": "---\nkind: work\nid: P2\ntitle: Docs\npriority: 2\nstate: doing\n---\n",
    "p3.md": "---\nkind: work\nid: P3\ntitle: Quotas\npriority: 3\nunblocks: {errors: [EDQUOT]}\n---\n",
    "lock.md": "---\nkind: log\ndate: 2026-11-02\ntitle: The lock is found\nrun: 3\n---\n\n- one line was enough\n",
    "start.md": "---\nkind: log\ndate: 2026-01-15\ntitle: The port begins\n---\n",
}


def write_plan(folder: Path) -> None:
    (folder / "plan").mkdir()
    for name, text in PLAN.items():
        (folder / "plan" / name).write_text(text)


def write_sources(folder: Path) -> None:
    for name, text in {
        "kernel/aarch64.c": "sys_read sys_write",
        "kernel/x86_64.c": "sys_read sys_write sys_socket",
        "drivers/uart.c": "",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def import_history(past: Past) -> int:
    """Add a run of January, as a page has it that was kept by hand."""
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    attempts = tuple(
        past.make.attempt(
            test,
            outcome,
            minutes=(moment - past.make.moment()).total_seconds() / 60,
            isolation=Isolation.UNKNOWN,
            evidence="listed as passing" if outcome is Outcome.PASS else "not listed",
        )
        for test, outcome in (("cat_test", Outcome.PASS), ("fork_test", Outcome.FAIL))
    )
    number, _ = past.repository.add_imported(
        ImportedCampaign(
            identity="0123456789abcdef" * 2,
            kernel="duet",
            origin=Origin.HAND_KEPT,
            source="old page.md",
            started_at=moment,
            attempts=attempts,
            totals=(ReportedTotal(target="aarch64", passed=2, total=7),),
        )
    )
    return number


@pytest.fixture
def configuration(configure: Callable[..., Configuration], past: Past, tmp_path: Path) -> Configuration:
    """Everything that the page can tell of at once."""
    write_plan(tmp_path)
    write_sources(tmp_path)
    imported = import_history(past)
    captures = past.repository.state_folder / "captures"
    hangs = {
        ("aarch64", "fork_test"): past.make.hang(captures / "2-fork_test"),
        ("aarch64", "udp_socket_test"): past.make.hang(captures / "2-udp_socket_test", subject="net_lock"),
    }
    results: dict[tuple[str, str], tuple[Outcome, str, int | None]] = {
        ("x86_64", test): PASS for test in TESTS
    }
    results |= {("aarch64", test): PASS for test in ("cat_test", "dup_test")}
    results |= {("aarch64", test): NO_CALL for test in ("dns_test", "tcp_socket_test")}
    results |= {("aarch64", test): STUCK for test in ("fork_test", "udp_socket_test")}
    past.run(0, results | {("aarch64", "pty_test"): FAIL}, hangs=hangs)
    mended = {("aarch64", test): PASS for test in ("fork_test", "pty_test")}
    past.run(1, results | mended, image="01" * 32, hangs=hangs)
    past.run(2, {("aarch64", "dup_test"): FAIL, ("aarch64", "dns_test"): PASS}, image="02" * 32)
    past.run(3, {("aarch64", "cat_test"): PASS}, image="02" * 32)
    past.repository.pin_baseline(
        Baseline(name="default", campaign=imported, pinned_at=past.make.moment(), note="where *we* began")
    )
    return configure(*TESTS, more=MATRIX)


def test_where_nothing_is_pinned_the_oldest_page_is_the_baseline(
    configure: Callable[..., Configuration], past: Past
) -> None:
    import_history(past)
    past.run(0, {("aarch64", test): PASS for test in TESTS})
    page = make_report(configure(*TESTS), past.repository)
    assert "| aarch64 (port) | 28.6% (2/7) | **100% (7/7)** | +5 tests (+71.4 points) | 90% |" in page
    assert "has 2 of 7 passing on aarch64 and names 1 of them." in page
    assert "\n| pass | 2 | 2 | **7** | +5 | +5 |\n" in page


def test_the_whole_page(configuration: Configuration, past: Past, golden: Callable[[str, str], None]) -> None:
    golden("whole.md", make_report(configuration, past.repository))


def test_another_machine_makes_the_same_bytes_of_an_exported_history(
    configuration: Configuration, past: Past, tmp_path: Path
) -> None:
    here = make_report(configuration, past.repository)
    numbers = [campaign.number for campaign in past.repository.campaigns()]
    export_runs(past.repository, numbers, tmp_path / "all.parity")
    with open_repository("sqlite:///other/parity.db", tmp_path / ".parity-there") as there:
        import_runs(there, tmp_path / "all.parity")
        assert make_report(configuration, there) == here.replace(".parity/", ".parity-there/")


def test_a_page_before_the_first_run_has_the_plan(
    configure: Callable[..., Configuration], past: Past, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    write_sources(tmp_path)
    write_plan(tmp_path)
    (tmp_path / "plan" / "lock.md").unlink()
    golden("nothing-measured-but-planned.md", make_report(configure(*TESTS, more=MATRIX), past.repository))


def test_a_faulty_plan_makes_no_page(
    configure: Callable[..., Configuration], past: Past, tmp_path: Path
) -> None:
    write_plan(tmp_path)
    with pytest.raises(PlanError, match="there is no run 3 in the results"):
        make_report(configure(*TESTS), past.repository)


def test_people_open_no_html_and_close_no_section(
    configuration: Configuration, past: Past, tmp_path: Path
) -> None:
    body = "</details>\n\n# Taken over\n\n<script>\n\n~~~\n"
    for name in ("kd-2.md", "start.md", "p1.md"):
        file = tmp_path / "plan" / name
        file.write_text(file.read_text() + body)
    page = make_report(configuration, past.repository)
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    html = {token.content.strip() for token in tokens if "html" in token.type}
    assert html <= {"<details><summary>The numbers</summary>", "</details>"}
    large = [
        tokens[n + 1].content for n, token in enumerate(tokens) if token.tag == "h2" and token.nesting == 1
    ]
    assert "Taken over" not in large
    assert large[-1] == "How this page was made"
