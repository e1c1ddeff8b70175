"""Reading: clients' files as they are, and a clear word where a file cannot be a table."""

from __future__ import annotations

import gzip
import json
import time
import zipfile
from pathlib import Path

import polars as pl
import pytest

from skiff.core.errors import SkiffError
from skiff.flows.read import read_table


def kind_of(dtype: pl.DataType) -> str:
    """Return the kind as the truth tables name it."""
    if dtype.is_numeric():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    return "date" if dtype == pl.Date or isinstance(dtype, pl.Datetime) else "text"


@pytest.mark.real
def test_every_messy_file_reads_exactly_as_its_truth(shared_data: Path) -> None:
    for expected in json.loads((shared_data / "messy" / "expected.json").read_text()):
        frame = read_table(shared_data / expected["file"]).frame
        assert frame.columns == expected["columns"], expected["file"]
        assert frame.height == expected["rows"], expected["file"]
        assert {name: kind_of(dtype) for name, dtype in frame.schema.items()} == expected["kinds"], expected["file"]
        for name, checks in expected["checks"].items():
            series = frame[name]
            assert series.null_count() == checks["missing"], (expected["file"], name)
            for what in ("sum", "min", "max"):
                if what in checks:
                    assert getattr(series, what)() == pytest.approx(checks[what], rel=1e-9), (expected["file"], name)
            if "distinct" in checks:
                assert series.drop_nulls().n_unique() == checks["distinct"], (expected["file"], name)
            if "true" in checks:
                assert series.sum() == checks["true"], (expected["file"], name)


def test_german_export_is_read_without_a_word_from_the_user(tmp_path: Path) -> None:
    path = tmp_path / "umsatz.csv"
    lines = ["Datum;Größe;Umsatz €;aktiv;"]
    lines += [
        f"{day:02}.01.2024;{'groß' if day % 2 else 'klein'};1.{day:03},50;{'ja' if day % 3 else 'nein'};"
        for day in range(1, 29)
    ]
    total = sum(1000 + day + 0.5 for day in range(1, 29))
    lines.append(f"Summe;;{total:,.2f};;".replace(",", "x").replace(".", ",").replace("x", "."))
    path.write_bytes("\r\n".join(lines).encode("cp1252"))
    read = read_table(path)
    assert read.frame.height == 28
    assert read.frame["Umsatz €"].sum() == pytest.approx(total)
    assert read.frame["aktiv"].dtype == pl.Boolean
    assert read.frame["Datum"].dtype == pl.Date
    codes = {finding.code for finding in read.findings}
    assert {
        "reading.encoding",
        "reading.delimiter",
        "reading.decimal",
        "reading.totals_row",
        "reading.booleans",
    } <= codes


def test_codes_with_leading_zeros_and_long_ids_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "plz.csv"
    path.write_text("plz,card\n" + "\n".join(f"0{1000 + n},{10**18 + n}" for n in range(50)))
    frame = read_table(path).frame
    assert frame["plz"][0] == "01000"
    assert frame["card"][7] == str(10**18 + 7)


def test_lists_inside_cells_do_not_become_columns(tmp_path: Path) -> None:
    path = tmp_path / "tags.csv"
    path.write_text("bread no.,name\na; b; c; d; e; f,si\ng; h; i; j; k; l,no\nm|n|o,no\n")
    assert read_table(path).frame.shape == (3, 2)


def test_rows_without_their_last_cells_are_not_cut_at_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("made;net, EUR;due\n1;6,4;3\n2;5,8\n3;6,1\n4;6,2;9\n5;8,8\n6;7,2;1\n7;8,0\n")
    assert read_table(path).frame.columns == ["made", "net, EUR", "due"]


def test_a_subtotal_of_a_single_sale_is_left_out_beside_a_proven_one(tmp_path: Path) -> None:
    path = tmp_path / "shops.csv"
    rows = ["N,507", "S,117", "W,207", "Subtotal,831", "E,86", "F,", "Subtotal,86", "G,238", "Total,1155"]
    path.write_text("shop,sales\n" + "\n".join(rows))
    frame = read_table(path).frame
    assert frame["shop"].to_list() == ["N", "S", "W", "E", "F", "G"]


def test_a_percentage_with_its_minus_behind_is_no_note_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "end.csv"
    path.write_text('size,net\n"92,324%",70.1\n"69,193%",78.1\n"71,951%",-5.1\n"63,993%",61.5\n931-%,\n')
    assert read_table(path).frame.height == 5


def test_a_mark_that_only_sums_carry_stands_between_thousands(tmp_path: Path) -> None:
    path = tmp_path / "sums.csv"
    rows = ["N,780", "S,119", "W,307", "Subtotal,1.206", "E,(181)", "F,47", "G,374", "Subtotal,240", "Total,1.446"]
    path.write_text("shop,sales\n" + "\n".join(rows))
    assert read_table(path).frame["shop"].to_list() == ["N", "S", "W", "E", "F", "G"]


def test_dates_of_another_look_do_not_settle_which_part_is_the_day(tmp_path: Path) -> None:
    path = tmp_path / "signs.csv"
    rows = "15.01.2020,07/04/2022,25/12/2021\n11.03.2021,02/03/2021,24/12/2021\n26.02.2019,04/09/2021,23/12/2021\n"
    path.write_text("made,due,paid\n" + rows)
    assert read_table(path).frame["due"].dtype == pl.Date  # 25/12 beside it is written with the same signs
    path.write_text("made,due\n" + "".join(line.rsplit(",", 1)[0] + "\n" for line in rows.splitlines()))
    read = read_table(path)
    assert read.frame["due"].dtype == pl.String
    assert any(finding.code == "reading.ambiguous_dates" for finding in read.findings)


def test_dates_that_could_be_either_are_asked_never_guessed(tmp_path: Path) -> None:
    path = tmp_path / "either.csv"
    path.write_text("when,x\n" + "\n".join(f"0{1 + n % 9}/0{1 + (n * 5) % 9}/2024,{n}" for n in range(40)))
    read = read_table(path)
    assert "reading.ambiguous_dates" in [finding.code for finding in read.findings]
    assert read.frame["when"].dtype == pl.String


def test_ragged_rows_are_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    rows = ["1,2,3", "4,5", "6,7,8,9", *["10,11,12"] * 30]
    path.write_text("a,b,c\n" + "\n".join(rows) + "\n")
    read = read_table(path)
    assert read.frame.height == 33
    ragged = next(finding for finding in read.findings if finding.code == "reading.ragged_rows")
    assert set(ragged.sample_rows) == {2, 3}
    assert 9 in read.frame.to_series(3).to_list() or "9" in read.frame.to_series(3).to_list()


def test_recipe_reads_next_month_the_same_way_or_says_what_changed(tmp_path: Path) -> None:
    first, second, third = tmp_path / "jan.csv", tmp_path / "feb.csv", tmp_path / "mar.csv"
    first.write_text("day;eur\n" + "\n".join(f"{n:02}.01.2024;{n},5" for n in range(1, 29)))
    second.write_text("day;eur\n01.02.2024;3,5\n02.02.2024;4,5\n")
    third.write_text("day;amount\n01.03.2024;3,5\n")
    recipe = read_table(first).reading
    assert read_table(second, recipe=recipe).frame["eur"].to_list() == [3.5, 4.5]
    with pytest.raises(SkiffError) as caught:
        read_table(third, recipe=recipe)
    assert caught.value.code == "columns_changed"


def test_frames_of_three_libraries_read_alike() -> None:
    frame = pl.DataFrame({"n": [1, 2], "t": ["a", None], "f": [0.5, None]})
    for table in (frame, frame.to_pandas(), frame.to_arrow()):
        assert read_table(table).frame.equals(frame)


def test_compressed_and_columnar_files_are_opened(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, 2, 3], "t": ["a", "b", "c"]})
    text = frame.write_csv().encode()
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.csv", text)
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    frame.write_ipc(tmp_path / "t.arrow")
    for path in tmp_path.iterdir():
        assert read_table(path).frame.equals(frame), path.name


BAD: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "file_empty"),
    "blank.csv": (b"\n\n  \n", "file_empty"),
    "header_only.csv": (b"a,b,c\n", "file_empty"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "file_is_binary"),
    "model.csv": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00", "file_is_binary"),
    "cut.parquet": (b"PAR1" + b"x" * 40, "file_damaged"),
    "cut.xlsx": (b"PK\x03\x04" + b"x" * 40, "file_damaged"),
    "cut.csv.gz": (gzip.compress(b"a,b\n1,2\n" * 1000)[:40], "archive_damaged"),
    "bomb.csv.gz": (gzip.compress(b"0" * 60_000_000), "archive_bomb"),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_table_get_a_clear_error(name: str, tmp_path: Path) -> None:
    data, code = BAD[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SkiffError) as caught:
        read_table(tmp_path / name)
    assert caught.value.code == code
    assert caught.value.fix


def test_missing_file_names_the_closest_one(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a\n1\n")
    with pytest.raises(SkiffError) as caught:
        read_table(tmp_path / "order.csv")
    assert caught.value.code == "file_not_found"
    assert "orders.csv" in caught.value.fix


def test_several_sheets_become_one_table_with_the_sheet_first(shared_data: Path) -> None:
    frame = read_table(shared_data / "messy" / "wholesale_report.xlsx").frame
    assert frame.columns[0] == "sheet"


def test_wide_table_of_5000_columns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(
        ",".join(f"c{n}" for n in range(5_000)) + "\n" + "\n".join(",".join(["1"] * 5_000) for _ in range(30))
    )
    assert read_table(path).frame.width == 5_000


@pytest.mark.parametrize("quoted", [False, True])
def test_large_regular_file_keeps_its_first_and_last_row(tmp_path: Path, quoted: bool) -> None:
    mark = '"' if quoted else ""
    path = tmp_path / "large.csv"
    path.write_text("n,word\n" + "\n".join(f"{n},{mark}word number {n}{mark}" for n in range(120_000)) + "\n")
    frame = read_table(path).frame
    assert frame.height == 120_000
    assert frame["n"][0] == 0
    assert frame["n"][-1] == 119_999


def test_a_wide_table_is_read_in_a_handful_of_queries(tmp_path: Path) -> None:
    head = ",".join(f"c{n}" for n in range(3_000))
    rows = [",".join(str((n * row) % 97) for n in range(3_000)) for row in range(1, 21)]
    path = tmp_path / "wide.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    began = time.process_time()
    read = read_table(path)
    assert read.frame.shape == (20, 3_000)
    assert set(read.frame.dtypes) == {pl.Int64}
    assert time.process_time() - began < 10.0


def test_the_last_row_is_no_note_where_its_cell_comes_again(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,paid\n" + "A-1,yes\n#N/A,\nB-2,no\n" * 3 + "#N/A,\n")
    assert read_table(path).frame.height == 10


def test_a_minus_between_the_amount_and_its_currency_is_a_minus(tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    path.write_text("till,sum\nblue,644.69€\nred,352.73€\nblue,44.62-€\nblue,1.90-€\nred,141.33-€\n", encoding="utf-8")
    assert read_table(path).frame["sum"].to_list() == [644.69, 352.73, -44.62, -1.9, -141.33]


def test_a_lone_word_that_fits_two_encodings_is_said_to_fit_both(tmp_path: Path) -> None:
    """Four bytes: a Russian word of DOS, or one Chinese letter of UTF-8 beside a damaged one. Nobody can tell."""
    path = tmp_path / "list.csv"
    path.write_bytes("хлеб (EUR),made\n1,2\n3,4\n".encode("cp866"))
    (found,) = [finding for finding in read_table(path).findings if finding.code == "reading.encoding"]
    named = {found.evidence["encoding"], *found.evidence["rivals"]}  # type: ignore[misc]  # a tuple of names
    assert found.severity == "warn"
    assert named >= {"cp866", "utf-8"}
    assert "Cyrillic (DOS 866)" in found.what
    assert "`encoding`" in found.remedy


def test_turkish_among_words_of_other_languages_names_both_of_the_encodings_that_share_their_letters(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("yağmur no.,öğrenci\nsí,22\nno,67\n".encode("cp1254"))
    (found,) = [finding for finding in read_table(path).findings if finding.code == "reading.encoding"]
    assert "cp1254" in {found.evidence["encoding"], *found.evidence["rivals"]}  # type: ignore[misc]  # a tuple of names
    path.write_bytes("Þetta er íslenska með nokkrum orðum og það er nóg,n\n1,2\n".encode("cp1252"))
    (found,) = [finding for finding in read_table(path).findings if finding.code == "reading.encoding"]
    assert found.severity != "warn"  # long enough to be sure


def test_the_same_sign_for_no_value_in_several_columns_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    rows = [f"{'?' if row % 7 == 0 else 'baker'},{'?' if row % 5 == 0 else 'Oslo'},{row}" for row in range(1, 200)]
    path.write_text("\n".join(["job,town,n", *rows]), encoding="utf-8")
    (found,) = [finding for finding in read_table(path).findings if finding.code == "reading.placeholder_missing"]
    assert found.columns == ("job", "town")
    assert found.evidence["cells"] == 199 // 7 + 199 // 5
    assert "'job' and 'town'" in found.what
    assert found.sample_rows[:3] == (5, 7, 10)


def test_a_form_of_dates_with_words_is_shown_by_an_example_of_no_file(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("day,stars\n" + "".join(f"{day}-Jul-18,5\n" for day in range(10, 29)), encoding="utf-8")
    (found,) = [finding for finding in read_table(path).findings if finding.code == "reading.dates"]
    assert "like 31-May-24" in found.what
    assert "1969 to 1999" in found.what


def test_a_file_without_a_header_is_seen_where_most_amounts_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    amounts = ["EUR 2'685.40", "EUR (525.81)", "EUR 17.95", *["n/a"] * 7, "EUR 88.00"]
    path.write_text("".join(f"note {at} of the day,{amount}\n" for at, amount in enumerate(amounts)), encoding="utf-8")
    frame = read_table(path).frame
    assert frame.columns == ["column_1", "column_2"]
    assert frame["column_2"].to_list() == [2685.4, -525.81, 17.95, *[None] * 7, 88.0]
