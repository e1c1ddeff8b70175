"""Columns about persons are told by their cells, their header and their neighbours; firms, places and things are not."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from skiff.data.personal import find_personal_columns

MAILS = [f"guest{row}@example.org" for row in range(40)]

NIGERIAN = ["Oluwaseun Adeyemi", "Chukwuemeka Nwosu", "Ngozi Eze", "Temitope Balogun", "Ikenna Obiora", "Adaeze Umeh"]
SOUTH_INDIAN = ["K. Subramaniam", "Lakshmi Narasimhan P", "S. Thirumalai", "A. R. Gopalakrishnan", "Kuppuswamy Iyer"]
CHINESE = ["Xu Zhihong", "Zhang Xiaoming", "Ouyang Rui", "Li Weiguo", "Chen Mengyao", "Sun Haoran"]
SURNAME_FIRST = [
    "Kraftschek, Ottilie",
    "Wendelborn, Tjark",
    "Zuckschwert, Malte",
    "Pohlschröder, Inken",
    "Ratzeburg, Enno",
]
HONORIFIC = ["Herr Rademacher", "Frau Klingbeil", "Frau Dr. Ostwald", "Herr Zschiesche", "Frau Quandt", "Herr Wulff"]
UNKNOWN = ["Zorblax Quindel", "Mirvana Thessaly", "Dravik Olstrom", "Yllen Farrow", "Quorra Bexley", "Jorvan Pryde"]
KANJI = ["吉田 洋介", "佐藤 学", "佐藤直人", "山本 結衣", "高橋 翔太"]
HANGUL = ["김민준", "이서연", "박지훈", "최수빈", "정하윤"]
CYRILLIC = ["Иванов Пётр Сергеевич", "Смирнова Анна Викторовна", "Кузнецов Олег Игоревич"]


def _types(columns: dict[str, list[object]]) -> dict[str, str]:
    return {found.column: found.type for found in find_personal_columns(pl.DataFrame(columns, strict=False))}


@pytest.mark.parametrize(
    "names", [NIGERIAN, SOUTH_INDIAN, CHINESE, SURNAME_FIRST, HONORIFIC, UNKNOWN, KANJI, HANGUL, CYRILLIC]
)
def test_names_are_found_under_a_header_that_says_nothing_in_a_table_about_persons(names: list[str]) -> None:
    assert _types({"x1": names, "x2": MAILS[: len(names)]}) == {"x1": "PERSON", "x2": "EMAIL"}


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("PHONE", ["(07868) 43353", "+49 (0) 0168 493407", "02650 20146", "0341 8387176"]),
        ("PHONE", ["02-5498-1633", "090-8033-0214", "03-0535-6614", "080-1234-5678"]),
        ("IBAN", ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606"]),
        ("CREDIT_CARD", ["4111111111111111", "5500 0000 0000 0004", "340000000000009"]),
        ("IP", ["213.169.56.12", "180.117.123.197", "2001:db8::1"]),
        ("NATIONAL_ID", ["RCCMNL83S18D969H", "MRTMTT91D08F205J", "BNCSFN85T50G702Y"]),
        ("NATIONAL_ID", ["770-66-6509", "253-36-9315", "105-49-0362"]),
        ("ADDRESS", ["Krauseallee 64", "Hauptstr. 5a", "Am Markt-Platz 3", "Goethestraße 12"]),
        ("ADDRESS", ["Via Roma 12", "Piazza Martino, 116", "Corso Garibaldi 7", "Vicolo Stretto, 3"]),
        ("ADDRESS", ["12 Station Road", "4 Elm Grove", "77 High Street", "Flat 3, 9 Mill Lane"]),
        ("ADDRESS", ["東京都千代田区1丁目2番3号", "大阪府大阪市北区4-5", "京都府京都市中京区6番地"]),
        ("FREE_TEXT_WITH_PII", ["Please call back soon about it", "Wrote to ada@example.org about the bill", "All is fine with this order"]),
    ],
)  # fmt: skip
def test_forms_are_found_under_a_header_that_says_nothing(kind: str, cells: list[str]) -> None:
    assert _types({"k": cells}) == {"k": kind}


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("Nachname", ["Quibbel", "Trosch", "Vandermark"], "PERSON"),
        ("prénom", ["Zoltane", "Miriel", "Quentine"], "PERSON"),
        ("担当者名", ["吉田", "佐藤", "山本"], "PERSON"),
        ("Geburtsdatum", ["01.02.1980", "13.12.1955", "30.06.2001"], "DATE_OF_BIRTH"),
        ("fecha_nacimiento", [dt.date(1980, 2, 1), dt.date(1955, 12, 13)], "DATE_OF_BIRTH"),
        ("Kundennummer", ["K-1001", "K-1002", "K-1003"], "CUSTOMER_ID"),
        ("Telefon", ["5551234567", "5559876543"], "PHONE"),
        ("Benutzername", ["soollike", "fricaunt", "wastles"], "USERNAME"),
        ("Geschlecht", ["m", "w", "w"], "DEMOGRAPHIC"),
        ("età", [31, 55, 40], "DEMOGRAPHIC"),
        ("Passport No", ["C01X00T47", "L8988901C", "X1234567A"], "NATIONAL_ID"),
    ],
)
def test_headers_speak_in_many_languages(header: str, cells: list[object], kind: str) -> None:
    assert _types({header: cells}) == {header: kind}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("d", ["Albers Käster KG", "Mies GmbH", "Kade Heidrich AG", "Beckmann"]),
        ("d", ["Verbeek & Wunderink", "Koninklijke Haengreve", "Fluor", "Jansen en Zonen BV"]),
        ("d", ["株式会社田中鉱業", "山本運輸有限会社", "合同会社小林銀行"]),
        ("name", ["Waycross-Ware County", "Ennis - Big Sky", "Lineville Municipal", "Burke Field"]),
        ("name", ["Luis", "Fred", "Gert", "Bertha"] * 10),
        ("product_line", ["Rose", "Jasmine", "Violet", "Ruby"]),
        ("name", ["Blue Lagoon Restaurant", "Casa Pepe Bar", "The Old Mill Hotel"]),
        ("email_sent", ["True", "False"]),
        ("PhoneService", ["Yes", "No"]),
        ("CCType", ["Visa", "MasterCard"]),
        ("ean", ["4006381333931", "5901234123457", "9780201379624"]),
        ("invoice", ["INV-42446", "INV-19773", "INV-66511"]),
        ("amount", [46416, 27947, 71002]),
        ("version", ["1.2.3.4", "1.2.4.0", "2.0.0.1"]),
        ("created_at", ["1987-08-06T18:08:11", "2014-01-20T02:32:45"]),
        ("city", ["Rome", "Oslo", "Lima"]),
        ("postal", ["236606", "166001", "116475"]),
        ("text", ["Store billion various dark.", "Word rather defense nature star without always."]),
        ("price", [12.5, 80.25, 3.99]),
    ],
)
def test_things_firms_places_and_flags_are_not_persons(header: str, cells: list[object]) -> None:
    assert _types({header: cells}) == {header: ""}


def test_places_are_personal_only_where_the_rows_are_persons() -> None:
    places: dict[str, list[object]] = {"city": ["Rome", "Oslo", "Lima"], "zip": ["00118", "01500", "15001"]}
    assert set(_types(places).values()) == {""}
    assert _types(places | {"mail": list(MAILS[:3])}) == {"city": "CITY", "zip": "POSTCODE", "mail": "EMAIL"}


def test_what_a_person_said_wins() -> None:
    table = pl.DataFrame({"storm": MAILS, "loyalty": [f"L{row}" for row in range(40)]})
    found = find_personal_columns(table, personal=["loyalty"], not_personal=["storm"])
    assert [column.risk for column in found] == ["none", "direct"]


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": []}),
        pl.DataFrame({"email": [None, None]}, schema={"email": pl.String}),
        pl.DataFrame(
            {"a": [float("nan"), float("inf")], "b": [[1], [2]], "c": [True, None], "name": ["", " "]}, strict=False
        ),
        pl.DataFrame({"phone": [dt.time(1), dt.time(2)], "ip": [dt.timedelta(1), None], "iban": [b"x", b"y"]}),
    ],
)
def test_tables_without_anything_in_them_are_no_fault(table: pl.DataFrame) -> None:
    assert not any(column.is_personal for column in find_personal_columns(table))


def test_no_reason_quotes_a_cell() -> None:
    table = pl.DataFrame({"k": NIGERIAN, "m": MAILS[: len(NIGERIAN)]})
    for column in find_personal_columns(table):
        assert not any(cell in column.reason for cell in table[column.column])


@pytest.mark.parametrize("n_digits", [7, 8, 9, 10, 11, 12, 13, 14, 16, 18])
@pytest.mark.parametrize("is_text", [False, True])
def test_random_numbers_under_a_header_that_says_nothing_are_nobodys(n_digits: int, *, is_text: bool) -> None:
    random = np.random.default_rng(n_digits)
    numbers = random.integers(10 ** (n_digits - 1), 10**n_digits, 150)
    cells: list[object] = [str(number) for number in numbers] if is_text else numbers.tolist()
    assert _types({"x7": cells, "x8": [float(number) + 0.5 for number in numbers]}) == {"x7": "", "x8": ""}
