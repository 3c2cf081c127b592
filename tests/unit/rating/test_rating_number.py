import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.country_rules import COUNTRY_RULES, Dialling, rules_of_caller, rules_of_country
from rating.number import (
    INTERNATIONAL_RULES,
    Normalised,
    NumberInvalid,
    NumberRules,
    NumberRulesError,
    normalise,
    normalise_by_steps,
)


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        ("442079460000", "442079460000"),
        ("+442079460000", "442079460000"),
        ("00442079460000", "442079460000"),
        ("011442079460000", "442079460000"),
        ("442079460000#", "442079460000"),
        ("*442079460000#", "442079460000"),
        ("112", "112"),
        ("123456789012345", "123456789012345"),
        ("00123456789012345", "123456789012345"),
    ],
)
def test_without_a_country_numbers_carry_their_country_code(dialled: str, number: str) -> None:
    assert number == normalise(dialled)


@pytest.mark.parametrize(
    "dialled",
    [
        *("", "12", "1234567890123456", "12a4", "++44123", "+", "44&55", "44 20", "٤٤٢٠٧"),
        *("44\n", "*98#", "0012", "44#20", "#", "0+4420", "²44123"),
    ],
)
def test_anything_else_is_invalid(dialled: str) -> None:
    assert isinstance(normalise(dialled), NumberInvalid)


@pytest.mark.parametrize(
    ("country", "dialled", "number"),
    [
        ("GB", "02079460000", "442079460000"),
        ("GB", "0033123456789", "33123456789"),
        ("GB", "+33123456789", "33123456789"),
        ("GB", "442079460000", "442079460000"),
        ("FR", "0123456789", "33123456789"),
        ("US", "2125551234", "12125551234"),
        ("US", "12125551234", "12125551234"),
        ("US", "01133123456789", "33123456789"),
        ("US", "33123456789", "33123456789"),
        ("ES", "912345678", "34912345678"),
        ("IT", "0612345678", "390612345678"),
        ("IT", "3331234567", "393331234567"),
        ("HU", "0612345678", "3612345678"),
        ("RU", "84951234567", "74951234567"),
        ("RU", "841234567890", "841234567890"),
        ("RU", "81033123456789", "33123456789"),
        ("JP", "01033123456789", "33123456789"),
        ("JP", "0312345678", "81312345678"),
        ("AU", "001133123456789", "33123456789"),
        ("FI", "99033123456789", "33123456789"),
        ("CN", "13812345678", "8613812345678"),  # a mobile one, not one of country code 1
        ("CN", "01012345678", "861012345678"),
        ("CN", "075512345678", "8675512345678"),
        ("CN", "95588", "95588"),
        ("CN", "0012125551234", "12125551234"),
        ("PE", "011234567", "5111234567"),
        ("PE", "987654321", "51987654321"),
    ],
)
def test_a_country_has_its_own_ways_of_dialling(country: str, dialled: str, number: str) -> None:
    rules = rules_of_country(country)
    assert rules is not None
    assert number == normalise(dialled, rules)


@pytest.mark.parametrize(("country", "dialled"), [("FR", "17"), ("AU", "000"), ("ES", "061")])
def test_emergency_numbers_are_kept_however_short(country: str, dialled: str) -> None:
    rules = COUNTRY_RULES[country]
    assert Normalised(dialled, ("kept: emergency number",), emergency=True) == normalise_by_steps(
        dialled, rules
    )


@pytest.mark.parametrize(
    ("country", "dialled"),
    [
        *((None, "112"), (None, "911"), (None, "999"), ("GB", "100"), (None, "100")),
        *(("DE", "116123"), (None, "116123#"), ("GB", "118500"), ("US", "411"), ("US", "988")),
        *(("FR", "3615"), ("GB", "+112"), ("ES", "010")),
    ],
)
def test_short_codes_and_emergency_numbers_are_no_international_numbers(
    country: str | None, dialled: str
) -> None:
    rules = INTERNATIONAL_RULES if country is None else COUNTRY_RULES[country]
    result = normalise_by_steps(dialled, rules)
    assert isinstance(result, Normalised)
    assert (dialled.strip("+#"), True) == (result.number, result.exact)


@pytest.mark.parametrize(
    ("country", "dialled"),
    [
        *((None, "12125551234"), ("GB", "100123"), ("FR", "361523"), ("FR", "36151")),
        *(("US", "4111"), (None, "411"), ("DE", "110123456"), ("EE", "1234567")),
    ],
)
def test_longer_numbers_are_no_short_codes(country: str | None, dialled: str) -> None:
    rules = INTERNATIONAL_RULES if country is None else COUNTRY_RULES[country]
    result = normalise_by_steps(dialled, rules)
    assert isinstance(result, Normalised)
    assert ("100123" == dialled) == result.exact


def test_short_codes_are_kept_and_local_numbers_completed() -> None:
    rules = rules_of_country("us", area_code="212", local_lengths=(7,))
    assert rules is not None
    assert "12125551234" == normalise("5551234", rules)
    rules = NumberRules(country_code="44", trunk_prefix="0", short_codes=("0800", "77XX"))
    assert "0800" == normalise("0800", rules)
    kept = Normalised("7712", ("kept: short code",), short=True)
    assert kept == normalise_by_steps("7712", rules)
    assert ["44801", "77123"] == [normalise(dialled, rules) for dialled in ("0801", "77123")]


def test_the_plan_goes_before_the_account_and_that_before_the_setting() -> None:
    for plan, account, setting, number in (
        ("GB", "FR", "DE", "442079460000"),
        ("", "FR", "DE", "332079460000"),
        ("", "", "DE", "492079460000"),
        ("", "", "", "02079460000"),
        ("", "XX", "DE", "02079460000"),
    ):
        rules = rules_of_caller(Dialling(country=plan), account, setting)
        assert number == normalise("02079460000", rules)


def test_a_plans_local_numbers_and_short_codes_are_beside_the_countrys() -> None:
    dialling = Dialling(area_code="212", local_lengths=(7,), short_codes=("77XX",))
    rules = rules_of_caller(dialling, "US", "")
    assert ["12125551234", "7712", "411", "911", "44207946000"] == [
        normalise(dialled, rules) for dialled in ("5551234", "7712", "411", "911", "44207946000")
    ]
    assert "7712" == normalise("7712", rules_of_caller(dialling, "", ""))


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("country", {"country": "XX"}),
        ("local_digits", {"area_code": "20"}),
        ("area_code", {"local_lengths": (8,)}),
        ("area_code", {"area_code": "x", "local_lengths": (8,)}),
        ("short_codes", {"short_codes": ("1*",)}),
    ],
)
def test_dialling_that_makes_no_sense_is_refused(field: str, terms: dict[str, object]) -> None:
    with pytest.raises(NumberRulesError, match=f"^{field}: "):
        Dialling(**terms)  # type: ignore[arg-type]


def test_of_two_international_prefixes_the_longer_counts() -> None:
    rules = NumberRules(international_prefixes=("00", "0011"))
    assert ["33123456789", "1233123456789"] == [
        normalise(dialled, rules) for dialled in ("001133123456789", "001233123456789")
    ]


def test_every_step_is_explained() -> None:
    rules = COUNTRY_RULES["GB"]
    assert Normalised(
        "442079460000", ("trimmed # and *", "national: replaced 0 by country code 44")
    ) == normalise_by_steps("02079460000#", rules)


def test_an_unknown_country_has_no_rules() -> None:
    assert None is rules_of_country("XX")


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("country_code", {"trunk_prefix": "0"}),
        ("country_code", {"country_code": "+44"}),
        ("area_code", {"country_code": "1", "local_lengths": (7,)}),
        ("international_prefixes", {"international_prefixes": ("",)}),
        ("short_codes", {"short_codes": ("*98",)}),
        ("short_codes", {"short_codes": ("98x",)}),
    ],
)
def test_rules_that_make_no_sense_are_refused(field: str, terms: dict[str, object]) -> None:
    with pytest.raises(NumberRulesError, match=f"^{field}: "):
        NumberRules(**terms)  # type: ignore[arg-type]


@given(st.one_of(st.text(), st.text("0123456789+#*")), st.sampled_from(sorted(COUNTRY_RULES)))
def test_a_number_is_digits_of_a_callable_length_or_invalid(dialled: str, country: str) -> None:
    rules = COUNTRY_RULES[country]
    result = normalise_by_steps(dialled, rules)
    if isinstance(result, Normalised):
        assert result.number.isascii()
        assert result.number.isdigit()
        assert result.exact or 3 <= len(result.number) <= 15
