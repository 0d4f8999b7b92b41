from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from parity.attempt import BootFailure, Isolation
from parity.campaign import CampaignState
from parity.document import format_duration
from parity.flow.document.report import compare_report, make_report
from parity.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from parity.configuration import Configuration
    from tests.flow.conftest import Past

TESTS = ("cat_test", "dns_test", "dup_test", "fork_test", "pty_test", "tcp_socket_test", "udp_socket_test")
PASS = (Outcome.PASS, "the test exited with status 0", None)
NO_ROUTE = (Outcome.FAIL, "connect: errno 101 | `ENETUNREACH` <no route> @net #5", 101)
PANIC = (Outcome.CRASH, "KERNEL PANIC: \x1b[31mout of frames\x1b[0m", None)
STUCK = (Outcome.HANG, "no output for 5 s", None)
SKIPPED = (Outcome.SKIP, "no pseudo-terminals", None)
FOUR = ("aarch64", "x86_64", "linux-aarch64", "linux-x86_64")
HARNESS = (Outcome.ERROR, "typed 'run', but the guest echoed 'rn'", None)

Results = dict[tuple[str, str], tuple[Outcome, str, int | None]]


def on_both(
    **ends: tuple[tuple[Outcome, str, int | None], tuple[Outcome, str, int | None]],
) -> Results:
    """Return results by test, the port's first."""
    results = {}
    for test, (port, reference) in ends.items():
        results["aarch64", f"{test}_test"] = port
        results["x86_64", f"{test}_test"] = reference
    return results


def first_run(past: Past) -> None:
    past.run(
        0,
        on_both(
            cat=(STUCK, PASS), dns=(NO_ROUTE, NO_ROUTE), dup=(PASS, PASS), fork=(STUCK, PASS),
            pty=(SKIPPED, PASS), tcp_socket=(NO_ROUTE, PASS), udp_socket=(NO_ROUTE, PASS),
        ),
        image="01" * 32,
    )  # fmt: skip


def test_the_first_run(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    first_run(past)
    golden("first-run.md", make_report(configure(*TESTS), past.repository))


def test_a_port_that_gains_and_loses(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    first_run(past)
    past.run(
        1,
        on_both(
            cat=(PASS, PASS), dns=(NO_ROUTE, NO_ROUTE), dup=(PASS, PASS), fork=(PASS, PASS),
            pty=(SKIPPED, PASS), tcp_socket=(NO_ROUTE, PASS), udp_socket=(PASS, PASS),
        ),
    )  # fmt: skip
    last = past.run(
        2,
        on_both(cat=(PASS, PASS), dup=(PANIC, PASS), fork=(PASS, STUCK), udp_socket=(HARNESS, PASS)),
        state=CampaignState.INTERRUPTED,
        planned=14,
    )
    failure = BootFailure(
        target="aarch64",
        started_at=past.make.moment(120),
        duration_s=20.0,
        reason="no prompt within 20 s; last line: 'EL1 | sync exception'",
    )
    past.repository.add_boot_failure(last, failure)
    golden("gains-and-losses.md", make_report(configure(*TESTS, "never_test"), past.repository))


def test_one_target_alone(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    configuration = configure("cat_test", "dns_test", targets=("aarch64",), paired=False)
    past.run(0, {("aarch64", "cat_test"): PASS, ("aarch64", "dns_test"): NO_ROUTE})
    golden("one-target.md", make_report(configuration, past.repository))


@pytest.mark.parametrize("isolation", Isolation)
def test_every_isolation_is_told_in_words(
    configure: Callable[..., Configuration], past: Past, isolation: Isolation
) -> None:
    configuration = configure("cat_test", targets=("aarch64",), paired=False)
    past.run(0, {("aarch64", "cat_test"): PASS}, isolation=isolation)
    (line,) = [
        line for line in make_report(configuration, past.repository).splitlines() if line.startswith("Run 1,")
    ]
    told = (
        "for every test.",
        "before every test.",
        "shared by many tests.",
        "on Linux.",
        "what the tests shared.",
    )
    assert line.endswith(told)


def test_three_targets(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    configuration = configure("cat_test", "dns_test", targets=("aarch64", "x86_64", "next-aarch64"))
    past.run(0, on_both(cat=(PASS, PASS), dns=(NO_ROUTE, PASS)) | {("next-aarch64", "dns_test"): PASS})
    golden("three-targets.md", make_report(configuration, past.repository))


def on_linux(*, but: dict[str, tuple[Outcome, str, int | None]]) -> Results:
    """Return passes of all tests on both Linux targets, and what ended otherwise on either."""
    results = {(f"linux-{arch}", test): PASS for arch in ("aarch64", "x86_64") for test in TESTS}
    return results | {
        (f"linux-{arch}", test): end for arch in ("aarch64", "x86_64") for test, end in but.items()
    }


def test_tests_that_fail_on_linux_too(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    configuration = configure(*TESTS, "never_test", targets=FOUR)
    first_run(past)
    past.run(1, on_linux(but={"dns_test": NO_ROUTE, "fork_test": STUCK, "pty_test": SKIPPED}))
    past.run(2, on_both(dup=(PANIC, PASS)) | {("linux-aarch64", "fork_test"): PASS})
    golden("test-faults.md", make_report(configuration, past.repository))


def test_a_test_that_fails_on_linux_is_no_gap_and_no_cause(
    configure: Callable[..., Configuration], past: Past
) -> None:
    past.run(0, on_both(fork=(STUCK, PASS)) | {("linux-x86_64", "fork_test"): STUCK})
    report = make_report(configure("fork_test", targets=FOUR), past.repository)
    assert "**No gaps**" in report
    assert "- **1 test fault**: it fails on Linux too" in report
    assert "| `fork_test` | pass | hang | linux-x86_64 | hang |" in report
    assert "## Failures by cause\n\nNone.\n" in report


def test_tests_that_were_never_run_on_linux_do_not_fill_the_page(
    configure: Callable[..., Configuration], past: Past
) -> None:
    first_run(past)
    report = make_report(configure(*TESTS, targets=FOUR), past.repository)
    assert "**linux-aarch64**: none of its 7 tests has a result." in report
    assert "### linux-aarch64: 0% (0/7)\n\nNone has a result.\n" in report


def test_nothing_measured(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    golden("nothing-measured.md", make_report(configure("cat_test"), past.repository))


def test_a_run_that_measured_nothing_reads_as_nothing_passed(
    configure: Callable[..., Configuration], past: Past
) -> None:
    past.run(0, {("aarch64", "cat_test"): HARNESS}, state=CampaignState.FAILED)
    report = make_report(configure("cat_test"), past.repository)
    assert "| aarch64 (port) | - | not measured |" in report


def test_no_gaps_is_said_only_of_tests_with_a_result_on_both(
    configure: Callable[..., Configuration], past: Past
) -> None:
    past.run(0, on_both(cat=(PASS, PASS)))
    report = make_report(configure("cat_test", "dns_test"), past.repository)
    assert "**No gaps** among the 1 test of 2 with a result on both." in report


def test_a_kernel_that_never_boots_does_not_fill_the_page(
    configure: Callable[..., Configuration], past: Past
) -> None:
    last = past.run(0, on_both(cat=(PASS, PASS)))
    for _ in range(12):
        past.repository.add_boot_failure(
            last,
            BootFailure(
                target="aarch64", started_at=past.make.moment(), duration_s=1.0, reason="it stopped half-way"
            ),
        )
    report = make_report(configure("cat_test"), past.repository)
    assert "12 boots failed in the last run" in report
    assert report.count("it stopped half-way") == 10
    assert "\nAnd 2 more.\n" in report


def test_the_same_history_gives_the_same_bytes(configure: Callable[..., Configuration], past: Past) -> None:
    first_run(past)
    configuration = configure(*TESTS)
    assert make_report(configuration, past.repository) == make_report(configuration, past.repository)


def test_hostile_evidence_breaks_no_table(configure: Callable[..., Configuration], past: Past) -> None:
    hostile = "| a \\| b \\\\| ``` `` ` </td></table> <script> \n\n# heading \n``` @me #1 ![x](y) &lt;"
    past.run(0, on_both(cat=((Outcome.FAIL, hostile, None), PASS), dns=((Outcome.SKIP, hostile, None), PASS)))
    tokens = (
        MarkdownIt("commonmark")
        .enable("table")
        .parse(make_report(configure("cat_test", "dns_test"), past.repository))
    )
    assert not any(token.type.startswith("html") for token in tokens)
    headings = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]
    assert "heading" not in headings
    rows = [n for n, token in enumerate(tokens) if token.type == "inline" and token.content == "`cat_test`"]
    assert [tokens[n + 3].content for n in rows[:1]] == ["pass"]
    assert tokens[rows[0] + 9].content.endswith("`")


def test_a_document_on_disk_that_is_the_same_is_not_stale(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# duet\n")
    assert not compare_report("# duet\n", tmp_path / "page.md").is_stale


def test_a_document_that_is_not_there_is_stale(tmp_path: Path) -> None:
    assert compare_report("# duet\n", tmp_path / "page.md").is_stale


def test_a_stale_document_is_told_by_its_first_difference(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("# duet\n49 of 80\n")
    comparison = compare_report("# duet\n50 of 80\n", tmp_path / "page.md")
    assert (comparison.added, comparison.removed, comparison.first_difference) == (1, 1, "-49 of 80")


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.25, "3.2 s"), (59.99, "60.0 s"), (192, "3 min 12 s"), (7384, "2 h 3 min")]
)
def test_a_duration_is_told_in_the_units_that_matter(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


def outside_fences(page: str) -> list[str]:
    """Return a page's lines, of fenced blocks the fences alone."""
    found, inside = [], False
    for line in page.splitlines():
        if line.startswith("```"):
            inside = not inside
            found.append(line)
        elif not inside:
            found.append(line)
    return found


@pytest.mark.parametrize(
    "page", sorted((Path(__file__).parents[1] / "golden").glob("*.md")), ids=lambda page: page.name
)
def test_a_page_has_one_empty_line_around_whatever_needs_one(page: Path) -> None:
    lines = outside_fences(page.read_text(encoding="utf-8"))
    pairs = list(pairwise(lines))
    assert ("", "") not in pairs
    assert not [pair for pair in pairs if pair[1].startswith("#") and pair[0]]
    assert not [pair for pair in pairs if pair[0].startswith("#") and pair[1]]
    assert not [pair for pair in pairs if pair[1].startswith("|") and pair[0] and not pair[0].startswith("|")]


@pytest.mark.parametrize(
    "page", sorted((Path(__file__).parents[1] / "golden").glob("*.md")), ids=lambda page: page.name
)
def test_every_link_within_a_page_leads_to_one_of_its_headings(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in outside_fences(text)
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
