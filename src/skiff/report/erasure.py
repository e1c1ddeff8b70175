"""The account of an erasure as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skiff.report.sheet import Sheet, SheetList, SheetTable, render_sheet

FATES = {
    "removed": "Its files were destroyed; its number and records stay",
    "kept": "It stays until {until}, for this reason: {why}",
    "open": "It still answers. {why}",
    "not trained on the person": "It did not learn from the person; it stays",
}


def render_certificate(found: Mapping[str, Any], *, fingerprint: str) -> str:
    """Return a certificate as one HTML page.

    Parameters
    ----------
    found : mapping
        A certificate as plain values (`skiff.flows.certificates.Certificate`).
    fingerprint : str
        Of the key that signed it.
    """
    search = found["search"]
    rows = tuple((item["place"], count(item["found"], item["unit"]), f"{item['left']:,}") for item in found["places"])
    models = tuple(
        (
            f"Release {item['release']}",
            f"{item['learned']:,}",
            FATES[item["fate"]].format(**item)
            + (f"; release {item['successor']} took its place" if item["successor"] else "")
            + say_with_it(item["waiting"], item["undecided"], item["bundles"]),
        )
        for item in found["models"]
    )
    tables = [
        SheetTable(
            title="What was reached",
            caption="Found before, and left after, by place",
            head=("Place", "Found", "Left"),
            rows=rows,
        )
    ]
    if models:
        tables.append(
            SheetTable(
                title="Models",
                caption="Releases whose data held the person",
                head=("Release", "Rows it learned from", "What became of it"),
                rows=models,
            )
        )
    named = tuple(name for item in found["places"] for name in item["names"])
    lists = [SheetList(title="Reports that were destroyed", sentences=named)] if named else []
    lists += [SheetList(title="What this cannot reach", sentences=tuple(found["beyond"]))]
    if search["hits"]:
        lists.insert(0, SheetList(title="Where a value still stands", sentences=tuple(search["hits"])))
    if search["unread"]:
        lists.insert(0, SheetList(title="What could not be looked into", sentences=tuple(search["unread"])))
    return render_sheet(
        Sheet(
            kind="Skiff erasure",
            title=str(found["workspace"]),
            status="Done" if found["is_complete"] else "Unfinished",
            is_good=bool(found["is_complete"]),
            headline=f"Erasure of person {found['subject'][:16]}",
            sentences=(
                f"Begun on {_say(found['begun'])}, ended on {_say(found['ended'])}, by {found['who']}.",
                "The person is named here only by a keyed hash.",
                say_search(search),
            ),
            lists=tuple(lists),
            tables=tuple(tables),
            closing=f"Signed with key {fingerprint}. Check the JSON file beside this page: skiff verify FILE. "
            f"The ledger has the beginning as {found['evidence']}.",
            created=str(found["ended"]),
        )
    )


def say_search(search: Mapping[str, Any]) -> str:
    """Return what the last search gave, as a sentence.

    Examples
    --------
    >>> say_search({"values": 2, "short_values": 0, "files": 30, "size_bytes": 2_000_000, "members": 4, "columns": 9, "hits": (), "unread": ()})
    '2 values that name the person were looked for in 30 files (2.0 MB), 4 packed parts and 9 columns: nothing was found.'
    """
    short = (
        f" {search['short_values']} of them {'is' if search['short_values'] == 1 else 'are'} too short to tell from chance in bytes and "
        "looked for as a whole cell."
        if search["short_values"]
        else ""
    )
    values = search["values"]
    told = "nothing was found" if not search["hits"] else f"something was found in {len(search['hits'])} places"
    return (
        f"{values} value{'s' if values != 1 else ''} that name{'' if values != 1 else 's'} the person {'were' if values != 1 else 'was'} "
        f"looked for in {search['files']:,} files ({search['size_bytes'] / 1e6:.1f} MB), {search['members']:,} packed parts and "
        f"{search['columns']:,} columns: {told}.{short}"
    )


def say_with_it(waiting: int, undecided: int, bundles: Sequence[str] = ()) -> str:
    """Return what went with a removed release, and what became of the rows that waited for a person beside its suggestion.

    Examples
    --------
    >>> say_with_it(2, 0, ["handover-stays-1.zip"])
    '; handover-stays-1.zip was destroyed; 2 rows of the review queue go on waiting, without its suggestion'
    >>> say_with_it(0, 1)
    '; 1 row left the review queue undecided'
    """
    told = "".join(f"; {name} was destroyed" for name in bundles)
    if waiting:
        does = "goes" if waiting == 1 else "go"
        told += f"; {count(waiting, 'rows')} of the review queue {does} on waiting, without its suggestion"
    return told + (f"; {count(undecided, 'rows')} left the review queue undecided" if undecided else "")


def count(n: int, unit: str) -> str:
    """Return a number with its unit, which is given in the plural.

    Examples
    --------
    >>> count(1, "rows"), count(2_000, "files")
    ('1 row', '2,000 files')
    """
    return f"{n:,} {unit.removesuffix('s') if n == 1 else unit}"


def _say(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"
