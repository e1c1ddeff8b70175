"""Refuse connections to private and metadata addresses while a message goes out, whatever library opens them."""

from __future__ import annotations

import ipaddress
import sys
import threading
from types import TracebackType
from typing import Self

METADATA = frozenset({"169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254", "168.63.129.16"})
"""Where clouds hand out credentials: link-local at AWS, Azure, Google and others; Alibaba's and Azure's own. Never a mailbox."""

_ACTIVE: list[NetworkGuard] = []
"""Guards whose block is open: a hook of the interpreter has no other way to know of them."""
_HOOKED = threading.Event()


class AddressRefusedError(OSError):
    """A connection that the guard did not allow; an OSError, so that libraries close what they opened."""


def is_outside(address: str) -> bool:
    """Return whether an address belongs to the public internet.

    Examples
    --------
    >>> is_outside("93.184.216.34"), is_outside("127.0.0.1"), is_outside("10.1.2.3"), is_outside("::ffff:192.168.0.1")
    (True, False, False, False)
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_global and not found.is_multicast and str(found) not in METADATA


class NetworkGuard:
    """Watches every connection that the process opens inside its ``with`` block.

    All threads are watched, because senders keep threads of their own from one message to the next.

    Python's audit events see every ``connect`` after the name was resolved, so that neither a redirect nor a name that
    changes its address between two look-ups gets past.

    Parameters
    ----------
    allow_private : bool
        Let connections to this machine and private networks through; metadata services stay refused.

    Attributes
    ----------
    refused : list of str
        Addresses that were refused.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        """Keep the wish; nothing is watched yet."""
        self.allow_private = allow_private
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        """Begin to watch."""
        if not _HOOKED.is_set():  # a hook cannot be taken away again, but does nothing while no guard is active
            _HOOKED.set()
            sys.addaudithook(_look)
        _ACTIVE.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching."""
        _ACTIVE.remove(self)

    def judge(self, address: object) -> None:
        """Refuse a connection that is not allowed.

        Raises
        ------
        AddressRefusedError
        """
        host = address[0] if isinstance(address, tuple) and address else ""
        if not isinstance(host, str) or not host:  # a socket in the file system reaches this machine only
            host = "127.0.0.1"
        if is_outside(host) or (self.allow_private and host.partition("%")[0] not in METADATA):
            return
        self.refused.append(host)
        message = f"connections to {host} are not allowed"
        raise AddressRefusedError(message)


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        for guard in tuple(_ACTIVE):
            guard.judge(arguments[1])
