"""Send one message to the addresses a person configured: e-mail, chat, phone, webhook, through Apprise."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import apprise

from skiff.connect.guard import NetworkGuard
from skiff.core.errors import SkiffError

SECRETS = re.compile(r"(?<=://).*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message to one address.

    Parameters
    ----------
    to : str
        Kind of address and its place in the list, never the address: it may hold a password.
    is_sent : bool
    why : str
        Empty where it was sent.
    """

    to: str
    is_sent: bool
    why: str = ""


def name_address(address: str, place: int) -> str:
    """Return an address without anything secret.

    Examples
    --------
    >>> name_address("mailtos://ada:secret@example.org", 1)
    'mailtos (address 1)'
    """
    return f"{address.partition(':')[0] or 'unknown'} (address {place})"


def check_addresses(addresses: Sequence[str]) -> None:
    """Refuse addresses that Apprise does not understand, all at once and without quoting them.

    Raises
    ------
    SkiffError
        ``alert_address_unknown``.
    """
    bad = [name_address(item, place) for place, item in enumerate(addresses, start=1) if _open(item) is None]
    if bad:
        raise SkiffError(
            "alert_address_unknown",
            what=f"Alerts cannot be sent to: {', '.join(bad)}.",
            where={"setting": "alerts.to"},
            fix="Write addresses as Apprise does, for example mailtos://user:password@example.org or jsons://example.org/hook",
        )


Tone: TypeAlias = Literal["info", "warning", "success"]
"""How a chat colours a message: a word of Apprise's."""


def send_message(
    title: str, text: str, *, to: Sequence[str], allow_private: bool = False, tone: Tone = "info"
) -> tuple[Delivery, ...]:
    """Send a message to every address, one after the other; one that fails does not stop the rest.

    Parameters
    ----------
    title, text : str
    to : sequence of str
        Apprise addresses.
    allow_private : bool
        Whether a server on this machine or in a private network may be reached.
    tone : {"info", "warning", "success"}
    """
    return tuple(
        _send_one(title, text, address, place=place, allow_private=allow_private, tone=tone)
        for place, address in enumerate(to, start=1)
    )


def _send_one(title: str, text: str, address: str, *, place: int, allow_private: bool, tone: Tone) -> Delivery:
    name = name_address(address, place)
    service = _open(address)
    if service is None:
        return Delivery(to=name, is_sent=False, why="it is not an address that is understood")
    with NetworkGuard(allow_private=allow_private) as guard:
        kind = apprise.NotifyType(tone)
        is_sent = bool(service.notify(body=text, title=title, notify_type=kind, body_format=apprise.NotifyFormat.TEXT))
    if is_sent:
        return Delivery(to=name, is_sent=True)
    if guard.refused:
        return Delivery(
            to=name,
            is_sent=False,
            why="it leads to this machine, a private network or a metadata service; [alerts] allow_private = true permits"
            " the first two",
        )
    return Delivery(to=name, is_sent=False, why="the server did not answer or did not take the message")


def _open(address: str) -> apprise.Apprise | None:
    # Apprise logs addresses when it refuses them; they may hold passwords.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    service = apprise.Apprise()
    return service if service.add(address) else None
