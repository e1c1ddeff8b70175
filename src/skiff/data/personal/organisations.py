"""Marks of organisations: legal forms and words that companies, not persons, have in their names."""

from __future__ import annotations

import re

LEGAL = (
    r"GmbH|mbH|AG|KG|KGaA|OHG|UG|e\.\s?V\.|e\.\s?K\.|GbR|SE|Ltd|Limited|LLC|L\.L\.C|LLP|LP|PLC|Inc|Corp|Corporation|Co|Company|Group|Gruppe|Grupo|Gruppo|Groupe|Holding|Holdings|"
    r"SpA|S\.p\.A|SPA|Srl|S\.r\.l|S\.?a\.?s|Snc|SNC|S\.?n\.?c|SRL|S\.R\.L|SARL|S\.A\.R\.L|SAS|SA|S\.A|EURL|SCOP|SL|S\.L|SLU|S\.L\.U|S\.Com|S\.Coop|C\.V|CV|S\.A\. de C\.V|Ltda|LTDA|EIRELI|ME|EPP|S/A|Lda|"
    r"BV|B\.V|NV|N\.V|VOF|V\.O\.F|AB|HB|AS|ASA|A/S|ApS|I/S|Oy|Oyj|Ky|Tmi|OÜ|UAB|SIA|Sp\.? ?z ?o\.? ?o|s\.?r\.?o|a\.s|sp\.? ?j|S\.?K\.?A|Kft|Zrt|Nyrt|Bt|d\.o\.o|d\.d|EOOD|OOD|Ltd\.? ?Şti|A\.Ş|Pty|Pvt|Tbk|Bhd|Sdn|"
    r"Perum|PT|CV|UD|PD|GP"
)
WORDS = (
    r"and Sons|& Sons|& Co|und Söhne|& Söhne|Hnos|Hermanos|et Fils|& Fils|Associates|Partners|Stiftung|Foundation|Bros|Brothers|Industries|Enterprises|Solutions|Services|Systems|Technologies|Consulting|Logistics|Bank|Insurance|"
    r"Verein|Genossenschaft|Cooperativa|Cooperative|Asociación|Association|Ministry|Department|University|Universität|Université|College|School|Hospital|Klinik|Clinic|Restaurant|Café|Cafe|Bistro|Trattoria|Ristorante|Pizzeria|Hotel|"
    r"Osteria|Bar|Grill|Pub|Bakery|Bäckerei|Supermarkets?|Markets?|Stores?|Shop|Pharmacy|Apotheke|Church|Museum|Theatre|Theater|Studio|Studios|Labs?|Media|Records|Airport|Airlines|Airways|Airpark|Field|County|Municipal|Regional|"
    r"International|Memorial|Koninklijke|Royal|Federation|Institut|Institute|Agency|Trust|Club|Team|Werke|Handels|Transport|Construction|Immobilien"
)
CJK = r"株式会社|有限会社|合同会社|合資会社|財団法人|学校法人|医療法人|（株）|\(株\)|公司|集团|集團|银行|銀行|有限|주식회사|\(주\)|유한회사|㈜|ООО|ЗАО|ОАО|ПАО|АО|ИП|НПО|РАО|ФГУП|ТОВ|ПАТ|ТзОВ|شركة|مجموعة|חברת|בע\"מ|Α\.Ε|Ο\.Ε|บริษัท|Công ty|Doanh nghiệp|Hợp tác xã|ห้างหุ้นส่วน"

_FORM = re.compile(rf"(?<![\w.])(?:{LEGAL})(?:\.|(?!\w))(?=$|[\s,.)&-])")
_WORD = re.compile(rf"(?<!\w)(?:{WORDS})(?!\w)", re.IGNORECASE)
_CJK = re.compile(CJK)
_JOINED = re.compile(
    r"\w[\w'’.-]*,?\s+(?:&|\+|and|und|y|e|et|en|og|och|ja|i)\s+\w|^[^\s,]+-[^\s,]+$|^\w[\w'’]+,\s[^,]+(?:&|\s(?:and|und|y|e|et|en)\s)"
)


def has_organisation_mark(text: str) -> bool:
    """Whether a text carries the mark of an organisation.

    Examples
    --------
    >>> [has_organisation_mark(text) for text in ("Albers Käster KG", "株式会社田中鉱業", "Rosa Maria Conti", "Hahn & Sons")]
    [True, True, False, True]
    """
    return _FORM.search(text) is not None or _CJK.search(text) is not None or _WORD.search(text) is not None


def joins_names(text: str) -> bool:
    """Whether a text joins names as firms do: ``Verbeek & Wunderink``, ``Smith-Jones``, ``Bassi, Conti e Rossi``.

    Examples
    --------
    >>> joins_names("Verbeek & Wunderink"), joins_names("Anna Verbeek")
    (True, False)
    """
    return _JOINED.search(text) is not None
