"""Every defect of duet on both architectures, one boot each: the verdict is the defect's, whatever it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from parity.diagnosis import Cause
from parity.outcome import Outcome
from tests.duet.hang_matrix import ARCHITECTURES, DEFECTS, Defect, run_defect
from tests.support.duet import kernel

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["kernel"]

pytestmark = [pytest.mark.qemu, pytest.mark.timeout(180)]

NOT_A_HANG = {Cause.PANIC_PARKED: Outcome.CRASH, Cause.SLOW: Outcome.TIMEOUT}


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_called_what_it_is(tmp_path: Path, defect: Defect, arch: str) -> None:
    cell = run_defect(defect, arch, tmp_path / "run")
    hang = cell.attempt.hang
    assert hang is not None
    assert hang.diagnosis.cause is defect.cause, hang.diagnosis
    assert hang.diagnosis.confidence.is_proof
    assert cell.attempt.verdict.outcome is NOT_A_HANG.get(defect.cause, Outcome.HANG)
    assert 0 < hang.pause_s < hang.took_s
