"""Taking one test per boot: named on the kernel's command line, or built into an image of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.configuration import BootArgumentDelivery
from runners.machine.boot import BootFailedError, Report, boot, boot_failed
from runners.machine.watch import Watch
from runners.verdict.observation import Ending
from runners.verdict.proof import make_proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parity.configuration import ImageDelivery
    from runners.machine.boot import BootListener
    from runners.machine.rig import Rig


class OneBootRunner:
    """Boots once for every test and waits for its end line, or for the machine to end itself."""

    def __init__(
        self, rig: Rig, delivery: BootArgumentDelivery | ImageDelivery, listener: BootListener
    ) -> None:
        self._rig = rig
        self._listener = listener
        self._delivery = delivery
        self._append = delivery.append if isinstance(delivery, BootArgumentDelivery) else ""
        self._proof = make_proof(delivery, rig.configuration.tests)

    def run(self, tests: Sequence[str]) -> Iterator[Report]:
        """Run the tests one after another. Raises `HarnessError`s and `Stopped`."""
        for test in tests:
            yield self._run_one(test)

    def close(self) -> None:
        """Nothing outlives an attempt here."""

    def _run_one(self, test: str) -> Report:
        fields = self._rig.fields(test)
        try:
            booted = boot(
                self._rig, fields, append=self._append, ready=self._delivery.begin, listener=self._listener
            )
        except BootFailedError as error:
            return boot_failed(self._rig, fields, error.failures)
        try:
            watch = Watch(self._rig, booted.machine, fields, from_boot=True)
            ends = [self._delivery.end.compile(fields)] if self._delivery.end else []
            waited = watch.wait_for(ends, self._rig.test_limits(fields))
            watch.over(waited if isinstance(waited, Ending) else Ending.COMPLETED)
            return watch.report(self._proof, booted)
        finally:
            booted.close()
