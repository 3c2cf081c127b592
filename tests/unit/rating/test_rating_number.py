import pytest

from rating.number import NumberInvalid, normalise


@pytest.mark.parametrize(
    ("dialled", "number"),
    [("442079460000", "442079460000"), ("+442079460000", "442079460000"), ("112", "112")],
)
def test_a_number_is_its_digits(dialled: str, number: str) -> None:
    assert number == normalise(dialled)


@pytest.mark.parametrize(
    "dialled",
    ["", "12", "1234567890123456", "12a4", "++44123", "44&55", "44 20", "٤٤٢٠٧", "44\n", "*98#"],
)
def test_anything_else_is_invalid(dialled: str) -> None:
    assert isinstance(normalise(dialled), NumberInvalid)
