"""Where every test stands: the newest results from the database, arranged by the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.campaign import Case
from parity.expectations import Expectations
from parity.flow.results.expectations import read_expectations
from parity.standing import Scope, Standing, build_standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db import Repository
    from parity.configuration import Configuration


def read_status(
    configuration: Configuration,
    repository: Repository,
    *,
    tests: Sequence[str] = (),
    targets: Sequence[str] = (),
) -> Standing:
    """Return how the chosen tests (names or globs) stand on the chosen targets; all where none is named.

    Raises `UnknownNameError` for a test or target that parity.toml does not have.
    """
    scope = choose_scope(configuration, tests=tests, targets=targets)
    return build_standing(scope, repository.newest_attempts())


def find_matching(configuration: Configuration, repository: Repository, where: str) -> tuple[str, ...]:
    """Return the tests for which a query is true now, in listed order, whatever targets are looked at otherwise.

    Raises `QueryError` for a query that cannot be read or names a test or target that parity.toml does not have.
    """
    from parity.query import Background, parse_query  # noqa: PLC0415 - a parser that few commands need

    query = parse_query(where)
    query.check_names(tests=configuration.tests, targets=tuple(configuration.targets))
    flaky = repository.unstable_attempts() if query.asks_for_flaky else ()
    background = Background(
        flaky=frozenset(Case.of(attempt) for attempt in flaky),
        expectations=read_expectations(configuration) if query.asks_for_expectations else Expectations(),
    )
    standing = read_status(configuration, repository)
    return tuple(row.test for row in standing.tests if query.matches(row, background))


def choose_scope(
    configuration: Configuration, *, tests: Sequence[str] = (), targets: Sequence[str] = ()
) -> Scope:
    """Return what parity.toml says of the chosen tests and targets."""
    for name in targets:
        configuration.target(name)
    chosen_tests = configuration.select_tests(tests)
    chosen_targets = tuple(name for name in configuration.targets if not targets or name in targets)
    return Scope(
        kernel=configuration.kernel.name,
        tests=chosen_tests,
        targets=_in_reading_order(configuration, chosen_targets),
        excluded=frozenset(
            Case(target=target, test=test)
            for target in configuration.targets
            for test in chosen_tests
            if not configuration.runs_on(test, target)
        ),
        reference=configuration.kernel.reference,
        port=configuration.kernel.port,
        goal_percent=configuration.kernel.goal_percent,
        hosts=tuple(name for name, target in configuration.targets.items() if target.is_host),
    )


def _in_reading_order(configuration: Configuration, targets: Sequence[str]) -> tuple[str, ...]:
    """Put the reference first, the port next, then the others as listed, Linux last."""
    first = [configuration.kernel.reference, configuration.kernel.port]

    def place(name: str) -> int:
        return first.index(name) if name in first else len(first) + configuration.target(name).is_host

    return tuple(sorted(targets, key=place))
