import pytest

from parity.words import counted


@pytest.mark.parametrize(
    ("number", "noun", "said"),
    [(0, "test", "0 tests"), (1, "entry", "1 entry"), (2, "entry", "2 entries"), (3, "day", "3 days")],
)
def test_a_noun_has_the_form_that_its_number_asks_for(number: int, noun: str, said: str) -> None:
    assert counted(number, noun) == said
