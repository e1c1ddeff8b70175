"""What a column's header says by itself: weak evidence, used only together with what the cells show."""

from __future__ import annotations

import re
import unicodedata

YEAR = frozenset({"year", "yr", "yyyy", "jahr", "annee", "ano", "anno", "jaar", "rok"})
MONTH = frozenset({"month", "mo", "mon", "mnth", "mth", "mm", "monat", "mois", "mes", "mese", "maand"})
DAY = frozenset({"day", "dd", "dom", "tag", "jour", "dia", "giorno", "dag"})
HOUR = frozenset({"hour", "hr", "hh", "stunde", "heure", "hora", "ora", "uur"})

BIRTH = frozenset(
    {"birth", "birthday", "birthdate", "born", "dob", "geburt", "geburtsdatum", "naissance", "nacimiento", "nascita"}
)
"""A date of birth is about the person, not about when the row was made."""

IDENTIFIER = frozenset({
    "id", "ids", "uid", "guid", "uuid", "userid", "no", "nr", "num", "number", "nummer", "numero", "key", "code", "ref",
    "identifier", "kennung",
})  # fmt: skip
ENTITY = frozenset({
    "customer", "client", "user", "patient", "person", "subject", "member", "account", "household", "family", "player",
    "employee", "student", "driver", "guest", "visitor", "machine", "device", "sensor", "vehicle", "order", "invoice",
    "session", "visit", "case", "claim", "policy", "contract", "transaction", "kunde", "kunden", "cliente", "paziente",
    "compte", "konto", "klant",
})  # fmt: skip
"""Words for things that come back row after row."""

NEVER_NEGATIVE = frozenset({
    "age", "experience", "years", "price", "quantity", "qty", "count", "units", "weight", "height", "length", "width", "area",
    "surface", "duration", "distance", "mileage", "km", "miles", "nights", "days", "hours", "minutes", "guests", "rooms",
    "seats", "alter", "preis", "menge", "anzahl", "prix", "quantite", "poids", "precio", "cantidad", "edad", "prezzo", "quantita",
})  # fmt: skip
"""Words for what is counted or measured from zero up."""

_JOIN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+|(?<=[A-Za-z])(?=[0-9])")


def split_header(name: str) -> tuple[str, ...]:
    """Return the words of a header in lower case, without accents.

    Examples
    --------
    >>> split_header("customerID"), split_header("Mo_Sold"), split_header("année de vente")
    (('customer', 'id'), ('mo', 'sold'), ('annee', 'de', 'vente'))
    """
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(word.lower() for word in _JOIN.split(plain) if word)


def says(name: str, words: frozenset[str]) -> bool:
    """Whether one of the header's words is among `words`.

    Examples
    --------
    >>> says("customerID", IDENTIFIER), says("humid", IDENTIFIER)
    (True, False)
    """
    return not words.isdisjoint(split_header(name))
