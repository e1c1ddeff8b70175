"""Personal data inside free text: where it begins, where it ends, what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from skiff.data.forms import is_iban
from skiff.data.personal.addresses import SUFFIXES, WORDS
from skiff.data.personal.folding import fold
from skiff.data.personal.kinds import Span
from skiff.data.personal.names import load_names
from skiff.data.personal.numbers import CARD, EMAIL, IBAN, IPV4, IPV6, SSN, is_card, is_ip
from skiff.data.personal.organisations import has_organisation_mark
from skiff.data.personal.persons import PARTICLES, is_given
from skiff.data.personal.persons import SUFFIXES as NAME_SUFFIXES
from skiff.data.personal.phones import is_valid_phone

PHONE = re.compile(
    r"(?<![\w.+/-])(?:(?:\+|00)\d{1,3}[\s.-]?)?(?:\(\+?\d{1,5}\)[\s./-]?)?\d{1,12}(?:[\s./-]{1,2}\(?\d{1,10}\)?){0,6}(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?![\w@-]|[.,]\d)",
    re.IGNORECASE,
)
PHONE_CONTEXT = re.compile(
    r"(?:phone|telephone|tel|mobile|mobil|cell|fax|desk|call(?:ed|s)?|ring|dial|text(?:ed)?|sms|whatsapp|messages? to|reach|contact|hotline|registered|telefon|telefonnummer|handy|rufnummer|"
    r"anruf|erreichbar|téléphone|portable|appel\w*|joindre|teléfono|móvil|llam\w*|telefono|cellulare|chiam\w*|telefone|celular|ligar|bel|telefoon|nummer|number|numéro|número|numero|nr)\.?\W{0,3}(?:\w+\s){0,3}\W{0,3}$",
    re.IGNORECASE,
)
NOT_PHONE_CONTEXT = re.compile(
    r"(?:order|invoice|ticket|case|ref(?:erence)?|id|account|card|version|iso|isbn|year|since|in|pin|zip|code|€|\$|£|#|no\.?|booking|bestellung|rechnung|commande|facture|pedido|ordine|ssn|license|licence)\W{0,3}$",
    re.IGNORECASE,
)
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}-\d{2}-\d{2}.*|(?:19|20)\d\d\s?[-–]\s?(?:19|20)\d\d")
PHONE_FORM = re.compile(
    r"\+\d|00[1-9]|\(\d{2,5}\)|0\d{1,4}[\s./-]\d|(?:1[-. ])?\d{3}[-. ]\d{3}[-. ]\d{4}|\d{2}(?:[. ]\d{2}){4}$|\d{3} \d{3} \d{2,4}$|\d{3}[ -]\d{4}$|\d{4}[ -]\d{4}$|\d{2} \d{4} \d{4}$|\d{3} \d{2} \d{2} \d{2}$|\d{2} \d{3} \d{2} \d{2}$"
)

UPPER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽȘȚА-ЯЁЄІЇҐΑ-ΩΆΈΉΊΌΎΏԱ-Ֆ"
NAME_TOKEN = rf"[{UPPER}](?:[\w'’\-]*\w)?"
RUN = re.compile(
    rf"(?<![\w@.])(?:{NAME_TOKEN}\.?)(?:[ \t]+(?:(?:van|von|der|den|de|da|do|dos|das|del|della|di|du|la|le|el|al|bin|ibn|ben|ter|ten|zu|af|av)[ \t]+){{0,3}}(?:{NAME_TOKEN}\.?))*"
)
WORD = re.compile(r"[^\W\d_](?:[\w'’\-]*\w)?\.?")
INTRO = re.compile(
    r"(?:my|his|her|their|maiden|middle|last|first|full|partner's|husband's|wife's|kid's|whose) name(?: is|'s|:)?|name is|name:|called|people call me|call me|i'm|i am|i’m|this is|named|under|ich heiße|mein name ist|ich bin|"
    r"je m'appelle|je suis|me llamo|mi nombre es|soy|mi chiamo|sono|meu nome é|chamo-me|ik heet|mijn naam is|nazywam się|jmenuji se|jag heter|jeg heter|jeg hedder|nimeni on|"
    r"dear|hi|hello|sehr geehrte[rs]?|liebe[rs]?|hallo|cher|chère|bonjour|estimad[oa]|querid[oa]|hola|gentile|caro|cara|ciao|prezad[oa]|olá|beste|geachte|"
    r"regards,?|sincerely,?|cheers,?|thanks,?|grüße,?|gruß,?|cordialement,?|saludos,?|saluti,?|groeten,?|"
    r"spoke (?:to|with)|met(?: with)?|talked (?:to|with)|heard|says|said|by|kid|son|daughter|husband|wife|partner|brother|sister|mother|father|friend|colleague|patient|customer|client|mr|mrs|ms|dr|player|(?:shouted|yelled) at",
    re.IGNORECASE,
)
INTRO_BEFORE = re.compile(rf"(?<![\w])(?:{INTRO.pattern})[\s:,]+$", re.IGNORECASE)
STOP = frozenset(
    "the a an and or but if this that these those i you he she it we they my your his her its our their is are was were be been am do does did have has had will would can could may might must shall should not no yes ok "
    "please thanks thank hello hi hey dear what when where who why how which whose there here then than so as at by for from in into of on to with about after before during since until while all any some each every most other such "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december mon tue wed thu fri sat sun feb apr aug sept oct nov dec "
    "der die das ein eine und oder aber nicht ist sind war ich du er sie es wir ihr mit von zu auf für le la les un une et ou mais est sont je tu il elle nous vous avec pour dans el los las una y o pero es son yo con para por lo gli uno e ma sono io con per "
    "address street suite apt box phone mobile desk fax tel email mail card number credit account question answer billing office company department university school bank street new north south east west great "
    "god mr mrs ms dr us usa uk eu un una la san los ok pm am tv id url http https www re fw cc pos re: ps one two three first second last next internet english french german spanish american british european".split()
)  # fmt: skip
"""Words that begin sentences and places; never a name by themselves."""

SPOKEN_TITLES = frozenset(
    "mr mrs ms miss mx sir dr prof rev herr herrn frau hr fr mme mlle m monsieur madame sig signor signora dott dottssa sr sra srta senor senora sres pan pani mgr inz dhr mevr fru señor señora".split()
)
"""Titles that stand before names in sentences and are no names themselves."""
NOT_AFTER = re.compile(r"\s*(?:Inc|LLC|Ltd|GmbH|AG|Corp|Group|Orchestra|University|Bank|Street|St\b|Road|Avenue|&)")
CONTRACTED = re.compile(
    r"(?:i|you|he|she|it|we|they|what|who|where|how|that|there|here|don|doesn|didn|can|won|isn|let)'(?:m|s|re|ve|ll|d|t)"
)
FIRM = re.compile(rf"({NAME_TOKEN}), ({NAME_TOKEN}) (?:and|&|und|et|y|e|en) ({NAME_TOKEN})")
DOES = re.compile(r"(?:['’]s)?\s+(?:is|was|has|had|will|would|can|and|or|from|who|lives|works|wants|likes|went|came)\b")
SAYS = re.compile(
    r"\s+(?:said|says|shouted|began|wrote|told|asked|called|lives|thinks|believes|smiled|replied|laughed|answered|whispered|sagte|schrieb|fragte|a dit|dijo|disse|ha detto)\b"
)
"""What only persons do."""
NAMING = re.compile(r"(?:name is|name:|name’s|name's|calls? me|heiße|m'appelle|me llamo|mi chiamo)\s+$", re.IGNORECASE)

STREET = rf"(?:[\w'’.\-]{{2,}}(?:{SUFFIXES})|(?:{WORDS})\.?)"
CAPITAL = rf"[{UPPER}][\w'’.\-]*"
LINK = r"(?:de|la|le|les|des|du|da|do|dos|di|del|della|den|der|van|von|of|the|och|and|i|y|e|na|upon|sur|a|am|an|im)"
NAMED = rf"(?:{CAPITAL}(?:\s(?:{LINK}\s){{0,2}}{CAPITAL}){{0,4}})"
HOUSE = r"\d{1,5}(?:[A-Za-z](?!\w))?(?:[-/]\d{1,4})?"
UNIT = r"(?i:(?:apt|apartment|suite|ste|unit|flat|floor|piso|piano|apto|appartamento|etage|box|dpto|depto|bloque)\.?\s*#?\d{1,5}[A-Za-z]?)"
MILITARY = r"(?:(?:PSC|CMR|UNIT|USNV|USNS|USCGC|USS)\s[\w]+(?:,?\s+box\s+\d+)?\s*[,\n]?\s*(?:[AFD]PO)\s+A[AEP]\s+\d{5})"
PO_BOX = (
    r"(?:(?:\d{1,5}\s)?(?:p\.?\s?o\.?\s?box|postfach|apartado(?: de correos)?|casella postale|boîte postale)\s*\d{1,6})"
)
TAIL = rf"(?:(?:\s*[,\n>]+\s*|[ ])(?!(?:Mobile|Desk|Fax|Phone|Tel|Email|Please|Could|Can|Thanks|Thank|The|I|We|My|You|He|She|It|Is|And|For|Or|In|On|At|To)\b)(?:{UNIT}|{CAPITAL}|nan\b|\(\w+\)|\d{{4,6}}(?![\w-])|\d{{2}}-\d{{3}}\b|{LINK}\s{CAPITAL})){{0,12}}"
ADDRESS = re.compile(
    rf"(?<![\w])(?:(?i:{MILITARY})|(?i:{PO_BOX})(?:{TAIL})|"
    rf"(?:\d{{1,5}}\s+)?{HOUSE},?\s+{NAMED}(?:\s(?:St|Rd|Ave)\.)?(?:\s+{HOUSE})?(?=[\s,\n>]+{UNIT}){TAIL}|"
    rf"(?:\d{{3,5}}\s+)(?:\d{{1,4}}\s+)?(?:(?i:rue|ul\.|via|calle|rua|av\.?|avda\.?)\s(?:{LINK}\s){{0,2}})?{NAMED}\s+{HOUSE}(?!\w){TAIL}|"
    rf"{HOUSE},?\s+(?:{NAMED}\s)?(?i:{STREET})(?!\w)\.?(?:\s+{HOUSE})?{TAIL}|"
    rf"(?i:(?:rue|via|viale|piazza|corso|calle|avenida|av\.|avda\.?|paseo|plaza|rua|travessa|praça|ul\.|ulica|al\.|aleja|strada|str\.|jalan|jl\.?|ул\.|улица|проспект|пр\.|quai|chemin|place|boulevard|allée|avenue|camino|carrera))\s(?:(?:{LINK}|d['’])\s?){{0,3}}{NAMED}(?:,?\s+(?:n[°º.]?\s?)?{HOUSE})(?!\w){TAIL}|"
    rf"(?:\d{{1,5}}\s+)?(?:{CAPITAL}\s){{0,3}}(?:{CAPITAL}(?i:{SUFFIXES})|{CAPITAL}\s(?i:stra(?:ß|ss)e|allee|weg|platz|gasse|laan|straat|utca|katu|gatan|gade|vej))\s+{HOUSE}(?!\w)(?:{TAIL})|"
    rf"{UNIT}(?=\s*\n)(?:{TAIL}))"
)
CORNER = re.compile(
    rf"(?i:(?:the )?corner of )({CAPITAL}|\d+)(?:\s(?:{LINK}\s){{0,2}}(?:{CAPITAL}|\d{{1,5}})){{0,5}}(?: and | und | et | y )({CAPITAL})(?:\s(?:{CAPITAL}|\d{{1,4}}(?!\w))){{0,4}}"
)
PLACE_CONTEXT = re.compile(
    r"(?:address(?: of [^\n.?!]{1,40})? (?:is|it is|:|with)|it is|lives? at|living at|office is at|located at|deliver(?:ed)? to|ship(?:ped)? to|taxi to|wohn\w* in|adresse\W|domicilié|vive en|abita in)\s+$",
    re.IGNORECASE,
)


def find_spans(text: str) -> list[Span]:
    """Find personal data in a text, in order and without overlaps.

    Types: ``EMAIL``, ``PHONE``, ``CREDIT_CARD``, ``IBAN``, ``NATIONAL_ID`` (US form), ``IP``, ``PERSON``, ``ADDRESS``.

    Notes
    -----
    No model and no list of the world's streets: street addresses in running text and names that no list has are found only
    by their shape and their neighbourhood. About 1 µs a character.

    Examples
    --------
    >>> [(span.type, span.start) for span in find_spans("Frau Anna Rossi, anna@example.org, +39 02 1234 5678")]
    [('PERSON', 5), ('EMAIL', 17), ('PHONE', 35)]
    """
    taken: list[Span] = []
    has_digit = any(letter.isdigit() for letter in text)
    if "@" in text:
        _take(taken, (Span(found.start(), found.end(), "EMAIL") for found in EMAIL.finditer(text)))
    if has_digit:
        _take(taken, _find_numbers(text))
        _take(taken, _find_addresses(text, taken))
        _take(taken, _find_phones(text))
    elif "::" in text:
        _take(taken, _find_ips(text))
    _take(taken, _find_persons(text))
    return sorted(taken)


def _take(taken: list[Span], found: Iterator[Span]) -> None:
    for span in found:
        if not any(span.start < other.end and other.start < span.end for other in taken):
            taken.append(span)


def _find_numbers(text: str) -> Iterator[Span]:
    for found in IBAN.finditer(text):
        if is_iban(found[0].replace("-", "")):
            yield Span(found.start(), found.end(), "IBAN")
    for found in CARD.finditer(text):
        if is_card(found[0]):
            yield Span(found.start(), found.end(), "CREDIT_CARD")
    for found in SSN.finditer(text):
        yield Span(found.start(), found.end(), "NATIONAL_ID")
    yield from _find_ips(text)


def _find_ips(text: str) -> Iterator[Span]:
    if text.count(".") >= 3:
        for found in IPV4.finditer(text):
            before = text[max(0, found.start() - 10) : found.start()].lower()
            if not re.search(r"v(?:er(?:sion)?)?\.?\s*$", before):
                yield Span(found.start(), found.end(), "IP")
    if text.count(":") >= 2:
        for found in IPV6.finditer(text):
            if is_ip(found[0]) and len(found[0]) > 2:
                yield Span(found.start(), found.end(), "IP")


def _find_phones(text: str) -> Iterator[Span]:
    for found in PHONE.finditer(text):
        body = re.split(r"(?i)x|ext", found[0])[0]
        n_digits = sum(letter.isdigit() for letter in body)
        if not 7 <= n_digits <= 15 or DATE.fullmatch(found[0]):
            continue
        before = text[max(0, found.start() - 40) : found.start()]
        has_context = PHONE_CONTEXT.search(before) is not None
        if not has_context and NOT_PHONE_CONTEXT.search(before):
            continue
        has_form = PHONE_FORM.match(found[0].strip()) is not None
        if has_context or (has_form and (n_digits > 7 or "\n" not in text)) or is_valid_phone(found[0]):
            yield Span(found.start(), found.end(), "PHONE")


def _find_addresses(text: str, taken: list[Span]) -> Iterator[Span]:
    del taken
    for found in CORNER.finditer(text):
        yield Span(found.start(), found.end(), "ADDRESS")
    for found in ADDRESS.finditer(text):
        end = found.end()
        yield Span(found.start(), found.start() + len(text[found.start() : end].rstrip(" ,\n>")), "ADDRESS")


def _find_persons(text: str) -> Iterator[Span]:
    is_lower = text == text.lower()
    if is_lower:
        yield from _find_lowered(text)
        return
    firms = _find_firms(text)
    for run in RUN.finditer(text):
        yield from _read_run(text, run, firms)


def _find_firms(text: str) -> list[tuple[int, int]]:
    """Find ``Clark, Romero and Hall``: three last names, which is how partnerships are called."""
    last = load_names().last
    return [
        (found.start(), found.end())
        for found in FIRM.finditer(text)
        if sum(fold(name) in last for name in found.groups()) >= 2 and not text[: found.start()].endswith(", ")
    ]


def _read_run(text: str, run: re.Match[str], firms: list[tuple[int, int]]) -> Iterator[Span]:
    tokens = [
        (found.start() + run.start(), found.end() + run.start(), fold(found[0]).removesuffix("'s").removesuffix("'"))
        for found in WORD.finditer(run[0])
    ]
    after = text[run.end() : run.end() + 12]
    at = 0
    while at < len(tokens):
        start, _, word = tokens[at]
        has_title = False
        while word.strip(".") in SPOKEN_TITLES and at + 1 < len(tokens):
            has_title = True
            at += 1
            start, _, word = tokens[at]
        if word in STOP or CONTRACTED.fullmatch(word) or len(word.strip(".")) < 2:
            at += 1
            continue
        if (
            at + 1 < len(tokens)
            and _begins_sentence(text, start)
            and not _is_known(word)
            and is_given(tokens[at + 1][2])
        ):
            at += 1  # "Ask Ada Rossi": the first word only begins the sentence
            continue
        n = at + 1
        while (
            n < len(tokens) and n - at < 5 and tokens[n][2] not in STOP and tokens[n][2].strip(".") not in SPOKEN_TITLES
        ):
            n += 1
        body = [item[2].strip(".") for item in tokens[at:n]]
        parts = [part for part in body if part not in PARTICLES and len(part) > 1]
        is_intro = has_title or INTRO_BEFORE.search(text[max(0, start - 30) : start]) is not None
        rest = after if n == len(tokens) else ""
        if not any(low <= start < high for low, high in firms) and _is_person(
            parts, text, start, is_intro=is_intro, after=rest
        ):
            stop = tokens[n - 1][1]
            while stop > start and text[stop - 1] == "." and not _ends_initial(text, start, stop):
                stop -= 1
            if text[start:stop].endswith(("'s", "’s")):
                stop -= 2
            if not has_organisation_mark(text[start:stop]):
                yield Span(start, stop, "PERSON")
        at = n


def _ends_initial(text: str, start: int, stop: int) -> bool:
    word = text[start:stop].rsplit(maxsplit=1)[-1].strip(".").lower()
    return word in NAME_SUFFIXES and word in ("jr", "sr")


def _is_person(parts: list[str], text: str, start: int, *, is_intro: bool, after: str) -> bool:
    """Weigh the words of a run (particles aside) against the lists, the words before and the words behind."""
    names = load_names()
    if not parts or NOT_AFTER.match(after):
        return False
    is_sure = is_intro and NAMING.search(text[max(0, start - 20) : start]) is not None
    if len(parts) == 1:
        return is_sure or _is_single(parts[0], text, start, is_intro=is_intro, after=after)
    first, last = [is_given(part) for part in parts], [part in names.last for part in parts]
    everyday = sum(part in names.words for part in parts)
    places = sum(part in names.places and not given for part, given in zip(parts, first, strict=True))
    if places == len(parts):
        return False
    if is_intro:
        return everyday < len(parts)
    known = sum(given or family for given, family in zip(first, last, strict=True))
    is_known = known == len(parts) and not places
    is_half = len(parts) == 2 and not places and (last[-1] or (last[0] and first[-1]) or first[-1])
    return (first[0] and everyday < len(parts)) or (everyday == 0 and (is_known or is_half))


def _is_known(word: str) -> bool:
    names = load_names()
    return word in names.first or word in names.last


def _is_single(word: str, text: str, start: int, *, is_intro: bool, after: str) -> bool:
    names = load_names()
    if SAYS.match(after) and word not in names.words:
        return True
    if word in names.places or word in names.words:
        return is_intro and is_given(word) and word not in names.places
    if is_intro:
        return True
    if not is_given(word) or len(word) < 3:
        return False
    return not _begins_sentence(text, start) or _is_alone(text, start) or DOES.match(after) is not None


def _begins_sentence(text: str, start: int) -> bool:
    return start == 0 or text[:start].rstrip()[-1:] in '.?!:"“'


def _is_alone(text: str, start: int) -> bool:
    """Whether a name stands in a list or begins what is said of it."""
    return start == 0 or text[:start].rstrip()[-1:] in ",:>\n"


def _find_lowered(text: str) -> Iterator[Span]:
    """Find names in a text without capitals: a first and a last name side by side, or one behind an introduction."""
    names = load_names()
    words = [
        (found.start(), found.end(), fold(found[0]).removesuffix("'s").strip(".")) for found in WORD.finditer(text)
    ]
    at = 0
    while at < len(words):
        start, end, word = words[at]
        is_intro = INTRO_BEFORE.search(text[max(0, start - 30) : start]) is not None
        following = words[at + 1] if at + 1 < len(words) and text[end : words[at + 1][0]].strip() == "" else None
        has_given = word in names.first and word not in STOP and word not in names.words and len(word) > 2
        if (
            has_given
            and following
            and following[2] not in STOP
            and following[2] not in names.words
            and (following[2] in names.last or is_intro)
        ):
            stop = following[1] - (2 if text[following[0] : following[1]].endswith("'s") else 0)
            yield Span(start, stop - (text[stop - 1] == "."), "PERSON")
            at += 2
            continue
        if (is_intro and has_given) or (
            NAMING.search(text[max(0, start - 20) : start]) and word not in STOP | names.words
        ):
            yield Span(start, end - (text[end - 1] == "."), "PERSON")
        at += 1
