"""Tables as spreadsheets, phones and pasted exports leave them: marks, hashtags, headers, day numbers, words."""

from datetime import date

import openpyxl
import pytest

from tests.support.officer import Officer, figure, read_figures

NAMED = ("--code", "settlement_code", "--name", "settlement_name", "--ward", "ward_name")
BASE = "../_base_boundaries.geojson"
CODES = ("K01", "K02", "K03", "K04")


def assert_whole(
    officer: Officer, file: str, *arguments: object, boundaries: str = BASE, indicator: str = "drainage_any"
) -> str:
    """All 60 households count, 15 in each settlement, and 80 % of them say yes; what was printed."""
    done, report = officer.assess(boundaries, file, *NAMED, "--mode", "census", *arguments)
    figures = read_figures(report)
    found = figures[(figures["indicator"] == indicator) & (figures["level"] == "settlement")]
    assert (list(found["value"]), list(found["n"])) == ([80] * 4, [15] * 4), done
    return done.stdout + done.stderr


@pytest.mark.case("field/06-html-saved-as-xls")
def test_a_web_page_is_no_workbook(officer: Officer) -> None:
    refused, _ = officer.assess(BASE, "survey_export.xls", *NAMED, "--mode", "census", code=1)
    assert "is a web page that calls itself a workbook" in refused.stderr


@pytest.mark.case("field/07-blanks-and-quotes-in-header")
def test_blanks_before_quotation_marks_are_no_text(officer: Officer) -> None:
    assert "60 counted, 0 with warnings" in assert_whole(officer, "households.csv")


@pytest.mark.case("field/08-equals-quoted-text")
def test_text_kept_by_an_equals_sign_is_that_text(officer: Officer) -> None:
    said = assert_whole(officer, "households.csv", boundaries="settlements.geojson")
    assert "60 counted, 0 with warnings" in said


@pytest.mark.case("field/09-hxl-row")
def test_hashtags_are_left_out_and_said_once(officer: Officer) -> None:
    said = assert_whole(officer, "households.csv")
    assert said.count("The row holds HXL hashtags; it is left out. What to do: nothing. (1 row: 2)") == 1
    assert "60 read, 60 counted" in said
    officer.city("pune", BASE, *NAMED)
    dates = ("--starts", "2024-01-01", "--ends", "2024-12-31", "--mode", "sample")
    officer.run("load", "survey", "households.csv", "--city", "pune", "--survey", "2024", *dates)
    frame = officer.run("load", "frame", "../fhxl.csv", "--city", "pune", "--survey", "2024")
    assert "The row holds HXL hashtags" in frame.stdout + frame.stderr
    assert "frame sizes are loaded" in frame.stdout


@pytest.mark.case("field/10-excel-made-dates-of-ranges")
@pytest.mark.parametrize("file", ["households.csv", "households.xlsx"])
def test_a_date_is_no_number_of_members(officer: Officer, file: str) -> None:
    said = assert_whole(officer, file)
    assert "which are not numbers; the answer is kept as unknown" in said
    assert "3 with warnings" in said


@pytest.mark.case("field/34-excel-serial-dates")
def test_day_numbers_of_excel_are_dates(officer: Officer) -> None:
    said = assert_whole(officer, "households.csv")
    assert "the number by which Excel keeps a day, and was read as that day: “45301 = 2024-01-10”" in said
    officer.run("suggest", "households.csv", "--out", "p.toml")
    assert "the number by which Excel" in assert_whole(officer, "households.csv", "--profile", "p.toml")
    officer.run("suggest", "households_ddmmyy.csv", "--out", "d.toml")
    assert '"%d/%m/%y"' in officer.folder.joinpath("d.toml").read_text(encoding="utf-8")


@pytest.mark.case("field/35-title-rows-and-merged-headers")
def test_a_title_is_no_header_and_a_total_no_household(officer: Officer) -> None:
    refused, _ = officer.assess(BASE, "households.xlsx", *NAMED, "--mode", "census", code=1)
    assert "the column names seem to stand in row 4" in refused.stderr
    without = "households_without_title.xlsx"
    refused, _ = officer.assess(BASE, without, *NAMED, "--mode", "census", code=1)
    assert "The row names no settlement" in refused.stdout + refused.stderr
    assert_whole(officer, without, "--skip-errors")


@pytest.mark.case("field/36-two-exports-pasted-together")
def test_the_header_again_is_left_out(officer: Officer) -> None:
    said = assert_whole(officer, "households.csv")
    assert "The row holds the column names again" in said
    assert "(1 row: 32)" in said


@pytest.mark.case("field/43-old-mac-line-ends")
def test_lines_of_an_old_mac_are_lines(officer: Officer) -> None:
    assert "60 counted, 0 with warnings" in assert_whole(officer, "households.csv")


@pytest.mark.case("field/44-frame-with-thousands")
def test_a_frame_never_counts_one_household_for_a_thousand(officer: Officer) -> None:
    officer.city("pune", BASE, *NAMED)
    dates = ("--starts", "2024-01-01", "--ends", "2024-12-31", "--mode", "sample")
    officer.run("load", "survey", "../_base_households.csv", "--city", "pune", "--survey", "2024", *dates)
    for file in ("frame.csv", "frame_fr.csv"):
        refused = officer.run("load", "frame", file, "--city", "pune", "--survey", "2024", code=1)
        assert "The number of households is" in refused.stdout + refused.stderr


@pytest.mark.case("field/45-formulas-never-calculated")
def test_formulas_without_values_are_named(officer: Officer) -> None:
    done, report = officer.assess(BASE, "households.xlsx", *NAMED, "--mode", "census")
    said = done.stdout + done.stderr
    assert said.count("Cells of “members, drainage” hold formulas that no spreadsheet program has calculated") == 1
    assert figure(read_figures(report), "drainage_any")["reason"] == "no_answers"
    assert "hold formulas" in officer.run("suggest", "households.xlsx", "--out", "p.toml").stdout


@pytest.mark.case("field/45-formulas-never-calculated")
def test_errors_of_a_workbook_are_told_as_in_a_text_table(officer: Officer) -> None:
    book = openpyxl.load_workbook(officer.folder / "households.xlsx")
    for row, text in enumerate(("#NUM!", "#N/A", "#REF!", "5", "5"), start=2):
        cell = book.active[f"G{row}"]
        cell.value, cell.data_type = (text, "e") if text.startswith("#") else (int(text), "n")
    book.save(officer.folder / "errors.xlsx")
    said, _ = officer.assess(BASE, "errors.xlsx", *NAMED, "--mode", "census")
    for text in ("“#NUM!”", "“#N/A”", "“#REF!”"):
        assert text in said.stdout + said.stderr


@pytest.mark.case("field/46-false-in-other-words")
def test_yes_and_no_are_known_in_many_words(officer: Officer) -> None:
    files = [*sorted(officer.folder.glob("*.csv")), *officer.folder.glob("*.xlsx")]
    assert len(files) == 10
    for file in files:
        said = assert_whole(officer, file.name, indicator="internet_home")
        assert "0 with warnings" in said or "is not a value" not in said, (file, said)
    for name in ("hindi", "floats"):
        officer.run("suggest", f"{name}.csv", "--out", f"{name}.toml")
        assert_whole(officer, f"{name}.csv", "--profile", f"{name}.toml", indicator="internet_home")


@pytest.mark.case("field/46-false-in-other-words")
def test_several_years_of_one_sheet_are_told(officer: Officer) -> None:
    lines = (officer.folder.parent / "_base_households.csv").read_text(encoding="utf-8").splitlines()
    rows = [f"{line},{(2018, 2021, 2024)[i % 3]}" for i, line in enumerate(lines[1:])]
    officer.folder.joinpath("years.csv").write_text("\n".join([f"{lines[0]},Year", *rows]), encoding="utf-8")
    assert "rows of several years (“2018, 2021, 2024”)" in assert_whole(officer, "years.csv")
    assert "2018, 2021, 2024" in officer.run("suggest", "years.csv", "--out", "p.toml").stdout


@pytest.mark.case("field/47-interview-after-midnight")
def test_an_interview_has_the_date_of_its_own_clock(officer: Officer) -> None:
    profile = 'name = "p"\n[position]\nlongitude = "longitude"\nlatitude = "latitude"\n'
    columns = {"household_code": "household_code", "members": "members", "drainage": "drainage"}
    columns |= {"interviewed_on": "start", "declared_settlement_code": "settlement_code"}
    profile += "".join(f'[fields.{name}]\ncolumn = "{column}"\n' for name, column in columns.items())
    officer.folder.joinpath("p.toml").write_text(profile, encoding="utf-8")
    officer.city("pune", BASE, *NAMED)
    starts, ends = date(2024, 1, 7), date(2024, 4, 12)
    said = officer.run(
        *("load", "survey", "households.csv", "--city", "pune", "--survey", "2024", "--mode", "census"),
        *("--starts", starts, "--ends", ends, "--profile", "p.toml"),
    )
    assert "outside the survey's dates" not in said.stdout + said.stderr
