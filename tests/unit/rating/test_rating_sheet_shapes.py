"""Prefixes, amounts and files in the shapes in which people and programs write them."""

import zipfile
from io import BytesIO

import pytest
from openpyxl import Workbook

from rating.rate_sheet import RateSheet, SheetOptions, read_rate_sheet


def read(text: str, **options: object) -> RateSheet:
    return read_rate_sheet(text.encode(), SheetOptions(**options))  # type: ignore[arg-type]


def errors_of(sheet: RateSheet) -> list[str]:
    return [str(error) for error in sheet.errors]


@pytest.mark.parametrize(
    ("cell", "prefixes"),
    [
        ("0044", ["44"]),
        ("0044-0045", ["44", "45"]),
        ("4420 4421", ["4420", "4421"]),
        ('"=""44"""', ["44"]),
        ("'44", ["44"]),
        ("+49 (0)", ["49"]),
        ("+49 (0)30", ["4930"]),
        ("0049 (0) 30", ["4930"]),
        ("+1 (684)", ["1684"]),
        ('"+49 (0)30, +49 (0)40"', ["4930", "4940"]),
        ("4915*", ["4915"]),
        ("4915%", ["4915"]),
        ("4915*-4917*", ["4915", "4916", "4917"]),
        ("491510-491512", ["491510", "491511", "491512"]),
        ("49151 to 49153", ["49151", "49152", "49153"]),
        ("49151 bis 49152", ["49151", "49152"]),
        ("49151..49152", ["49151", "49152"]),
        ("49151 — 49152", ["49151", "49152"]),
    ],
)
def test_prefixes_in_the_ways_spreadsheets_and_carriers_write_them(
    cell: str, prefixes: list[str]
) -> None:
    sheet = read(f"Code,Rate,Increments\n{cell},0.01,1/1\n")
    assert ([], prefixes) == (errors_of(sheet), [rate.prefix for rate in sheet.rates])


@pytest.mark.parametrize(
    "cell",
    ["*", "(0)", "+49 (0", "49(30)40 50", "+49 (0)30 40", "4915*9", "44 to", "491[5-7]", "44X"],
)
def test_a_prefix_that_is_none_is_an_error(cell: str) -> None:
    sheet = read(f"Code,Rate,Increments\n{cell},0.01,1/1\n")
    assert (1, []) == (len(sheet.errors), sheet.rates)


@pytest.mark.parametrize(
    ("cell", "micros"),
    [
        ("0.010000000000", 10_000),
        ("0.00000000", 0),
        ("1 234.50", 1_234_500_000),
        ("1\u00a0234\u00a0567.5", 1_234_567_500_000),
        ("1\u202f234.5", 1_234_500_000),
        ("1'234.50", 1_234_500_000),
        ("0.01 USD/min", 10_000),
        ("$0.01 / min.", 10_000),
        ("0.01 per minute", 10_000),
        ("0.01 pro Minute", 10_000),
    ],
)
def test_amounts_in_the_ways_databases_and_people_write_them(cell: str, micros: int) -> None:
    sheet = read(f"Code,Rate,Increments\n44,{cell},1/1\n")
    assert ([], [micros]) == (
        errors_of(sheet), [rate.price_micros_per_minute for rate in sheet.rates],
    )  # fmt: skip


@pytest.mark.parametrize(
    "cell", ["0.01000001", "1 23.5", "12 34", "0.01/s", "0.01 per call", "1' 000"]
)
def test_an_amount_that_could_be_another_is_an_error(cell: str) -> None:
    [error] = read(f"Code,Rate,Increments\n44,{cell},1/1\n").errors
    assert "Rate" == error.column


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "latin-1", "utf-8-sig"])
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    text = "Code;Destination;Rate;Increments\r\n52;México;0,01;1/1\r\n"
    [rate] = read_rate_sheet(text.encode(encoding)).rates
    assert "México" == rate.destination


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a workbook of an old Excel (.xls)"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\xef\xbb\xbf <HTML><table>", "a web page or XML"),
        (b'<?xml version="1.0"?><Workbook>', "a web page or XML"),
    ],
)
def test_a_file_of_another_kind_is_told_as_such(content: bytes, kind: str) -> None:
    [error] = read_rate_sheet(content).errors
    assert f"{kind}: open it and save it as XLSX or CSV" == error.message


def test_an_open_document_workbook_is_told_as_such() -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", "<office:document-content/>")
    [error] = read_rate_sheet(packed.getvalue()).errors
    assert "an OpenDocument workbook: open it and save it as XLSX or CSV" == error.message


def test_titles_in_merged_cells_and_a_total_are_no_rates_of_a_workbook() -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (
        ["Carrier: rates from A to Z"], ["Valid from 1 December", None, "USD"], [],
        ["Destination", "Dial Code", None, "Rate (USD/min)", "Min/Incr", None],
        ["Germany", 49.0, None, 0.0123, "60/1", None],
        ["Germany Mobile", "4915*", None, 0.05, "60/1", None], ["Total", None, None, 2],
    ):  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("A1:F1")
    sheet.merge_cells("A2:B2")
    packed = BytesIO()
    workbook.save(packed)
    read_back = read_rate_sheet(packed.getvalue(), SheetOptions(currency="USD"))
    assert ([], [("49", 12_300), ("4915", 50_000)], ["line 7 is taken for a note: Total 2"]) == (
        errors_of(read_back),
        [(rate.prefix, rate.price_micros_per_minute) for rate in read_back.rates],
        read_back.notes,
    )


def test_a_cell_that_is_true_or_false_is_told_as_a_spreadsheet_shows_it() -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (
        ["Code", "Rate", "Billing", "Blocked"],
        [True, 0.05, "60/1", False], [49, False, "60/1", False], [33, 0.02, "60/1", False],
        [882, None, None, True],
    ):  # fmt: skip
        sheet.append(row)

    def read_back() -> RateSheet:
        packed = BytesIO()
        workbook.save(packed)
        return read_rate_sheet(packed.getvalue())

    code, price = errors_of(read_back())
    assert "line 2, Code: 'TRUE' is not 1 to 15 digits" == code
    assert price.startswith("line 3, Rate: 'FALSE' is not an amount")
    sheet.delete_rows(2, 2)
    assert {"33": False, "882": True} == {each.prefix: each.blocked for each in read_back().rates}


def test_other_worksheets_with_rates_are_told() -> None:
    workbook = Workbook()
    for title in ("Cover", "Standard", "Premium"):
        sheet = workbook.create_sheet(title)
        if title != "Cover":
            sheet.append(["Code", "Rate", "Billing"])
            sheet.append([49, 0.05, "60/1"])
    packed = BytesIO()
    workbook.save(packed)
    told = "of the workbook only 'Standard' is read, not 'Premium' (--worksheet)"
    assert [told] == read_rate_sheet(packed.getvalue()).notes
    assert [] == read_rate_sheet(packed.getvalue(), SheetOptions(worksheet="Premium")).notes


def test_a_hidden_worksheet_is_read_only_if_it_is_named() -> None:
    workbook = Workbook()
    for title, price in (("Old", 9), ("Rates", 0.05)):
        sheet = workbook.create_sheet(title)
        sheet.append(["Code", "Rate", "Billing"])
        sheet.append([49, price, "60/1"])
    workbook.remove(workbook.worksheets[0])
    workbook["Old"].sheet_state = "hidden"

    def read_back(**options: str) -> tuple[list[int], list[str]]:
        packed = BytesIO()
        workbook.save(packed)
        found = read_rate_sheet(packed.getvalue(), SheetOptions(**options))  # type: ignore[arg-type]
        return [rate.price_micros_per_minute for rate in found.rates], found.notes

    assert ([50_000], []) == read_back()
    assert ([9_000_000], []) == read_back(worksheet="Old")


def test_a_destination_is_one_line_that_no_terminal_obeys() -> None:
    sheet = 'Code,Destination,Rate,Billing\n44,"United\r\nKingdom \x1b[31mred",0.05,1/1\n'
    [rate] = read_rate_sheet(sheet.encode()).rates
    assert "United Kingdom [31mred" == rate.destination
