import pytest

from parity.outcome import Outcome, PairState, pair_state

MEASURED = [outcome for outcome in Outcome if outcome.is_measured]
NOT_WANTED = [outcome for outcome in MEASURED if not outcome.is_wanted]
NEVER = [None, Outcome.ERROR, Outcome.NOT_RUN]


def test_only_the_harness_own_failures_are_not_measured() -> None:
    assert set(Outcome) - set(MEASURED) == {Outcome.ERROR, Outcome.NOT_RUN}


def test_only_a_pass_and_a_skip_leave_nothing_to_do() -> None:
    assert {outcome for outcome in Outcome if outcome.is_wanted} == {Outcome.PASS, Outcome.SKIP}


def test_a_pass_on_both_is_parity() -> None:
    assert pair_state(Outcome.PASS, Outcome.PASS) is PairState.PARITY


@pytest.mark.parametrize("port", NOT_WANTED)
def test_anything_but_a_pass_on_the_port_is_a_gap_where_the_reference_passes(port: Outcome) -> None:
    assert pair_state(Outcome.PASS, port) is PairState.GAP


@pytest.mark.parametrize("reference", NOT_WANTED)
def test_a_pass_on_the_port_alone_is_a_reverse_gap(reference: Outcome) -> None:
    assert pair_state(reference, Outcome.PASS) is PairState.REVERSE_GAP


@pytest.mark.parametrize("reference", NOT_WANTED)
@pytest.mark.parametrize("port", NOT_WANTED)
def test_no_pass_on_either_is_both_fail(reference: Outcome, port: Outcome) -> None:
    assert pair_state(reference, port) is PairState.BOTH_FAIL


@pytest.mark.parametrize("other", MEASURED)
def test_a_skip_on_either_makes_a_pair_not_applicable(other: Outcome) -> None:
    assert pair_state(Outcome.SKIP, other) is PairState.NOT_APPLICABLE
    assert pair_state(other, Outcome.SKIP) is PairState.NOT_APPLICABLE


@pytest.mark.parametrize("never", NEVER)
@pytest.mark.parametrize("other", [None, *Outcome])
def test_what_was_never_measured_on_either_stays_unmeasured(
    never: Outcome | None, other: Outcome | None
) -> None:
    assert pair_state(never, other) is PairState.UNMEASURED
    assert pair_state(other, never) is PairState.UNMEASURED


@pytest.mark.parametrize("on_linux", [Outcome.FAIL, Outcome.CRASH, Outcome.HANG, Outcome.TIMEOUT])
@pytest.mark.parametrize("port", [None, *Outcome])
def test_a_test_that_fails_on_any_linux_is_at_fault_itself_whatever_else_it_does(
    on_linux: Outcome, port: Outcome | None
) -> None:
    assert pair_state(Outcome.PASS, port, on_linux=[Outcome.PASS, on_linux]) is PairState.TEST_FAULT
    assert pair_state(port, Outcome.PASS, on_linux=[on_linux], applicable=False) is PairState.TEST_FAULT


@pytest.mark.parametrize(
    "on_linux", [Outcome.PASS, Outcome.SKIP, Outcome.BUILD_FAILURE, Outcome.ERROR, Outcome.NOT_RUN]
)
def test_what_did_not_fail_by_itself_on_linux_blames_no_test(on_linux: Outcome) -> None:
    assert pair_state(Outcome.PASS, Outcome.FAIL, on_linux=[on_linux]) is PairState.GAP


def test_a_test_that_is_not_meant_for_both_is_not_applicable() -> None:
    assert pair_state(Outcome.PASS, None, applicable=False) is PairState.NOT_APPLICABLE
