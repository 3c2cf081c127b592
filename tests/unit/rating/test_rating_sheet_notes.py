"""Lines of a sheet that are no rates, and those that must never be taken for such."""

import pytest

from rating.rate_sheet import RateSheet, SheetOptions, read_rate_sheet

HEADER = "Destination,Code,Rate,Increments\n"
RATE = "UK,44,0.01,1/1\n"


def read(text: str, **options: object) -> RateSheet:
    return read_rate_sheet(text.encode(), SheetOptions(**options))  # type: ignore[arg-type]


def errors_of(sheet: RateSheet) -> list[str]:
    return [str(error) for error in sheet.errors]


@pytest.mark.parametrize(
    ("footer", "told"),
    [
        ("E&OE\n", ["line 3 is taken for a note: E&OE"]),
        ("Total: 123 rows,,,\n", ["line 3 is taken for a note: Total: 123 rows"]),
        (",Total: 1 row\n", ["line 3 is taken for a note: Total: 1 row"]),
        ("\nRemark,,,see above\n", ["line 4 is taken for a note: Remark see above"]),
        (
            "\nAll prices, without VAT, are ours, E&OE, and valid, until further notice\n",
            [
                "line 4 is taken for a note: All prices without VAT are ours E&OE and valid"
                " until further notice"
            ],
        ),
        (
            "Notes\nE&OE,,excl. VAT\n1. Valid from tomorrow\n",
            [
                "line 3 is taken for a note: Notes",
                "line 4 is taken for a note: E&OE excl. VAT",
                "line 5 is taken for a note: 1. Valid from tomorrow",
            ],
        ),
    ],
)
def test_text_below_the_table_is_a_note_and_is_told(footer: str, told: list[str]) -> None:
    sheet = read(HEADER + RATE + footer)
    assert ([], ["44"], told) == (
        errors_of(sheet), [rate.prefix for rate in sheet.rates], sheet.notes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Total,,0.03,\n", "Total 0.03"),
        ("Grand Total:,,2 rates,\n", "Grand Total: 2 rates"),
        ("Average: 0.02,,0.02,\n", "Average: 0.02 0.02"),
        ("Summe,,0.03,\n", "Summe 0.03"),
        ("DESTINATION,Code, Rate ,Increments\n", "DESTINATION Code Rate Increments"),
    ],
)
def test_totals_and_a_header_that_is_repeated_are_notes_among_the_rates(
    line: str, told: str
) -> None:
    sheet = read(HEADER + RATE + line + "Germany,49,0.02,1/1\n")
    assert ([], ["44", "49"]) == (errors_of(sheet), [rate.prefix for rate in sheet.rates])
    assert [f"line 3 is taken for a note: {told}"] == sheet.notes


def test_a_rate_whose_destination_begins_like_a_total_is_none() -> None:
    sheet = read(HEADER + RATE + "Total,49,0.03,1/1\nTotal Access,,0.03,1/1\n")
    assert (["line 4, Code: empty"], ["44", "49"]) == (
        errors_of(sheet), [rate.prefix for rate in sheet.rates],
    )  # fmt: skip


def test_titles_of_sections_are_notes_among_the_rates() -> None:
    sheet = read(HEADER + "EUROPE\n" + RATE + '\n"ASIA, OCEANIA"\nJapan,81,0.02,1/1\n')
    assert ([], ["44", "81"]) == (errors_of(sheet), [rate.prefix for rate in sheet.rates])
    assert ["line 2 is taken for a note: EUROPE", "line 5 is taken for a note: ASIA, OCEANIA"] == (
        sheet.notes
    )


@pytest.mark.parametrize(
    "line",
    [
        "France,33,,\n",
        "\nFrance,33\n",
        "\nFrance,,0.02,\n",
        "\nFrance,,EUR 0.02,\n",
        "\nFrance,,blocked,\n",
        "\nFrance,O33,0.02,1/1\n",
        "\nFrance,+33,cheap,1/1\n",
        "E&OE\nFrance,33 x,cheap,1/1\n",
        "33\n",
        "\n33;France;0.02;1/1\n",
        "\nFrance;33;0.02;1/1\n",
        "France|33|.02|1/1\n",
        "France,cheap\n",
        "Remark,,,see above\n",
    ],
)
def test_what_may_be_meant_as_a_rate_is_never_a_note(line: str) -> None:
    sheet = read(HEADER + RATE + line)
    assert [] != sheet.errors
    assert [] == [note for note in sheet.notes if "France" in note or "33" in note]


def test_more_than_a_title_among_the_rates_is_an_error() -> None:
    sheet = read(HEADER + RATE + "\nFrance,,see below\nSpain,34,0.01,1/1\n")
    assert {4} == {error.line for error in sheet.errors}
    assert [] == sheet.notes


def test_a_line_break_in_a_cell_is_no_empty_line() -> None:
    sheet = read(HEADER + '"United\nKingdom",44,0.01,1/1\nRemark,,,see above\n')
    assert {4} == {error.line for error in sheet.errors}


def test_of_many_notes_the_first_are_told() -> None:
    sheet = read(HEADER + RATE + "".join(f"Clause {number}\n" for number in range(30)))
    assert ([], 11) == (errors_of(sheet), len(sheet.notes))
    assert "and so are 20 more, the last is line 32" == sheet.notes[-1]


def test_no_line_is_lost_among_too_many_to_be_a_footer() -> None:
    sheet = read(HEADER + RATE + "\n" + "so,,on\n" * 1_001)
    assert 1_001 == len({error.line for error in sheet.errors})
    assert ([], 11) == (errors_of(sheet := read(HEADER + RATE + "\n" + "so,,on\n" * 1_000)),
                        len(sheet.notes))  # fmt: skip


def test_a_sheet_of_notes_only_has_no_rates() -> None:
    assert ["line 2: no rates below the header"] == errors_of(read(HEADER + "E&OE\n"))


def test_notes_do_not_hide_the_columns_of_a_sheet_without_a_header() -> None:
    sheet = read("44,UK,0.01,1/1\n33,France,0.02,1/1\n\nE&OE\n")
    assert ([], ["44", "33"]) == (errors_of(sheet), [rate.prefix for rate in sheet.rates])
    assert "line 4 is taken for a note: E&OE" == sheet.notes[-1]
