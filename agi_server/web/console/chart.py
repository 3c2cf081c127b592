"""Charts as shapes of SVG: the balance over time, a figure day by day. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from agi_server.web.ledger_lists import BalancePoint

WIDTH, HEIGHT = 600, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A line in steps: the balance stays until the next movement.

    `line` and `area` are points for SVG; `zero` is the height of a balance of 0, None when it lies
    outside. `lowest` and `highest` are what the lower and the upper edge stand for, in micros.
    """

    line: str
    area: str
    zero: float | None
    lowest: int
    highest: int
    since: datetime
    until: datetime


def balance_chart(points: Sequence[BalancePoint], until: datetime) -> Chart:
    """Draw points, the first of which is where the chart begins."""
    since = points[0].at
    values = [point.balance_micros for point in points]
    lowest, highest = min(*values, 0), max(*values, 0)
    height = max(highest - lowest, 1)
    length = max((until - since).total_seconds(), 1)

    def x(at: datetime) -> float:
        return round((at - since).total_seconds() / length * WIDTH, 1)

    def y(micros: int) -> float:
        return round(HEIGHT - (micros - lowest) / height * HEIGHT, 1)

    line = [(0.0, y(values[0]))]
    for point in points[1:]:
        line += [(x(point.at), line[-1][1]), (x(point.at), y(point.balance_micros))]
    line.append((float(WIDTH), line[-1][1]))
    zero = y(0)
    area = [(0.0, zero), *line, (float(WIDTH), zero)]
    return Chart(
        line=_points(line),
        area=_points(area),
        zero=zero if 0 < zero < HEIGHT else None,
        lowest=lowest,
        highest=highest,
        since=since,
        until=until,
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle, and what it stands for."""

    x: float
    y: float
    width: float
    height: float
    day: date
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """One bar a day; `lowest` and `highest` are what the edges stand for, `zero` as of a Chart."""

    bars: Sequence[Bar]
    zero: float | None
    lowest: int
    highest: int


def day_chart(values: Mapping[date, int], first: date, last: date) -> BarChart:
    """Draw the values of the days from first to last; days without one have no bar."""
    days = (last - first).days + 1
    lowest, highest = min(0, 0, *values.values()), max(0, 0, *values.values())
    height = max(highest - lowest, 1)
    step = WIDTH / days

    def y(value: int) -> float:
        return HEIGHT - (value - lowest) / height * HEIGHT

    bars = [
        Bar(
            round((day - first).days * step + step * 0.1, 2),
            round(min(y(value), y(0)), 2),
            round(step * 0.8, 2),
            round(abs(y(value) - y(0)), 2),
            day,
            value,
        )
        for day, value in sorted(values.items())
        if first <= day <= last
    ]
    zero = round(y(0), 2)
    return BarChart(
        bars=bars, zero=zero if 0 < zero < HEIGHT else None, lowest=lowest, highest=highest
    )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
