"""What the document says of hangs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from db import open_repository
from parity.attempt import BootFailure
from parity.diagnosis import Cause
from parity.flow.document.report import make_report
from parity.outcome import Outcome
from tests.conftest import Make
from tests.flow.conftest import Past

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from parity.configuration import Configuration
    from parity.diagnosis import Hang

PASS = (Outcome.PASS, "the test exited with status 0", None)
STUCK = (Outcome.HANG, "no output for 5 s", None)
LATE = (Outcome.TIMEOUT, "still printing after 30 s", None)

OPENERS = tuple(f"open_{number}_test" for number in range(35))
TESTS = ("cat_test", "dns_test", "fork_test", "pty_test", *OPENERS)


def capture(past: Past, name: str) -> Path:
    return past.repository.state_folder / "captures" / name


def stuck_run(past: Past) -> None:
    """Record a run in which a leaked lock blocks 35 tests, and four others end late for causes of their own."""
    make = past.make
    results = {("aarch64", test): STUCK for test in OPENERS}
    hangs = {
        ("aarch64", test): make.hang(capture(past, f"1-{test}"), frames=("root_fs", f"sys_{number % 3}"))
        for number, test in enumerate(OPENERS)
    }
    others: dict[str, tuple[Outcome, Hang]] = {
        "cat_test": (
            Outcome.TIMEOUT,
            make.hang(
                capture(past, "1-cat_test"),
                Cause.SLOW,
                sentence="it gets on: 4 021 system calls in 1.0 s",
                subject="",
                frames=(),
            ),
        ),
        "dns_test": (
            Outcome.HANG,
            make.hang(
                capture(past, "1-dns_test"),
                Cause.BLOCKED_IN_SYSTEM_CALL,
                sentence="recvfrom(2) has waited for 5.2 s and nothing is left that could wake it",
                subject="recvfrom",
                frames=("udp_recv", "sys_recvfrom"),
            ),
        ),
        "fork_test": (
            Outcome.HANG,
            make.hang(
                capture(past, "1-fork_test"),
                Cause.UNKNOWN,
                sentence="every CPU halts with interrupts on",
                subject="",
                frames=(),
                missing=("trace rings: the kernel has none", "a symbol table"),
            ),
        ),
    }
    for test, (outcome, hang) in others.items():
        results["aarch64", test] = LATE if outcome is Outcome.TIMEOUT else STUCK
        hangs["aarch64", test] = hang
    results["aarch64", "pty_test"] = STUCK
    results |= {("x86_64", test): PASS for test in TESTS}
    number = past.run(0, results, hangs=hangs)
    failure = BootFailure(
        target="aarch64",
        started_at=make.moment(120),
        duration_s=20.0,
        reason="no prompt within 20 s",
        hang=make.hang(capture(past, "1-boot"), Cause.TIMER_LOST, sentence="the timer of CPU 0 is masked"),
    )
    past.repository.add_boot_failure(number, failure)


def test_hangs_cause_by_cause(
    configure: Callable[..., Configuration], past: Past, golden: Callable[[str, str], None]
) -> None:
    stuck_run(past)
    golden("hangs.md", make_report(configure(*TESTS), past.repository))


def test_the_same_hangs_give_the_same_bytes(configure: Callable[..., Configuration], past: Past) -> None:
    stuck_run(past)
    configuration = configure(*TESTS)
    assert make_report(configuration, past.repository) == make_report(configuration, past.repository)


def test_a_leaked_lock_is_one_cause_among_the_failures_and_one_line_of_the_summary(
    configure: Callable[..., Configuration], past: Past
) -> None:
    stuck_run(past)
    report = make_report(configure(*TESTS), past.repository)
    assert "- **2 causes block 36 tests on aarch64** ([list](#hangs)).\n" in report
    assert "\n### 1. lock leaked `root_lock`: 35 tests on aarch64\n" in report
    assert "\n| hang | lock leaked `root_lock` | 35 | 35 | as before | - | 35: `open_0_test`, " in report
    assert "\n| timeout | slow | 1 | 1 | as before | - | 1: `cat_test` |\n" in report


def test_a_hang_that_has_passed_since_is_not_listed(
    configure: Callable[..., Configuration], past: Past
) -> None:
    stuck_run(past)
    past.run(3, {("aarch64", test): PASS for test in TESTS})
    assert "## Hangs" not in make_report(configure(*TESTS), past.repository)


def test_a_hang_of_a_test_that_hangs_on_linux_too_is_no_cause(
    configure: Callable[..., Configuration], past: Past
) -> None:
    past.run(
        0,
        {
            ("aarch64", "fork_test"): STUCK,
            ("x86_64", "fork_test"): PASS,
            ("linux-x86_64", "fork_test"): STUCK,
        },
        hangs={("aarch64", "fork_test"): past.make.hang(capture(past, "1"))},
    )
    configuration = configure("fork_test", targets=("aarch64", "x86_64", "linux-x86_64"))
    assert "## Hangs" not in make_report(configuration, past.repository)


def test_a_failed_boots_diagnosis_is_told_once(configure: Callable[..., Configuration], past: Past) -> None:
    number = past.run(0, {("aarch64", "fork_test"): PASS})
    hang = past.make.hang(capture(past, "1"), Cause.TIMER_LOST, sentence="the timer of CPU 0 is masked")
    failure = BootFailure(
        target="aarch64",
        started_at=past.make.moment(),
        duration_s=20.0,
        reason="no prompt within 20 s; the timer of CPU 0 is masked",
        hang=hang,
    )
    past.repository.add_boot_failure(number, failure)
    report = make_report(configure("fork_test"), past.repository)
    assert report.count("the timer of CPU 0 is masked") == 1


def test_the_link_leads_from_the_documents_folder_to_the_capture(
    configure: Callable[..., Configuration], past: Past
) -> None:
    hang = past.make.hang(capture(past, "1 (fork) [x]"))
    past.run(0, {("aarch64", "fork_test"): STUCK}, hangs={("aarch64", "fork_test"): hang})
    configuration = configure("fork_test")
    report = make_report(configuration, past.repository)
    assert "[`.parity/captures/1 (fork) [x]`](<.parity/captures/1%20%28fork%29%20%5Bx%5D>)" in report


MARKUP = (
    "|", "\\", "`", "```\n", "<b>", "</td>", "&lt;", "\n", "\r", "\x1b[2J", "\u202e", "*", "](x)", "[x](y)", "![",
    "@me", "#1", "\n# no heading\n", "$x$", " ", "a", "<!--", "\0",
)  # fmt: skip
hostile = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(MARKUP), max_size=8).map("".join))


hostile_hangs = st.builds(
    Make().hang,
    st.just(Path("captures/1")),
    st.sampled_from([Cause.LOCK_LEAKED, Cause.SLOW, Cause.UNKNOWN]),
    sentence=hostile,
    subject=hostile,
    frames=st.lists(hostile, max_size=3).map(tuple),
    missing=st.lists(hostile, max_size=3).map(tuple),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hang=hostile_hangs)
def test_whatever_a_kernels_symbols_say_adds_no_heading_no_html_and_no_cell(
    tmp_path_factory: pytest.TempPathFactory, configure: Callable[..., Configuration], hang: Hang
) -> None:
    with open_repository(
        "sqlite:///results.db", tmp_path_factory.mktemp("results") / ".parity"
    ) as repository:
        past = Past(repository, Make())
        past.run(
            0,
            {("aarch64", "fork_test"): STUCK, ("x86_64", "fork_test"): PASS},
            hangs={("aarch64", "fork_test"): hang},
        )
        report = make_report(configure("fork_test"), repository)
    tokens = MarkdownIt("commonmark").enable("table").parse(report)
    children = [child for token in tokens for child in token.children or ()]
    assert not any("html" in token.type or token.type == "image" for token in (*tokens, *children))
    headings = [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open"]
    (title,) = [heading for heading in headings if heading.startswith(("1. ", "No hangs", "Not explained"))]
    assert headings[headings.index("Hangs") + 1] == title
    assert headings[headings.index(title) + 1] == "Next actions"
    links = {child.attrs["href"] for child in children if child.type == "link_open"}
    assert all(str(href).startswith(("#", "../")) for href in links)
