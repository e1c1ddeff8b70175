"""Words in headers that speak of what comes after a decision: supporting evidence, never proof.

A header alone condemns nothing: without a statistical sign a column that carries one of these words is left in peace.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

AFTER_WORDS = frozenset(
    {
        # English
        "duration", "elapsed", "ended", "end", "finish", "finished", "closed", "closing", "cancel", "cancelled", "canceled",
        "cancellation", "refund", "refunded", "returned", "resolved", "resolution", "outcome", "result", "reason", "cause", "paid", "payout",
        "payment", "settled", "settlement", "recovered", "recovery", "recoveries", "cost", "costs", "loss", "losses", "damage", "damages",
        "repair", "penalty", "fine", "chargeback", "writeoff", "collection", "collections", "exit", "left", "leave", "leaving", "termination",
        "terminated", "discharge", "discharged", "death", "died", "final", "actual", "after", "post", "completed", "completion", "delivered",
        "arrived", "status", "decision", "approved", "rejected", "verdict", "followup", "complaint", "rating", "feedback", "survey",
        # German
        "dauer", "ende", "beendet", "geschlossen", "storno", "storniert", "stornierung", "kuendigung", "kundigung", "erstattung",
        "ergebnis", "grund", "ursache", "bezahlt", "zahlung", "kosten", "schaden", "reparatur", "verlust", "abschluss", "austritt", "nach",
        "entscheidung", "genehmigt", "abgelehnt", "mahnung", "inkasso", "ruckgabe", "rueckgabe", "zustand", "geliefert", "entlassung",
        # French
        "duree", "fin", "termine", "cloture", "annule", "annulation", "remboursement", "resultat", "motif", "raison", "paye", "paiement",
        "cout", "dommage", "dommages", "reparation", "perte", "sortie", "apres", "statut", "livre", "penalite", "deces",
        # Spanish and Portuguese
        "duracion", "duracao", "cierre", "cerrado", "cancelado", "cancelacion", "cancelamento", "reembolso", "resultado", "motivo",
        "razon", "pagado", "pago", "coste", "costo", "custo", "dano", "perdida", "perda", "reparacion", "baja", "salida", "saida",
        "despues", "depois", "estado", "entregado", "multa", "fallecimiento",
        # Italian
        "durata", "chiuso", "chiusura", "annullato", "annullamento", "rimborso", "risultato", "pagato", "pagamento", "costi", "danno",
        "perdita", "riparazione", "uscita", "dopo", "stato", "esito", "consegnato",
        # Dutch, Polish, Swedish, Danish
        "duur", "einde", "gesloten", "geannuleerd", "terugbetaling", "resultaat", "reden", "betaald", "schade", "verlies",
        "koniec", "zamkniety", "anulowano", "zwrot", "wynik", "powod", "koszt", "szkoda", "strata", "slut", "avslutad", "avbruten",
        "orsak", "arsag", "kostnad", "skada", "skade", "varighed", "varaktighet",
    }
)  # fmt: skip
"""Plain letters without accents; both spellings where accents are written out."""

GENERIC_WORDS = frozenset(
    {"mean", "median", "average", "total", "sum", "amount", "number", "count", "value", "price", "score", "rate", "level", "type", "class", "code",
     "date", "time", "year", "month", "week", "size", "name", "group", "target", "label", "flag", "data", "customer", "client", "user", "house", "housing"}
)  # fmt: skip
"""Words that headers of one table share without speaking of the same event."""

BEFORE_WORDS = frozenset(
    {
        # English
        "previous", "prev", "prior", "earlier", "former", "history", "historic", "historical", "lag", "lagged", "before", "planned",
        "expected", "scheduled", "initial", "requested", "budget", "budgeted", "forecast", "opening", "baseline",
        "yesterday", "promised",
        # German
        "vorher", "vorherige", "vorheriger", "vorig", "vorige", "frueher", "fruehere", "fruher", "fruhere", "letzte", "letzter", "letztes",
        "vorjahr", "vormonat", "geplant", "bisher", "bisherige", "anfang", "erwartet", "soll",
        # French, Spanish, Portuguese, Italian
        "precedent", "precedente", "dernier", "derniere", "passe", "prevu", "anterior", "anteriores", "previo", "previa", "previos", "previas",
        "ultimo", "ultima", "pasado", "pasada", "inicial", "previsto", "passado", "passato", "scorso", "iniziale",
        # Dutch, Polish, Swedish, Danish
        "eerdere", "gepland", "poprzedni", "poprzednia", "ostatni", "ostatnia", "tidigare", "forra", "forrige", "sidste", "planlagt",
    }
)  # fmt: skip
"""Words of headers that speak of what was there before."""

LAST_WORDS = frozenset({"last", "past"})
PERIOD_WORDS = frozenset(
    {
        "year",
        "years",
        "month",
        "months",
        "week",
        "weeks",
        "day",
        "days",
        "hour",
        "hours",
        "quarter",
        "season",
        "period",
        "time",
    }
)
"""A last year was before; a last status need not have been."""

ID_WORDS = frozenset(
    {"id", "ids", "uid", "uuid", "guid", "key", "nr", "no", "num", "number", "code", "index", "idx", "rowid", "row", "record", "ref", "reference",
     "instant", "serial", "ticket", "account", "nummer", "kennung", "schluessel", "numero", "clave", "codigo", "codice", "chiave", "cle", "klucz"}
)  # fmt: skip
"""Words of headers that name things rather than measure them."""


def split_header(name: str) -> tuple[str, ...]:
    """Return the words of a header, lower-case and without accents.

    Examples
    --------
    >>> split_header("CancelledAt"), split_header("Durée (s)"), split_header("cost_total$")
    (('cancelled', 'at'), ('duree', 's'), ('cost', 'total'))
    """
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return tuple(word for word in re.split(r"[^A-Za-z]+", spaced.lower()) if word)


def speaks_of_after(name: str) -> str:
    """Return the first word of a header that speaks of what comes after a decision, or "".

    Examples
    --------
    >>> speaks_of_after("call_duration"), speaks_of_after("age")
    ('duration', '')
    """
    return next((word for word in split_header(name) if word in AFTER_WORDS), "")


def speaks_of_before(name: str) -> str:
    """Return the first word of a header that speaks of what was there before, or "".

    Examples
    --------
    >>> speaks_of_before("previous_balance"), speaks_of_before("sold_last_week"), speaks_of_before("last_status")
    ('previous', 'last', '')
    """
    words = split_header(name)
    is_last_period = any(one in LAST_WORDS and two in PERIOD_WORDS for one, two in pairwise(words))
    return "last" if is_last_period else next((word for word in words if word in BEFORE_WORDS), "")


def shares_word(name: str, target: str) -> str:
    """Return a word of at least four letters, or its stem, that a header shares with the target's, or "".

    Examples
    --------
    >>> shares_word("churn_reason", "churned"), shares_word("city", "churned")
    ('churn', '')
    """
    stems = {word[:5] for word in split_header(target) if len(word) >= 4 and word not in GENERIC_WORDS}  # noqa: PLR2004  shorter words are "at", "is", "no"
    return next((word for word in split_header(name) if len(word) >= 4 and word[:5] in stems), "")  # noqa: PLR2004


def is_akin(name: str, target: str) -> bool:
    """Whether two headers share a word, however plain: a unit price and a price.

    Examples
    --------
    >>> is_akin("unit_price", "price"), is_akin("pieces", "price")
    (True, False)
    """
    words = {word[:5] for word in split_header(target) if len(word) >= 4}  # noqa: PLR2004  shorter words are "at", "is", "no"
    return any(word[:5] in words for word in split_header(name))


def names_a_thing(name: str) -> bool:
    """Whether a header names things rather than measuring them.

    Examples
    --------
    >>> names_a_thing("customerID"), names_a_thing("income")
    (True, False)
    """
    return any(word in ID_WORDS for word in split_header(name))
