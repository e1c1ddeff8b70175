"""Names of persons: lists where they help, and structure, titles and alphabets where no list has the name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from skiff.data.personal.folding import fold
from skiff.data.personal.names import load_names
from skiff.data.personal.organisations import has_organisation_mark

TITLES = frozenset(
    "mr mrs ms miss mx master sir dame lord lady madam dr doc prof rev fr hon capt col maj lt sgt herr frau fraulein hr fru froken hra rva ing dipl mag univ med phil m mme mlle mm maitre me sig signor signora sigra sigr "
    "dott dottssa dottoressa avv geom rag arch sr sra srta srita don dona dn sres lic ingo mtro cp srs sen dhr mevr mw drs ir pan pani p mgr bc judr mudr inz dl dna domnul doamna bay bayan sn g gg uncle sheikh shri "
    "smt sri kumari ustadh hajji bapak ibu bpk drg kh ong ba anh chi г-н г-жа господин госпожа гражданин κ κα κος kka".split()
)  # fmt: skip
"""Titles and forms of address, folded, without their full stops."""
SUFFIXES = frozenset(
    "jr sr ii iii iv v phd md dds dvm esq bsc msc mba ba ma b.sc m.sc b.a m.a cpa junior neto filho ret".split()
)
PARTICLES = frozenset(
    "van von der den de het ten ter te zu zum zur da das do dos di del della delle dello degli dei d' du des la le les el al bin binti bint ibn ben bat abu abd ould mac mc o y e i san santa st af av "
    "ap ngoc thi van dinh ul ur abdul op't in't 't vande vander della".split()
)  # fmt: skip
HONORIFIC_END = re.compile(r"(?:さん|様|氏|先生|殿|君|先生|女士|小姐|님|씨)$")

HAN = re.compile(r"^[一-鿿々]{1,3}[\s　·]?[一-鿿々ぁ-んァ-ヶー]{1,4}$")
KANA = re.compile(r"^[ァ-ヶー・ぁ-んｦ-ﾟ]{2,8}[\s　]?[ァ-ヶー・ぁ-んｦ-ﾟ]{0,8}$")
HANGUL = re.compile(r"^[가-힣]{2,4}$|^[가-힣]{1,2}\s[가-힣]{1,3}$")
CJK = re.compile(r"[぀-ヿ㐀-鿿가-힯ｦ-ﾟ]")

LATIN_TOKEN = re.compile(r"^[^\W\d_](?:[\w'’´`.\-‐]*[^\W_])?\.?$")
NOT_NAMES = re.compile(r"[\d@#%€$£/\\<>=+*:;!?_|\[\]{}]")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a cell is like a person's name.

    Parameters
    ----------
    shape : bool
        Whether it could be written so.
    listed : float
        0 to 1: how much of it the lists know.
    marked : bool
        Whether a title, ``Surname, First`` or an honorific says so.
    n_parts : int
        Names in it, titles and particles aside.
    """

    shape: bool = False
    listed: float = 0.0
    marked: bool = False
    n_parts: int = 0


NOTHING = Likeness()


@lru_cache(maxsize=20_000)
def judge_name(text: str) -> Likeness:
    """Say how much a cell is like the name of a person.

    Examples
    --------
    >>> judge_name("Johansson, Mr. Erik").marked, judge_name("Frau Rademacher").marked, judge_name("山本 洋介").shape
    (True, True, True)
    >>> judge_name("Giuseppe Falloppio").listed, judge_name("INV-42446").shape, judge_name("Albers Käster KG").shape
    (1.0, False, False)
    """
    text = re.sub(r"\s*[(\"“][^)\"”]*[)\"”]", "", text).strip()  # (née …), "nick"
    if not (2 <= len(text) <= 60 or CJK.search(text)) or NOT_NAMES.search(text):
        return NOTHING
    if CJK.search(text):
        return _judge_cjk(text)
    if has_organisation_mark(re.sub(r",?\s+(?:[A-Z][a-z]?\.\s?){2}$", "", text)) and not _is_title(
        fold(text.split()[0])
    ):
        return NOTHING
    return _judge_alphabetic(text)


def _judge_cjk(text: str) -> Likeness:
    bare = HONORIFIC_END.sub("", text)
    lists = load_names()
    parts = re.split(r"[\s　·]", bare)
    folded = fold(bare)
    if HANGUL.match(bare):
        is_listed = fold(bare[:1]) in lists.last or fold(bare[:2]) in lists.last or fold(bare[1:]) in lists.first
        return Likeness(shape=True, listed=float(is_listed), marked=bare != text, n_parts=2)
    if KANA.match(bare):
        is_listed = any(fold(part) in lists.first or fold(part) in lists.last for part in parts)
        return Likeness(shape=True, listed=float(is_listed), marked=bare != text, n_parts=len(parts))
    if len(bare) == 1:
        is_listed = folded in lists.last
        return Likeness(shape=is_listed, listed=float(is_listed), marked=bare != text, n_parts=1)
    if not HAN.match(bare):
        return NOTHING
    heads = [folded[:length] for length in (1, 2, 3)] if len(parts) == 1 else [fold(parts[0])]
    is_listed = any(head in lists.last for head in heads if head) or fold(parts[-1]) in lists.first
    return Likeness(shape=len(bare) >= 2, listed=float(is_listed), marked=bare != text, n_parts=2)


def _judge_alphabetic(text: str) -> Likeness:
    has_comma = bool(re.match(r"^[^,\s][^,]{1,30},\s*[^,\s][^,]{0,40}$", text))
    tokens = re.split(r"[\s,]+", text.rstrip(" ,"))
    if not 1 <= len(tokens) <= 9 or not all(_is_word(token) for token in tokens):
        return NOTHING
    plain = [fold(token) for token in tokens]
    has_title = any(map(_is_title, plain[:-1])) and ("." in text or _is_title(plain[0]) or has_comma)
    names = [
        (token, word)
        for token, word in zip(tokens, plain, strict=True)
        if not (_is_title(word) and ("." in token or has_title)) and word.strip(".") not in SUFFIXES | PARTICLES
    ]
    full = [(token, word) for token, word in names if len(word.strip(".")) > 1]
    if not full or len(full) > 5:
        return NOTHING
    is_cased = not any(token[0].islower() and token[0] != token[0].upper() for token, _ in full)
    is_lowered = text == text.lower() and text != text.upper() and len(full) >= 2
    lists = load_names()
    known = [_is_listed(word) for _, word in full]
    everyday = sum(word in lists.words and not listed for (_, word), listed in zip(full, known, strict=True))
    return Likeness(
        shape=(is_cased or is_lowered) and not everyday,
        listed=sum(known) / len(full) if not everyday else 0.0,
        marked=(is_cased and has_title) or (is_cased and has_comma and (has_title or known[-1] or known[0])),
        n_parts=len(names),
    )


def _is_word(token: str) -> bool:
    """Whether a token is letters; vowel signs of Thai, Hindi and others are marks, which are no letters to `re`."""
    if not token.isascii():
        token = "".join(
            letter for letter in unicodedata.normalize("NFC", token) if unicodedata.category(letter)[0] != "M"
        )
    return LATIN_TOKEN.match(token) is not None


def _is_title(word: str) -> bool:
    """Whether a word is a title, of several parts too (``Dipl.-Ing.``, ``Univ.Prof.``, ``B.Sc.``)."""
    parts = [part for part in re.split(r"[.\-]", word) if part]
    return bool(parts) and (
        all(part in TITLES for part in parts)
        or (
            len(parts) > 1
            and "." in word
            and all(part in TITLES | SUFFIXES or len(part) <= 3 for part in parts)
            and not all(len(part) == 1 for part in parts)
        )
        or word.strip(".") in {"b.a", "m.a", "b.sc", "m.sc", "b.eng", "m.eng", "ph.d", "h.c", "d.o"}
    )


def _is_listed(word: str) -> bool:
    lists = load_names()
    parts = [word, *re.split(r"[-‐]", word)]
    return any(part in lists.first or part in lists.last for part in parts if len(part) > 1)


def is_given(word: str) -> bool:
    """Whether a folded word is a listed first name (or each half of a double one is).

    Examples
    --------
    >>> is_given("hans-dieter"), is_given("kowalski")
    (True, False)
    """
    first = load_names().first
    return word in first or ("-" in word and all(part in first for part in word.split("-")))
