from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.package import Package, PackageError, PackagePeriod, PackageUnit
from rating.price import price_call
from rating.rate import Rate

PARIS = ZoneInfo("Europe/Paris")
RATE = Rate(prefix="44", price_micros_per_minute=600_000, initial_s=60, increment_s=60)


def minutes(amount: int = 600, **terms: object) -> Package:
    return Package(unit=PackageUnit.SECONDS, amount=amount, **terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("package", "at", "begin", "end"),
    [
        (minutes(), "2025-03-31T23:30+02:00", "2025-03-01T00:00+01:00", "2025-04-01T00:00+02:00"),
        (minutes(), "2025-03-31T22:30+00:00", "2025-04-01T00:00+02:00", "2025-05-01T00:00+02:00"),
        (
            minutes(first_day=28),
            "2025-03-01T12:00+01:00",
            "2025-02-28T00:00+01:00",
            "2025-03-28T00:00+01:00",
        ),
        (
            minutes(first_day=15),
            "2025-01-01T00:00+01:00",
            "2024-12-15T00:00+01:00",
            "2025-01-15T00:00+01:00",
        ),
        (
            minutes(period=PackagePeriod.WEEK, first_day=7),
            "2025-06-07T12:00+02:00",
            "2025-06-01T00:00+02:00",
            "2025-06-08T00:00+02:00",
        ),
        (
            minutes(period=PackagePeriod.DAY),
            "2025-03-30T12:00+02:00",
            "2025-03-30T00:00+01:00",
            "2025-03-31T00:00+02:00",
        ),
    ],
)
def test_a_period_is_of_the_accounts_zone(package: Package, at: str, begin: str, end: str) -> None:
    expected = datetime.fromisoformat(begin), datetime.fromisoformat(end)
    assert expected == package.period_at(datetime.fromisoformat(at), PARIS)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(PackagePeriod),
    st.integers(1, 7),
)
def test_periods_leave_no_gap_and_do_not_overlap(
    at: datetime, period: PackagePeriod, first_day: int
) -> None:
    package = minutes(period=period, first_day=first_day)
    begin, end = package.period_at(at, PARIS)
    assert begin <= at < end
    assert (begin, end) == package.period_at(begin, PARIS)
    assert end == package.period_at(end, PARIS)[0]
    assert begin == package.period_at(begin - timedelta(seconds=1), PARIS)[1]


def test_what_calls_in_progress_hold_is_not_given_twice() -> None:
    assert [600, 1, 0, 0] == [minutes().left(taken) for taken in (0, 599, 600, 700)]


def test_a_free_call_is_free_however_long_and_counts_once() -> None:
    calls = PackageUnit.CALLS
    price = price_call(RATE, 50_000, free_seconds=calls.free_seconds(1))
    assert (0, 1) == (price.total_micros, calls.units(price.package_seconds))
    dear = price_call(RATE, 60, free_seconds=calls.free_seconds(0))
    assert (600_000, 0) == (dear.total_micros, calls.units(dear.package_seconds))


def test_minutes_are_consumed_as_billed_and_the_rest_is_charged() -> None:
    seconds = PackageUnit.SECONDS
    price = price_call(RATE, 61, free_seconds=seconds.free_seconds(100))
    assert (100, 200_000) == (seconds.units(price.package_seconds), price.total_micros)


def test_a_package_covers_its_prefixes_or_all() -> None:
    package = minutes(prefixes=("44", "33"))
    assert [True, True, False] == [package.covers(number) for number in ("4420", "331", "49")]
    assert minutes().covers("49")


def test_of_a_short_code_a_package_names_every_digit() -> None:
    package = minutes(prefixes=("1", "116123"))
    assert [True, False] == [package.covers(code, exact=True) for code in ("116123", "100")]
    assert minutes().covers("100", exact=True)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount": -1}, "amount"),
        ({"amount": 10**9 + 1}, "amount"),
        ({"first_day": 29}, "first_day"),
        ({"period": PackagePeriod.WEEK, "first_day": 8}, "first_day"),
        ({"prefixes": ("4x",)}, "prefixes"),
        ({"prefixes": ("",)}, "prefixes"),
    ],
)
def test_a_package_out_of_bounds_cannot_be_made(terms: dict[str, object], field: str) -> None:
    with pytest.raises(PackageError, match=f"^{field}: "):
        minutes(**terms)  # type: ignore[arg-type]
