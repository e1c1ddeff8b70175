"""Numbers that prove themselves: cards, accounts, national ids, network addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module

from skiff.data.forms import is_iban

EMAIL = re.compile(r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,24}(?![\w@])")
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
CARD = re.compile(r"(?<![\w.])(?:\d{12,19}|\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{4,5})(?![\w])")
SSN = re.compile(r"(?<![\w-])(?!000|666)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
"""US social security number with its hyphens; numbers from 900 are tax numbers of persons (ITIN)."""
IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:.])")

CARD_PREFIXES = re.compile(
    r"4|5[0-8]|6|3[0-9]|22[2-9]|2[3-6]|27[01]|2720|1800|2131|2014|2149",
)
"""First digits of the payment schemes (ISO/IEC 7812): Visa, Mastercard, Maestro, Amex, Diners, Discover, JCB, UnionPay."""

CARD_LENGTHS: Mapping[str, tuple[int, ...]] = {
    "1": (15,),
    "2": (15, 16),
    "3": (14, 15, 16, 19),
    "4": (13, 16, 19),
    "5": (12, 13, 14, 15, 16, 17, 18, 19),
    "6": (12, 13, 14, 15, 16, 17, 18, 19),
}
"""Lengths by first digit (ISO/IEC 7812-1 and the schemes' own tables); Maestro has 12 to 19."""


def has_luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1, annex B).

    Examples
    --------
    >>> has_luhn("4111111111111111"), has_luhn("4111111111111112")
    (True, False)
    """
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])) % 10 == 0


def is_card(text: str) -> bool:
    """Whether a text is a payment card number: prefix, length and check digit.

    Examples
    --------
    >>> is_card("4111 1111 1111 1111"), is_card("6109628293970")
    (True, False)
    """
    digits = re.sub(r"[ -]", "", text)
    if not digits.isdecimal() or not digits.isascii() or len(digits) not in CARD_LENGTHS.get(digits[:1], ()):
        return False
    return CARD_PREFIXES.match(digits) is not None and has_luhn(digits) and len(set(digits)) > 1


def is_ean(text: str) -> bool:
    """Whether a text is the number of an article (GTIN-8, -12, -13: GS1 General Specifications §7.9).

    Examples
    --------
    >>> is_ean("4006381333931"), is_ean("4006381333932")
    (True, False)
    """
    if not (text.isdecimal() and text.isascii()) or len(text) not in (8, 12, 13):
        return False
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(text)))
    return weighted % 10 == 0


def is_ip(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address.

    Examples
    --------
    >>> is_ip("192.0.2.7"), is_ip("2001:db8::1"), is_ip("12:30:00")
    (True, True, False)
    """
    if ":" not in text and text.count(".") != 3:
        return False
    try:
        ipaddress.ip_address(text.split("/", maxsplit=1)[0].split("%", maxsplit=1)[0])
    except ValueError:
        return False
    return True


def is_account(text: str) -> bool:
    """Whether a text is an IBAN with right check digits.

    Examples
    --------
    >>> is_account("GB82 WEST 1234 5698 7654 32")
    True
    """
    return IBAN.fullmatch(text) is not None and is_iban(text.replace("-", ""))


NATIONAL: Mapping[str, str] = {
    "us.ssn": r"\d{3}-\d{2}-\d{4}", "us.itin": r"9\d{2}-?\d{2}-?\d{4}",
    "gb.nhs": r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.utr": r"\d{10}", "ca.sin": r"\d{3}[ -]\d{3}[ -]\d{3}", "de.idnr": r"\d{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}",
    "at.vnr": r"\d{4} ?\d{6}", "ch.ssn": r"756\.?\d{4}\.?\d{4}\.?\d{2}", "fr.nir": r"[12378] ?\d{2} ?\d{2} ?[0-9AB]{2,3} ?\d{3} ?\d{3} ?\d{2}|\d{13,15}",
    "fr.nif": r"[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}", "it.codicefiscale": r"[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z]",
    "es.dni": r"\d{8}-?[A-Za-z]", "es.nie": r"[XYZxyz]-?\d{7}-?[A-Za-z]", "pt.cc": r"\d{8} ?\d ?[A-Z0-9]{2}\d", "nl.bsn": r"\d{4}\.?\d{2}\.?\d{3}",
    "be.nn": r"\d{2}\.?\d{2}\.?\d{2}-?\d{3}\.?\d{2}", "se.personnummer": r"(?:\d{2})?\d{6}[-+]?\d{4}", "no.fodselsnummer": r"\d{6} ?\d{5}",
    "dk.cpr": r"\d{6}-\d{4}", "fi.hetu": r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", "is_.kennitala": r"\d{6}-?\d{4}", "ie.pps": r"\d{7}[A-W][A-IW]?",
    "pl.pesel": r"\d{11}", "cz.rc": r"\d{6}/\d{3,4}", "ro.cnp": r"\d{13}", "bg.egn": r"\d{10}", "hr.oib": r"\d{11}", "ee.ik": r"\d{11}", "lt.asmens": r"\d{11}",
    "lv.pvn": r"\d{6}-\d{5}", "si.emso": r"\d{13}", "gr.amka": r"\d{11}", "tr.tckimlik": r"\d{11}", "il.idnr": r"\d{9}", "za.idnr": r"\d{13}",
    "br.cpf": r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", "cl.rut": r"\d{1,2}\.?\d{3}\.?\d{3}-[\dkK]", "ar.cuit": r"\d{2}-?\d{8}-?\d", "mx.curp": r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d",
    "mx.rfc": r"[A-Z]{4}\d{6}[A-Z0-9]{3}", "co.nit": r"\d{3}\.?\d{3}\.?\d{3}-\d", "ec.ci": r"\d{10}", "pe.cui": r"\d{8}-?[A-Z0-9]",
    "cn.ric": r"\d{17}[\dXx]", "kr.rrn": r"\d{6}-?\d{7}", "in_.aadhaar": r"\d{4}[ -]?\d{4}[ -]?\d{4}", "in_.pan": r"[A-Z]{3}P[A-Z]\d{4}[A-Z]",
    "th.pin": r"\d-?\d{4}-?\d{5}-?\d{2}-?\d", "my.nric": r"\d{6}-?\d{2}-?\d{4}", "id.nik": r"\d{16}", "sg.uen": r"[STFGM]\d{7}[A-Z]", "au.tfn": r"\d{3} \d{3} \d{3}",
    "nz.ird": r"\d{2,3}-\d{3}-\d{3}", "ua.rntrc": r"\d{10}", "ru.inn": r"\d{12}", "sk.rc": r"\d{6}/\d{3,4}",
}  # fmt: skip
"""Modules of python-stdnum for numbers of natural persons, and the form in which a table has them."""

NINO = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]")
"""UK national insurance number: no check digit, but letters that only it has (HMRC manual NIM39110)."""

SHAPES = {
    "cn.ric": re.compile(r"[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"),
    "kr.rrn": re.compile(r"\d{6}-[1-8]\d{6}"),
    "gb.nino": re.compile(r"[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Z]"),
}
"""Forms so particular that cells are called by them even where their check digits are wrong."""

SELF_PROVING = re.compile(
    r"[A-Z]{6}\d{2}[A-Z]\d{2}[A-Z]\d{3}[A-Z]|\d{3}-\d{2}-\d{4}|\d{3}\.\d{3}\.\d{3}-\d{2}|756\.\d{4}\.\d{4}\.\d{2}|"
    r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d|\d{6}[-+A]\d{3}[0-9A-Y]|\d{6}-\d{4}|\d{6}/\d{3,4}|\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}|"
    r"\d{8}-?[A-Z]|[XYZ]-?\d{7}-?[A-Z]|[A-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-Z]|\d{17}[\dX]|\d{6}-\d{7}|\d{1,2}\.\d{3}\.\d{3}-[\dK]",
    re.IGNORECASE,
)
"""Forms with signs or letters at fixed places, which codes of other things rarely share."""


@cache
def _load_validators() -> dict[str, tuple[re.Pattern[str], Callable[[str], bool]]]:
    loaded = {}
    for name, form in NATIONAL.items():
        try:
            module = import_module(f"stdnum.{name}")
        except ModuleNotFoundError:  # an older python-stdnum knows fewer countries
            continue
        loaded[name] = (re.compile(form), module.is_valid)
    return loaded


def match_national(cells: Iterable[str]) -> tuple[str, float]:
    """Return the national number that most cells are, with the share of cells that check out.

    Examples
    --------
    >>> match_national(["RCCMNL83S18D969H"])
    ('it.codicefiscale', 1.0)
    """
    texts = [text.strip() for text in cells]
    nino = sum(NINO.fullmatch(text) is not None for text in texts) / max(1, len(texts))
    for name, form in SHAPES.items():
        share = sum(form.fullmatch(text) is not None for text in texts) / max(1, len(texts))
        if share >= 0.9:
            return (name, share)
    best = ("gb.nino", nino) if nino else ("", 0.0)
    for name, (form, is_valid) in _load_validators().items():
        fits = [text for text in texts if form.fullmatch(text)]
        if len(fits) <= best[1] * len(texts):
            continue
        share = sum(bool(is_valid(text)) for text in fits) / len(texts)
        if share > best[1]:
            best = (name, share)
    return best
