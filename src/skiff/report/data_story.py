"""What a look at a table has to tell: one frozen value, filled by the flow, shown by the page and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from skiff.core.evidence import Json
from skiff.core.finding import Finding
from skiff.data.associations import Association
from skiff.data.contract.say import Sentence
from skiff.data.coverage import Representation
from skiff.data.gaps import Gaps
from skiff.data.profile import Profile
from skiff.data.provenance import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStory:
    """Everything that the data report may say. A number that is not here is not printed.

    Parameters
    ----------
    name, sha256, created, skiff_version : str
    profile : Profile
    gaps : Gaps
    associations : tuple of Association
        The strongest, the strongest first.
    findings : tuple of Finding
    left_out : mapping of str to str
        Column to the code of the finding that takes it away.
    reading : mapping
        How the file was read.
    provenance : tuple of Answer
        Where the table comes from; what nobody answered has no text.
    target : str or None
    split : (str, str) or None
        Kind of split proposed, and why.
    sentences : tuple of Sentence
        What every later file is held against.
    contract_version : int or None
        None where the sentences were learned from this very table and are kept nowhere.
    representation : Representation or None
        How the table differs from the population that was named.
    """

    name: str
    sha256: str
    created: str
    skiff_version: str
    profile: Profile
    gaps: Gaps
    associations: tuple[Association, ...]
    findings: tuple[Finding, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, Json] = field(default_factory=dict)
    provenance: tuple[Answer, ...] = ()
    target: str | None = None
    split: tuple[str, str] | None = None
    sentences: tuple[Sentence, ...] = ()
    contract_version: int | None = None
    representation: Representation | None = None
