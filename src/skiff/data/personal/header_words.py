"""What a header says in many languages: evidence for a kind of personal data, or against any.

A header alone decides nothing: the cells must be able to hold what it says (`skiff.data.personal.columns`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from skiff.data.personal.folding import fold

_CAMEL = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zà-ÿ])|(?<=[A-Za-z])(?=[0-9])")

THINGS = (
    r"product\w*|produkt\w*|prodotto|producto|produit|item|artikel|articl?e|artiku\w*|company|firm\w*|firma|empresa|entreprise|azienda|bedrijf|"
    r"unternehmen|organi[sz]ation\w*|organisme|societe|societa|brand|marke|marca|marque|merk|file|datei|event|school|schule|team|club|storm|hurricane|"
    r"ship|vessel|boat|game|movie|film|song|album|artist|book|titel|shop|store|hotel|restaurant|venue|model|modell|species|project|projekt|projet|column|"
    r"table|field|department|abteilung|airport|station|stadium|park|domain|domein|host|hostname|device|machine|server|plan|tariff?|campaign|category|"
    r"kategorie|group|gruppe|type|typ|tipo|class|variable|feature|sensor|drug|disease|medicine|dish|recipe|wine|beer|animal|dog|cat|horse|pet|breed|"
    r"supplier|vendor|manufacturer|hersteller|lieferant|fornitore|proveedor|fournisseur|bank|insurer|agency|institution|university|hospital|clinic|"
    r"playlist|channel|app|website|site|package|material|color|colour|farbe|kurs|course|subject area|job|occupation|profession|beruf|position|role|"
    r"会社名?|企業名?|法人名?|商品名?|製品名?|公司名?称?|产品名?称?|품명|상품명|회사명?|компания|организация|товар|продукт|фирма|sirket|urun|tuote|yritys|foretag|virksomhet|vare|spolka|przedsiebiorstwo"
)
"""Words that say whose name it is: not a person's."""

PATTERNS: dict[str, str] = {
    "EMAIL": r"e ?mails?|mail( ?(address|adresse?))?|e ?mail \w+|\w*epost\w*|correo\w*( electronico)?|courriel|posta elettronica|メール\w*|电子邮[件箱]|邮箱|電子郵件|이메일|"
    r"(электронная )?почта|имеил|имейл|sahkoposti|eposta|ηλεκτρονικο ταχυδρομειο|بريد\w*|דוא.?ל|อีเมล",
    "PHONE": r"\w*(tele)?(phone|foon|fon)\w*|\w*tele(ph|f)o\w*|tel|tlf|tfn|\w*mobil\w*|\w*mobiel\w*|handy\w*|cell( ?(phone|number|nr))?|fax\w*|gsm|whats ?app|celular\w*|movil|"
    r"cellulare|recapito|portable|puhelin\w*|komorka|msisdn|電話\w*|携帯\w*|电话\w*|手机\w*|联系方式|전화\w*|휴대\w*|연락처|телефон\w*|мобильный|τηλεφων\w*|κινητο|هاتف|جوال|טלפון|נייד|โทร\w*|dien thoai|sdt",
    "IBAN": r"iban\w*",
    "BANK_ACCOUNT": r"(bank ?)?(account|acct) ?(no|nr|num|number)|konto(nummer|nr)?|bankverbindung|rekening(nummer)?|compte bancaire|numero de compte|cuenta bancaria|conto corrente|"
    r"conta bancaria|bankkonto\w*|numer konta|口座\w*|银行卡?账?号?|bank account",
    "CREDIT_CARD": r"(credit|debit|payment|bank)? ?card ?(no|nr|num|number)?|cc ?(no|num|number)?|pan|kreditkarte\w*|karten(nummer|nr)|carte (bancaire|de credit)|carta di credito|tarjeta\w*|"
    r"cartao\w*|creditcard\w*|kaartnummer|numer karty|カード番号|信用卡号?|카드번호",
    "NATIONAL_ID": r"ssn|social ?security\w*( \w+)*|social insurance\w*|sin|nino?|national ?insurance\w*( \w+)?|national ?id\w*( \w+)?|(identity|identification|id ?card|id ?document|national ?identity)( ?(card|number|no|document))?( number| no)?|tax ?(id|number|payer)\w*( \w+)*|tin|"
    r"passport\w*( \w+)*|(driver|driving)s?( s)? licen[cs]e\w*( \w+)*|steuer ?(id|nummer|nr|identifikations\w*)|sozialversicherungs\w*|svnr|ausweis\w*|reisepass\w*|personalausweis\w*|ahv\w*|"
    r"codice fiscale|cod ?fisc\w*|c ?f|nif|dni|nie|nir|n?umero? (de )?secu\w*( \w+)*|securite sociale|curp|rfc|cedula|cpf|rg|cnh|bsn|burgerservicenummer|rijksregister\w*|sofi\w*|"
    r"personnummer|personnr|fodselsnummer|cpr\w*|hetu|henkilotunnus|kennitala|pesel|dowod\w*|rodne cislo|cnp|oib|egn|emso|jmbg|tc ?kimlik\w*|kimlik\w*|aadh?aar\w*|pan ?card|nric|nik|"
    r"マイナンバー|個人番号|身份证\w*|주민\w*|инн|снилс|паспорт\w*|амка|αφμ|رقم الهوية|תעודת זהות|ת ?ז|cmnd|cccd|nhs ?(no|number)?",
    "IP": r"ip|ip ?v?[46]?( ?address\w*| ?adresse?| ?addr)?|(remote|client|source|src|user|login|last) ?(ip|addr)\w*|ipアドレス",
    "DATE_OF_BIRTH": r"(date|day|year|yr) of birth|birth ?(date|day|dt|year)?|birth|dob|d o b|born( on)?|yob|\w*geburt\w*|geb ?(dat|datum|am)?|naissance|(date|ne|nee) de naissance|(date de )?naiss|ddn|"
    r"(fecha|ano) (de )?nac\w*|nacimiento|fec ?nac|f ?nac|(data|anno) (di )?nascita|nascita|(data|ano) (de )?nasc\w*|nascimento|\w*geboorte\w*|fodsels?\w*|fodelse\w*|syntyma\w*|(data )?urodzen\w*|urodzony|"
    r"(datum )?narozeni|szuletes\w*|(data )?nasterii|dogum\w*|生年月日|誕生日|出生\w*|生日|생년월일|생일|(дата |год )?рожден\w*|ημερομηνια γεννησης|تاريخ الميلاد|תאריך לידה|วันเกิด|ngay sinh|tanggal lahir|tgl lahir",
    "USERNAME": r"user ?names?|user ?login|login( ?name)?|log ?on|user|nick ?(name)?|handle|screen ?name|account ?name|alias|twitter( ?handle)?|instagram|github|skype|benutzer(name|kennung)?|anmeldename|"
    r"utilisateur|nom d ?utilisateur|identifiant|pseudo|usuario|nome utente|utente|gebruikers?naam|brukernavn|anvandarnamn|brugernavn|kayttajatunnus|uzytkownik|kullanici( adi)?|ユーザー名?|ユーザ名|用户名|아이디|логин|имя пользователя",
    "ADDRESS": r"(street|home|postal|mail(ing)?|billing|shipping|delivery|residential|work|full|customer|email)? ?address(e|es)?( ?(line)? ?\d?)?|addr(ess)?\d?|adr|street( ?(name|no|number|address))?( ?\d)?|st ?addr\w*|\w*strasse|str|\w*strasse\w*|"
    r"\w*anschrift\w*|\w*adress\w*|wohnort ?strasse|hausnummer|rue|voie|calle|domicilio|direccion\w*|via|indirizzo|residenza|rua|endereco|morada|logradouro|straat\w*|\w*adres\w*|gate(adresse)?|vej|gata|"
    r"katuosoite|osoite|ulica|utca|lakcim|strada|adresa|sokak|住所|所在地|番地|地址|住址|주소|(домашний )?адрес|улица|διευθυνση|οδος|عنوان|כתובת|ที่อยู่|dia chi|alamat|residence",
    "CITY": r"city|town|village|municipality|suburb|(home|birth|residence) ?(city|town|place)|place of (birth|residence)|birth ?place|hometown|ort|wohnort|stadt|gemeinde|geburtsort|ville|commune|localite|"
    r"ciudad|localidad|municipio|poblacion|citta|comune|localita|cidade|(woon)?plaats|gemeente|stad|ort|by|poststed|kaupunki|kunta|miasto|miejscowosc|mesto|obec|varos|telepules|oras|localitate|sehir|il|ilce|"
    r"市区町村|市町村|都市|城市|도시|시군구|город|населенный пункт|πολη|مدينة|עיר|เมือง|thanh pho|kota|location|residence city|county",
    "POSTCODE": r"zip( ?codes?)?( ?\d)?|post ?(al)? ?codes?|postal|pin ?codes?|plz|postleitzahl|code postal|cp|codigo postal|c ?p|cap|codice postale|cep|post(code|nummer|nr)|postinumero|kod pocztowy|psc|"
    r"iranyitoszam|cod postal|posta kodu|郵便番号|〒|邮政?编码|邮编|우편번호|(почтовый )?индекс|ταχυδρομικος κωδικας|τ ?κ|ma buu dien|kode pos|kodepos",
    "CUSTOMER_ID": r"(customer|client|cust|patient|member|user|employee|emp|staff|passenger|student|pupil|person|persons|people|subject|guest|visitor|driver|player|subscriber|participant|respondent|citizen|resident|household|applicant|borrower|"
    r"voter|worker|personnel|donor|buyer|policy ?holder|beneficiary|tenant|learner|contact|lead|candidate|loyalty|membership|insured|account ?holder) ?(id|ids|no|nr|num|number|code|key|ref|reference|uid|guid|identifier|card)|"
    r"mrn|medical record\w*( \w+)*|uid|guid|user ?uid|kunden ?(nr|nummer|id|kennung)|patienten ?(nr|nummer|id)|mitglieds?(nr|nummer|id)|mitarbeiter ?(nr|nummer|id)|personal ?(nr|nummer)|matrikel\w*|versicherten\w*|"
    r"(numero|n|no|id|code|identifiant|num) ?(de )?(client|patient|adherent|membre|salarie|abonne)e?|(id|numero|codigo|num|cod|n) ?(de |del )?(cliente|paciente|socio|empleado|alumno|usuario|afiliado|utente|funcionario)|cliente ?id|"
    r"(id|numero|codice|cod) ?(del )?(cliente|paziente|socio|dipendente|utente|tessera)|matricola|klant(en)?(nr|nummer|id)|patient(nr|nummer)|lidnummer|personeels\w*|kunde(nr|nummer|id)|medlems(nr|nummer)|ansatt(nr|nummer)|kundnummer|"
    r"asiakasnumero|asiakas ?id|(numer|id|nr) (klienta|pacjenta|pracownika)|zakaznik ?(id|cislo)?|ugyfel\w*|musteri ?(no|id|numarasi)|顧客\w*(番号|id|コード)|会員(番号|id)|社員番号|患者(番号|id)|客户\w*(号|编号|id)|会员号?|고객\w*(번호|id)|회원번호|"
    r"(номер|id|код) (клиента|пациента|сотрудника)|табельный номер",
    "DEMOGRAPHIC": r"sex|gender|sexe|sexo|sesso|geschlecht|geslacht|kjonn|kon|sukupuoli|plec|pohlavi|nem|cinsiyet|性別|性别|성별|пол|φυλο|الجنس|מין|เพศ|gioi tinh|jenis kelamin|"
    r"age( ?(group|band|range|years|yrs|in years|bucket))?|alter(sgruppe|sklasse)?|idade|edad|eta|leeftijd|alder|ika|wiek|vek|kor|yas|年齢|年龄|나이|연령|возраст|ηλικια|"
    r"race|ethnic\w*( \w+)?|rasse|ethnie|raza|razza|raca|etni\w*|religion|religio\w*|glaube|konfession|nationalit\w*|nacionalidad\w*|nazionalita|citizenship|staatsangehorigkeit|cittadinanza|native ?country|country of birth|国籍|民族|гражданство|национальность|"
    r"marital( ?status)?|civil ?status|familienstand|etat civil|estado civil|stato civile|burgerlijke staat|sivilstand|civilstand|stan cywilny|婚姻\w*|배우자|"
    r"disab\w*|handicap|behinderung|sexual orientation|pregnan\w*|education( ?(level|num))?|relationship|dependents?|children|kinder|language|mother tongue|muttersprache|senior ?citizen|partner|blood ?(type|group)|political\w*|union member",
    "PERSON": r"(full|first|last|middle|given|family|sur|fore|maiden|birth|legal|preferred|display|contact|customer|client|patient|guest|passenger|employee|student|user|account ?holder|card ?holder|owner|author|member|manager|driver|player|agent|"
    r"doctor|physician|buyer|seller|recipient|sender|beneficiary|tenant|landlord|teacher|parent|mother|father|spouse|father s|mother s|person|people|holder|reporter|assignee|rep|sales ?rep|staff|host|reviewer|applicant|candidate|insured|payer|payee|participant|"
    r"emergency ?contact|officer|director|witness|victim|suspect|attorney|lawyer|judge|crew|pilot|speaker|attendee|signatory|submitted|created|approved|handled|signed) ?(name|names|by|nm)( ?\d)?|f ?name|l ?name|fname|lname|fullname|surname|forename|lastname|firstname|initials|names?|"
    r"(contact|customer|client|patient|guest|passenger|employee|student|account ?holder|card ?holder|author|driver|agent|sales ?rep|teacher|recipient|witness|physician|assignee|attendee|tenant|landlord|beneficiary|kontakt|kunde|reviewer|doctor|owner)( ?person)?|"
    r"\w*vorname\w*|\w*nachname\w*|\w*zuname|familienname|rufname|ansprechpartner\w*|sachbearbeiter\w*|mitarbeiter\w*|bearbeiter|inhaber\w*|versicherte\w*|patientin|bewerber\w*|kundenname|halter|"
    r"nom( (complet|de famille|du client|client|prenom|et prenom|de naissance|du patient))?|prenoms?|interlocuteur|titulaire|salarie|destinataire|"
    r"nombres?( (completo|y apellidos?|cliente|del cliente|del paciente))?|apellidos?( (paterno|materno))?|primer apellido|segundo apellido|titular|paciente|cliente|empleado|responsable|contacto|"
    r"nome( (completo|cliente|e cognome|cognome|do cliente|do paciente|proprio))?|cognome( e nome)?|nominativo|intestatario|referente|paziente|dipendente|sobrenome|apelido|ultimo nome|utente|aluno|funcionario|responsavel|"
    r"naam|voornaam|achternaam|volledige naam|tussenvoegsel|klantnaam|contactpersoon|medewerker|(for|etter|full|kunde)navn|navn|fornavn|efternavn|etternavn|(for|efter)namn|namn|kontaktperson|(etu|suku)?nimi|asiakas|yhteyshenkilo|"
    r"imie( i nazwisko)?|imiona|nazwisko( i imie)?|klient|pracownik|jmeno( a prijmeni)?|prijmeni|meno|priezvisko|nev|(csalad|vezetek|kereszt|uto)nev|nume( (complet|de familie))?|prenume|ime( i prezime)?|prezime|ime in priimek|priimek|"
    r"ad|soyad|adi|soyadi|ad soyad|adi soyadi|isim|musteri( adi)?|氏名|名前|お名前|姓|名|苗字|フリガナ|カナ|担当者\w*|顧客名?|お客様名?|患者名?|姓名|客户\w*(姓名|名称)?|联系人|이름|성명|성함|고객명|환자명|담당자|"
    r"имя|фамилия|отчество|фио|ф и о|клиент|пациент|сотрудник|контактное лицо|імя|прізвище|ονομα\w*|επωνυμο|ονοματεπωνυμο|الاسم|اسم|اسم العائلة|שם|שם פרטי|שם משפחה|ชื่อ|นามสกุล|ho ten|ho va ten|ten|nama( lengkap)?",
}  # fmt: skip
"""Whole headers, folded, words apart; in order of how specific they are."""

NOT_PERSONAL = (
    rf"({THINGS}) ?(name|names|title|id|code|no|nr|number|name|nom|nombre|nome|naam|navn|namn)?|(name|nom|nombre|nome|nazwa|title) (of )?(the |of the |de l |du |del |della |da |do )?({THINGS})|"
    r"(order|invoice|ticket|transaction|booking|reservation|sku|ean|gtin|upc|isbn|issn|doi|serial|batch|lot|tracking|shipment|parcel|part|article|asset|vin|plate|flight|route|rechnungs|bestell|auftrags|artikel|beleg|"
    r"facture|commande|pedido|factura|fattura|ordine|factuur|bestelling|faktura|zamowienie)\w* ?(id|no|nr|num|number|code|nummer|ref)?|"
    r"(country|land|pays|pais|paese|state|province|region|bundesland|kraj|maa|国|国家|국가|страна)( ?(name|code|full|iso\w*))?|currency|wahrung|status|amount|price|preis|betrag|quantity|qty|total|lat|lon|latitude|longitude|"
    r".* (sent|opened|verified|valid|confirmed|flag|count|code|type|provider|brand|service|opt ?(in|out)|consent|plan|model|network|length|score|domain|os|calls|minutes|lines)|(is|has|n|num|number of|count|total|avg|mean|opt ?in) .*|"
    r"(row|record)? ?(id|ids|uuid|guid|code|key|index|idx|ref)|"
    r"(created|updated|modified|deleted|last|registered|joined|signup|order|start|end) ?(at|on|date|time|ts|login|seen)?"
)
"""Headers that speak of a thing, a flag, a count or a record, whatever else is in them."""

STRONG_PERSON = (
    r"(full|first|last|middle|given|family|sur|fore|maiden) ?name|fullname|surname|forename|lastname|firstname|[fl] ?name|\w*vorname\w*|\w*nachname\w*|familienname|prenoms?|nom de famille|apellidos?( \w+)?|"
    r"cognome( e nome)?|sobrenome|apelido|(voor|achter)naam|(for|etter|efter)(navn|namn)|(etu|suku)nimi|imie( i nazwisko)?|nazwisko|jmeno|prijmeni|meno|priezvisko|prenume|prezime|priimek|soyad\w*|ad soyad|"
    r"氏名|お名前|姓|名|姓名|이름|성명|имя|фамилия|отчество|фио|επωνυμο|ονοματεπωνυμο|ho (va )?ten|nama lengkap|שם (פרטי|משפחה)|(customer|client|patient|guest|passenger|employee|student|contact|account ?holder|card ?holder) ?name|"
    r"nominativo|ansprechpartner\w*|sachbearbeiter\w*|nom et prenom|nombre y apellidos?|jmeno a prijmeni|(vezetek|kereszt)nev|initials"
)
"""Headers that only names of persons have."""


def _fold_letters(pattern: str) -> str:
    """Fold the letters of other alphabets in a pattern, which is matched with folded headers; its signs are ASCII."""
    return re.sub(r"[^\x00-\x7f]+", lambda found: fold(found[0]), pattern)


_COMPILED = {kind: re.compile(_fold_letters(pattern)) for kind, pattern in PATTERNS.items()}
_STRONG = re.compile(_fold_letters(STRONG_PERSON))
_NOT = re.compile(_fold_letters(NOT_PERSONAL))


@lru_cache(maxsize=4096)
def read_header(name: str) -> str:
    """Return a header folded, its words apart.

    Examples
    --------
    >>> read_header("GivenName"), read_header("Straße/Hausnr."), read_header("customer_ID")
    ('given name', 'strasse hausnr', 'customer id')
    """
    apart = _CAMEL.sub(" ", name.strip().lstrip("\ufeff"))
    return " ".join(re.split(r"[\W_]+", fold(apart))).strip()


def guess_kind(name: str) -> str:
    """Return the kind of personal data a header names, ``"NOT"`` where it names something else, or an empty text.

    Examples
    --------
    >>> guess_kind("Telefonnummer"), guess_kind("ProductName"), guess_kind("c7"), guess_kind("生年月日")
    ('PHONE', 'NOT', '', 'DATE_OF_BIRTH')
    """
    header = read_header(name)
    for kind, pattern in _COMPILED.items():
        if pattern.fullmatch(header):
            return kind
    if _NOT.fullmatch(header):
        return "NOT"
    words = header.split()
    if len(words) > 1:  # a prefix such as "billing", "primary", "k1": its last or first words still say what it is
        for part in (" ".join(words[1:]), " ".join(words[:-1]), " ".join(words[2:]), words[-1]):
            for kind, pattern in _COMPILED.items():
                if part and pattern.fullmatch(part) and kind not in ("CUSTOMER_ID", "DEMOGRAPHIC"):
                    return kind
    return ""


def is_surely_person(name: str) -> bool:
    """Whether only names of persons have such a header.

    Examples
    --------
    >>> is_surely_person("Nachname"), is_surely_person("name")
    (True, False)
    """
    return _STRONG.fullmatch(read_header(name)) is not None
