"""Street addresses: words for streets in many languages, beside a house number."""

from __future__ import annotations

import re

SUFFIXES = (
    r"stra(?:ß|ss)e|str\.|gasse|platz|allee|weg|damm|ufer|steig|chaussee|ring|promenade|"
    r"straat|laan|plein|dreef|singel|gracht|kade|steeg|pad|hof|baan|dijk|lei|"
    r"gata|gatan|gaten|gade|vej|veien|vegen|veg|vägen|stien|stigen|stræde|gränd|torget|bakken|løkka|katu|tie|kuja|polku|"
    r"utca|körút|gatvė|iela|tänav|sokak|caddesi|ulice|ulica|sétány"
)
WORDS = (
    r"street|road|avenue|boulevard|lane|drive|court|terrace|crescent|highway|parkway|close|mews|grove|alley|turnpike|expressway|causeway|"
    r"st|rd|ave|av|avda|avd|blvd|ln|dr|ct|hwy|pkwy|cres|crossroad|roads|streets|"
    r"rue|allée|impasse|chemin|quai|cours|montée|passage|faubourg|"
    r"calle|callejón|avenida|paseo|plaza|carrera|calzada|camino|rambla|glorieta|carretera|urbanización|privada|andador|pasaje|cerrada|diagonal|circuito|prolongación|travesía|ronda|"
    r"rua|travessa|alameda|praça|largo|rodovia|estrada|viela|ladeira|recanto|quadra|residencial|"
    r"via|viale|piazza|piazzale|piazzetta|corso|vicolo|contrada|borgo|largo|lungomare|lungotevere|rotonda|stretto|incrocio|strada|canale|"
    r"ulica|ul|aleja|al|aleje|plac|osiedle|os|třída|náměstí|nábřeží|námestie|nábrežie|trg|nám|cesta|put|bulevar|ulitsa|"
    r"strada|str|bulevardul|bd|aleea|șoseaua|calea|intrarea|drumul|"
    r"straße|strasse|gasse|platz|weg|allee|ring|út|utca|tér|köz|fasor|"
    r"jalan|jl|jln|gang|gg|lorong|barangay|brgy|soi|thanon|đường|phố|ngõ|hẻm|"
    r"mahallesi|mah|cad|sok|sk|bulvarı|küçəsi|"
    r"marg|nagar|chowk|colony|vihar|sector|nivas|mohalla|"
    r"ул|улица|пр|проспект|пер|переулок|наб|набережная|бул|бульвар|ш|шоссе|пл|площадь|аллея|вулиця|вул|провулок|площа|узвіз|булевард|"
    r"οδός|οδος|λεωφόρος|πλατεία|πλ|شارع|نهج|طريق|حي|خیابان|کوچه|بلوار|רחוב|שדרות|סמטת|דרך|ถนน|ซอย|मार्ग|रोड|নগর|রোড|փողոց|պողոտա|ქუჩა|გამზირი"
)
UNITS = r"apt|apartment|appartamento|apartamento|apto|suite|ste|unit|flat|floor|piso|puerta|interno|scala|piano|bloque|bl|sc|dpto|depto|dto|lote|casa|etage|kv|кв|д|корп|byt|wohnung|bus|po box|p\.o\. box|postfach|box|apartado|casella postale|rt|rw|no|nr|h\.? ?no|km|s/n|n°|nº"

_SUFFIX = re.compile(rf"\w{{2,}}[- ]?(?:{SUFFIXES})(?!\w)", re.IGNORECASE)
_WORD = re.compile(rf"(?<![\w'])(?:{WORDS})(?!\w)", re.IGNORECASE)
_UNIT = re.compile(rf"(?<!\w)(?:{UNITS})\.?\s*\d", re.IGNORECASE)
_CJK = re.compile(
    r"ถนน|ถ\.|ซอย|ซ\.|\S+[路街巷弄道].?座|丁目|番地|番|号|[都道府県市区町村]\S*\d|\S+[路街巷弄道]\S*\d*号?|\d+[号號楼室座]|\S+[시도군구]\s\S+|\S+(?:로|길)\s?\d|\S+동\s?\d"
)
_NUMBER = re.compile(r"(?<!\w)\d{1,5}(?:\s?[A-Za-z](?!\w)|[-/]\d{1,4}[A-Za-z]?)?(?!\w)")
_SHAPE = re.compile(
    r"^(?:\d{1,5}[A-Za-z]?(?:[-/]\d{1,4})?,?\s+(?:[^\W\d_][\w'’.\-]*\s?){1,5}(?:,.*|\s\d.*)?|(?:[^\W\d_][\w'’.\-]*,?\s){1,5}(?:№|n[°º.]?|nr\.?|no\.?)?\s?\d{1,5}(?:\s?[A-Za-z])?(?:[-/]\w{1,4})?(?:[,\s].*)?)$",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"[\d\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef]")


def has_street_word(text: str) -> bool:
    """Whether a text has a word for a street.

    Examples
    --------
    >>> [has_street_word(text) for text in ("Krauseallee 64", "Rua de Pastor, 234", "iPhone 12")]
    [True, True, False]
    """
    return (
        _SUFFIX.search(text) is not None
        or _WORD.search(text) is not None
        or _UNIT.search(text) is not None
        or _CJK.search(text) is not None
    )


def has_address_shape(text: str) -> bool:
    """Whether a text is words with a house number before or behind them.

    Examples
    --------
    >>> has_address_shape("Hugo Reta 6961"), has_address_shape("6961"), has_address_shape("Waycross-Ware County")
    (True, False, False)
    """
    text = text.strip().replace("\n", ", ")
    return (
        5 <= len(text) <= 160
        and (_DIGIT.search(text) is not None or text.endswith("座"))
        and (_SHAPE.match(text) is not None or (has_street_word(text) and len(re.findall(r"[^\W\d_]", text)) >= 3))
    )


def is_address(text: str) -> bool:
    """Whether a text is a street address by its words: a street and a number.

    Examples
    --------
    >>> is_address("Piazza Martino, 116 Appartamento 7"), is_address("Galaxy S 21")
    (True, False)
    """
    return has_address_shape(text) and has_street_word(text)
