"""How likely letters are in the languages that people write: what tells one encoding from another."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache

RARE_LETTER = 1e-6
"""Chance of a letter that a language does not use: names and loan words of other languages."""

RARE_CJK = {"simplified": 2e-5, "traditional": 2e-5, "japanese": 2e-5, "korean": 1.2e-4}
"""Chance of a character of the national standard that is not among the everyday ones: 0.1 to 0.3 over some thousands."""

FOREIGN = 0.15
"""Share of letters that come from another language of the same encoding: names, loan words, tables of several countries."""

BESIDE_DIGITS = 4.5
"""What it speaks for a sign of money or measure to stand beside digits: there one in five is such a sign, elsewhere one in 500."""

WEST = ("cp1252", "iso8859-15", "mac_roman", "cp850", "cp437", "cp1254")
EAST = ("cp1250", "iso8859-2", "cp852")
CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5")


@dataclass(frozen=True, slots=True)
class Language:
    """A language: the encodings it is stored in, and how often (per thousand letters) it uses those outside ASCII."""

    name: str
    encodings: tuple[str, ...]
    letters: str
    is_latin: bool = True


LANGUAGES = (
    Language("French", WEST, "é15 à5 è3 ê2.2 ç.9 ù.6 î.5 ô.3 û.6 â.5 ë.1 ï.1 œ.2"),
    Language("German", (*WEST, *EAST), "ü10 ä5.8 ö4.4 ß3.1"),
    Language("Spanish", WEST, "ó8.3 í7.3 á5 é4.3 ñ3.1 ú1.7 ü.12"),
    Language("Portuguese", WEST, "ã7.3 ç5.3 á3 é3.4 ó3 ê4.5 í1.3 õ.4 ú2 â.6 à.7 ô.6"),
    Language("Italian", WEST, "à6.4 è2.6 ù1.7 ì.3 ò.2 é.3"),
    Language("Swedish", WEST, "ä18 å13 ö13 é.3"),
    Language("Danish", WEST, "å12 ø9.4 æ8.7 é.3"),
    Language("Finnish", WEST, "ä36 ö4.4 å.03"),
    Language("Icelandic", WEST, "ð44 á18 í16 þ15 ó10 æ9 ö8 ú6 é6 ý2"),
    Language("Dutch", WEST, "ë.5 é.4 ï.2 è.1 ö.1 ü.1"),
    Language("Polish", EAST, "ł17 ę11 ą10 ż9 ó8 ś7 ć4.5 ń2 ź.6"),
    Language("Czech", EAST, "í16 á22 ě12 é10 ý10 ž9 č10 ř11 š7 ů6 ú1 ň.7 ó.3 ď.3 ť.4"),
    Language("Slovak", EAST, "á18 í10 é8 ý9 č10 ž9 š8 ú8 ľ4 ť5 ô1 ň1 ä.8 ď2 ó.8 ŕ.1 ĺ.1"),
    Language("Hungarian", EAST, "é39 á33 ö12 ó10 ő9 í6 ü6 ú4 ű2"),
    Language("Romanian", EAST, "ă40 î11 ş12 ţ10 â6"),
    Language("South Slavic", EAST, "č10 š10 ž6 ć6 đ2"),
    Language("Turkish", ("cp1254",), "ı51 ü18.5 ş17.8 ç14.6 ğ11.2 ö7.8 İ8 â.3 î.1 û.1"),
    Language("Lithuanian", ("cp1257",), "ė17 ų15 š12 ž9 ū8 į6 č5 ą6 ę3"),
    Language("Latvian", ("cp1257",), "ā40 ī18 ē17 š10 ū5 ņ5 ž4 ļ3 ģ1 č1 ķ1"),
    Language("Estonian", ("cp1257",), "ä15 õ10 ü9 ö2 š.1 ž.1"),
    Language("Russian", CYRILLIC, "о110 е85 а80 и74 н67 т63 с55 р47 в45 л44 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 з16 б16 ч14 й12 х10 ж9.4 ш7.3 ю6.4 "
             "ц4.8 щ3.6 э3.2 ф2.6 ъ.4 ё2", is_latin=False),
    Language("Ukrainian", ("cp1251",), "о94 а83 и61 і57 н68 е50 т55 в54 р47 с42 к35 л36 д33 м31 у33 п29 я24 з23 ь18 г16 б17 ч14 х12 й14 ж9 ц8 ш8 ю9 є6 ї6 "
             "щ4 ф3 ґ.1", is_latin=False),
    Language("Bulgarian", CYRILLIC, "а117 и89 о87 е87 т76 н64 р51 с48 в44 л36 к32 д31 п28 м25 з22 я19 ъ15 г16 ч16 у15 б15 ц8 ж7 й7 щ6 х6 ш4 ф3 ю2 ь.3",
             is_latin=False),
    Language("Greek", ("cp1253", "iso8859-7"), "α92 ο82 ι72 ε67 τ78 σ50 ν68 η40 υ37 ρ46 π41 κ40 μ36 λ30 ς42 ω15 γ18 δ17 χ12 θ11 φ11 β7 ξ5 ζ4 ψ2 ά19 έ17 ή17 ί29 ό24 "
             "ύ13 ώ11 ϊ.5 ϋ.2", is_latin=False),
    Language("Hebrew", ("cp1255",), "י110 ו104 ה109 ל74 א63 ר56 ת50 ב47 ש44 מ46 ם32 נ29 ע32 ד26 ק21 פ17 ח25 כ24 ן22 ט12 ג12 ז13 ס15 צ12 ך8 ף3 ץ2",
             is_latin=False),
    Language("Arabic", ("cp1256",), ("ا125 ل115 ي65 م65 و58 ن62 ر49 ت46 ب39 ة34 ع35 د29 س27 ف29 ه30 ك21 ق24 أ22 ح20 ج16 ش11 ص11 ط9 خ10 ى10 إ12 ذ8 ض7 ء4 ث6 "
             "ز8 غ5 آ2 ئ4 ؤ1 ظ3"), is_latin=False),
    Language("Thai", ("cp874",), ("า80 น70 ร65 อ60 ก55 เ50 ง45 ม45 ย40 ล35 ว35 ด32 ท32 ส30 ต28 ะ26 ป24 บ22 ค22 ห20 แ18 จ17 พ17 ช15 ข15 ใ12 ไ12 โ8 ผ7 ถ8 ศ6 ซ6 ณ5 "
             "ธ5 ภ4 ญ4 ฟ3 ั40 ่45 ้40 ี35 ิ30 ์20 ื15 ุ18 ู15 ็10 ำ10 ึ5"), is_latin=False),
)  # fmt: skip
"""Rates as published for large texts, rounded; only their order of size matters here."""

EVERYDAY: dict[str, tuple[tuple[str, ...], str]] = {
    "simplified": (("gb18030",), ("的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小"
        "部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世"
        "位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五"
        "基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运笔车客户价日期红蓝绿城街面包牛奶京海单姓名地址省县号编号码费额"
        "销售部店货订库存供商税备注黄黑州深圳广川湖苏江浙男女是否岁龄周季元角钱款款项")),
    "traditional": (("big5",), ("的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小"
        "部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世"
        "位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五"
        "基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運筆車客戶價紅藍綠城街麵包牛奶臺灣高雄單姓址省縣號編碼費額"
        "銷售店貨訂庫存供商稅備註黃黑州廣川湖蘇江男否歲齡週季元角錢款項")),
    "japanese": (("cp932", "euc_jp"), ("日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手"
        "力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住真有口少町料工建空急止送切転研足究楽起着店病質待試族銀早映親験英医仕去味写字"
        "答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢顧客商数量価格番号住所電話都府県市区村株式売上税込消費額単位担当部課名前姓性別年齢登録更新削除"
        "合計小計備考済未阪都緑神奈埼玉千葉福岡広島札幌仙台横浜")),
    "korean": (("cp949",), ("이다는에의가을를고하은지도한로기사리나자어서시인라대아해그정일수부있전들여보으니상스만원주제구과장것성조국동신거나면경공해비세안무게었와선소모년문오방실화그치교도생계미관우출현중적산부영업용물개연발회"
        "내당위재분체간진등입금식유행학건단품번호명서울부산고객상품수량가격사과우유빨강파랑도시거리학교나무날짜주소전화이름지역제품판매매출금액합계비고담당자코드성별나이남여구분총할인배송결제카드현금은행역시군읍면동노란검정흰초록월화수목금토")),
}  # fmt: skip
"""Characters of daily life and of tables; about four of five in running text are among the commonest few hundred."""

NATIONAL_STANDARD = {"simplified": "gb2312", "traditional": "big5", "japanese": "shift_jis", "korean": "euc_kr"}
_COMMON_SYMBOLS = frozenset("€£¥¢§°²³½¼¾«»“”„‘’–—…±×·•™®©¿¡ªº№µ\xa0")
_MEASURES = frozenset("€£¥¢°²³½¼±µ\xa0")
_MONEY = frozenset("€£¥¢")
_AT_DIGITS = frozenset("0123456789 \xa0")
_IN_WORD = r"[^\W_]"  # a header joins its words by "_"
_STRANGE_WORDS = (
    (re.compile(rf"(?<!{_IN_WORD})[бвгджзйклмнпрстфхцчшщъь]{{2,}}(?!{_IN_WORD})"), -3.0),  # Cyrillic without a vowel
    (re.compile(rf"(?<!{_IN_WORD})[ъьы]|[уеаояюиэ]ъ"), -4.0),
    (re.compile(rf"(?<!{_IN_WORD})[α-ω]{{3,}}(?!{_IN_WORD})"), -2.0),  # a Greek word carries an accent
    (re.compile(rf"ς{_IN_WORD}|(?<!{_IN_WORD})ς"), -4.0),
    (re.compile(rf"[ךםןףץ]{_IN_WORD}|(?<!{_IN_WORD})[ךםןףץ]"), -4.0),  # final forms
    (re.compile(rf"[ةى]{_IN_WORD}|(?<!{_IN_WORD})[ةى]"), -4.0),
)
"""Words that do not occur in the language of their script, and what each costs."""

_EXTENDED_IN_USE = frozenset("ƒƠơƯưȘșȚțǍǎǐǒǔǚƏə")
"""Of Latin Extended-B (Unicode 16.0, U+0180-024F) what tables hold: Vietnamese, Romanian, Pinyin, Azerbaijani."""

_VOWELS = frozenset("áéíóúàèìòùâêîôûäëïöüåøæąęěůűőıăãõœýāēīūėųįy") | frozenset("aeiou")
_CJK_MARKS = frozenset("、。，．・：；？！（）「」『』【】《》〈〉〔〕［］｛｝～ー－￥％＆＊＋＝／　々〇：“”‘’…—·")


def measure_letters(text: str, encoding: str) -> float:
    """Return how likely the letters of `text` outside ASCII are (a natural logarithm) in the best language of `encoding`.

    Parameters
    ----------
    text : str
        Bytes as `encoding` reads them.
    encoding : str

    Notes
    -----
    Each letter counts with its rate in the language, each neighbour with what it may be: within a word letters are of one
    script, capitals begin words or fill them, accents on vowels stand beside consonants, symbols stand outside words.

    Examples
    --------
    >>> data = "Łódź;źródło".encode("cp1250")
    >>> measure_letters(data.decode("cp1250"), "cp1250") > measure_letters(data.decode("cp1252"), "cp1252")
    True
    """
    letters, context = _count_letters(text)
    if any(encoding in names for names, _ in EVERYDAY.values()):
        styles = [style for style, (names, _) in EVERYDAY.items() if encoding in names]
        return context + max(_measure_characters(letters, style) for style in styles)
    rates = [_rates(language.name, encoding) for language in LANGUAGES if encoding in language.encodings]
    if not rates:
        return -math.inf
    return context + max(sum(count * _log_rate(letter, rate) for letter, count in letters.items()) for rate in rates)


def measure_mixture(text: str) -> float:
    """Return how likely letters are where any script may stand beside another, as in UTF-8."""
    letters, context = _count_letters(text)
    return context + sum(count * _log_any(letter) for letter, count in letters.items())


def _log_any(letter: str) -> float:
    if "\u0180" <= letter <= "\u024f" and letter not in _EXTENDED_IN_USE:
        return math.log(1e-5)
    if letter in _COMMON_SYMBOLS or _find_script(letter) in {"LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "THAI"}:
        return math.log(1 / 200 if letter.isalpha() or letter in _COMMON_SYMBOLS else 1e-5)
    if "\u3040" <= letter <= "\u30ff":
        return math.log(1 / 500)
    return math.log(1 / 5_000 if "\u4e00" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" else 1e-7)


def _count_letters(text: str) -> tuple[Counter[str], float]:
    """Return how often each letter outside ASCII occurs, and what their neighbours say."""
    letters: Counter[str] = Counter()
    context = 0.0
    last = len(text) - 1
    for at, mark in enumerate(text):
        if mark <= "\x7f":
            continue
        letters[mark] += 1
        context += _judge_place(mark, text[at - 1] if at else " ", text[at + 1] if at < last else " ")
    return letters, context + sum(cost * len(shape.findall(text)) for shape, cost in _STRANGE_WORDS)


def _judge_place(mark: str, before: str, after: str) -> float:  # noqa: C901  one rule a line, read top down
    if mark in _COMMON_SYMBOLS:
        if mark in _MONEY and after.isalpha():
            return -4.0  # money stands before digits or behind them
        is_inside = before.isalpha() and after.isalpha() and mark not in "’\xad"
        return (
            -4.0
            if is_inside
            else BESIDE_DIGITS
            if mark in _MEASURES and (before in _AT_DIGITS or after in _AT_DIGITS)
            else 0.0
        )
    if not mark.isalpha():
        return 0.0 if unicodedata.category(mark) in {"Mn", "Mc", "Po", "Lm"} else -2.0
    script = _find_script(mark)
    if script == "CJK":
        return 0.0
    total = 0.0
    for other in (before, after):
        if other.isdigit():
            total -= 3.0
        elif other.isalpha() and _find_script(other) != script:
            total -= 6.0
        elif script == "LATIN" and other.isalpha():
            total -= 2.5 if other > "\x7f" else 0.0
    if not (before.isalpha() or after.isalpha()):
        total -= 2.5
    if mark.isupper():
        total -= 0.8 if not before.isalpha() else 1.5 if before.isupper() else 5.0
        total -= 3.0 if before.isalpha() and before.isupper() and after.islower() else 0.0
    elif (
        mark.islower()
        and before.isalpha()
        and before.isupper()
        and before > "\x7f"
        and script != "LATIN"
        and after.isupper()
    ):
        total -= 3.0
    if script == "LATIN":
        total += _judge_vowel(mark.lower(), before.lower(), after.lower())
    return total


def _judge_vowel(mark: str, before: str, after: str) -> float:
    has_vowel = any(other in _VOWELS for other in (before, after))
    has_consonant = any(other.isalpha() and other not in _VOWELS for other in (before, after))
    is_inside = before.isalpha() and after.isalpha()
    if mark in "őűů" and before in _VOWELS:
        return -2.0
    if mark in _VOWELS:
        return -1.5 if is_inside and not has_consonant else 0.0
    return -2.5 if is_inside and not has_vowel else 0.0


def _find_script(mark: str) -> str:
    if mark <= "\u024f":
        return "LATIN"
    for script, low, high in (("GREEK", "\u0370", "\u03ff"), ("CYRILLIC", "\u0400", "\u052f"), ("HEBREW", "\u0590", "\u05ff"),
                              ("ARABIC", "\u0600", "\u06ff"), ("THAI", "\u0e00", "\u0e7f"), ("CJK", "\u3040", "\u9fff"),
                              ("CJK", "\uac00", "\ud7a3")):  # fmt: skip
        if low <= mark <= high:
            return script
    return "OTHER"


@cache
def _rates(name: str, encoding: str) -> dict[str, float]:
    """Return the share of each letter among those outside ASCII, some of them from other languages of the encoding."""
    spoken = [language for language in LANGUAGES if encoding in language.encodings]
    made: dict[str, float] = {}
    for language in spoken:
        pairs = [(part[0], float(part[1:])) for part in language.letters.split()]
        share = (1 - FOREIGN) * (language.name == name) + FOREIGN / len(spoken)
        for letter, rate in pairs:
            made[letter] = made.get(letter, 0.0) + share * rate / sum(rate for _, rate in pairs)
    return made


def _log_rate(letter: str, rates: dict[str, float]) -> float:
    rate = rates.get(letter) or rates.get(letter.lower())
    if rate:
        return math.log(rate)
    if letter in _COMMON_SYMBOLS:
        return math.log(2e-3)
    return math.log(1e-4 if letter.isalpha() else RARE_LETTER)


@cache
def _everyday(style: str) -> frozenset[str]:
    return frozenset(EVERYDAY[style][1])


def _measure_characters(letters: Counter[str], style: str) -> float:
    return sum(count * _log_character(letter, style) for letter, count in letters.items())


@cache
def _log_character(letter: str, style: str) -> float:
    everyday = _everyday(style)
    if letter in everyday:
        return math.log(0.7 / len(everyday))
    if style == "japanese" and "\u3041" <= letter <= "\u30fe":
        return math.log(0.6 / 150)
    if letter in _CJK_MARKS or letter in _COMMON_SYMBOLS:
        return math.log(2e-3)
    try:
        lead = letter.encode(NATIONAL_STANDARD[style])[0]
    except UnicodeEncodeError:
        return math.log(RARE_LETTER)
    is_character = "\u3400" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3"
    return math.log(RARE_CJK[style] if is_character and _is_common_row(lead, style) else RARE_LETTER * 3)


def _is_common_row(lead: int, style: str) -> bool:
    """Return whether a character stands in the first level of its standard (GB 2312-80, Big5, JIS X 0208, KS X 1001)."""
    low, high = {
        "simplified": (0xB0, 0xD7),
        "traditional": (0xA4, 0xC6),
        "japanese": (0x88, 0x97),
        "korean": (0xB0, 0xC8),
    }[style]
    return low <= lead <= high
