"""Which ledger topics show something about which provision.

Cautious on purpose: an id is listed only where a record can show at least a part of what it asks, and a part is called a part.
What only people can say (policies, roles, training, legal bases) is not here.
"""

from __future__ import annotations

from collections.abc import Mapping

LEDGER = "ledger"
"""The topic of the ledger itself."""

PROOFS: Mapping[str, tuple[str, ...]] = {
    # NIST AI RMF 1.0
    "GOVERN 1.6": ("release",),
    "MAP 2.1": ("train",),
    "MAP 2.3": ("split", "leaks", "check"),
    "MAP 3.5": ("review",),
    "MAP 4.2": ("parts",),
    "MEASURE 2.1": ("evaluate", "split"),
    "MEASURE 2.3": ("evaluate", "gate"),
    "MEASURE 2.4": ("monitor",),
    "MEASURE 2.5": ("evaluate", "compiled"),
    "MEASURE 2.7": ("secure",),
    "MEASURE 2.9": ("explained",),
    "MEASURE 2.10": ("privacy",),
    "MEASURE 2.11": ("slices",),
    "MEASURE 2.12": ("cost",),
    "MANAGE 2.4": ("rollback",),
    "MANAGE 4.1": ("monitor", "outcomes", "review"),
    "MANAGE 4.2": ("retrain",),
    # ISO/IEC 42001:2023
    "9.1": ("monitor", "evaluate"),
    "A.4.3": ("data",),
    "A.4.4": ("parts",),
    "A.6.2.3": ("train",),
    "A.6.2.4": ("evaluate", "gate"),
    "A.6.2.5": ("gate", "release"),
    "A.6.2.6": ("monitor",),
    "A.6.2.7": ("release",),
    "A.6.2.8": (LEDGER,),
    "A.7.3": ("data",),
    "A.7.4": ("check", "contract"),
    "A.7.5": ("data", LEDGER),
    "A.7.6": ("check", "split"),
    "A.8.2": ("explained", "handover"),
    # GDPR
    "GDPR-5.1.c": ("check", "privacy"),
    "GDPR-5.1.d": ("check",),
    "GDPR-5.1.f": ("encrypted", "keys", "backup", "secure"),
    "GDPR-5.2": (LEDGER,),
    "GDPR-5.1.e": ("retention",),
    "GDPR-15": ("access",),
    "GDPR-17": ("erase",),
    "GDPR-25": ("privacy",),
    "GDPR-32": ("encrypted", "secure", "backup"),
    # EU AI Act
    "AIA-9": ("gate",),
    "AIA-10": ("data", "check", "slices"),
    "AIA-11": ("release",),
    "AIA-12": (LEDGER,),
    "AIA-13": ("explained", "handover"),
    "AIA-14": ("review",),
    "AIA-15": ("evaluate", "secure"),
    "AIA-72": ("monitor",),
    "AIA-AnnexIV": ("release", "evaluate"),
}

PARTS: Mapping[str, str] = {
    "GOVERN 1.6": "this workspace's releases, not the organisation's inventory",
    "MEASURE 2.12": "time alone",
    "MAP 3.5": "what people decided and how far they rely on suggestions; not your policies",
    "GDPR-5.1.c": "what was left out; whether the rest is needed is for a person to say",
    "GDPR-5.1.d": "checks of the table; not whether it is true of each person",
    "GDPR-5.1.e": "what went on its day; whether the days are right is for a person to say",
    "GDPR-15": "what was gathered for a person; not that it was given to them in time",
    "GDPR-25": "what stays out of training by default",
    "AIA-9": "tests against criteria set beforehand",
    "AIA-10": "origin, checks and comparison of groups",
    "AIA-12": "what was done to make it; the log of answers is kept by the server",
    "AIA-14": "rows that people decided, overrides and reliance on suggestions; not whether somebody may stop the system",
    "AIA-15": "what was measured",
    "AIA-AnnexIV": "model, data, metrics and changes",
    "9.1": "this model alone",
}
"""What of a provision the records show, where it asks for more; all others stand for themselves."""
