"""Who may come in: API keys with scopes, throttled guessing, a rate for each key, and names of this host."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from skiff.serve.errors import refuse
from skiff.store.keys import ApiKey, find_key

BAD_KEYS = 20
BAD_KEYS_WITHIN_S = 10.0
"""Twenty wrong keys in ten seconds from one address are guessing (hardening, "brute force"); right keys still pass."""

MOST_ADDRESSES = 10_000
"""Addresses remembered; the oldest is forgotten, so that memory stays bounded whoever knocks."""

LOCAL_NAMES = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})


class Door:
    """Checks keys, rates and host names.

    Parameters
    ----------
    is_local : bool
        Whether the server listens on this machine only; then only its local names are answered to, so that a web page
        whose name was bent to 127.0.0.1 gets nothing.
    rate : float or None
        Requests a second that each key may send.
    now : callable
        Seconds since 1970-01-01.
    """

    def __init__(self, *, is_local: bool, rate: float | None = None, now: Callable[[], float] = time.time) -> None:
        """Begin with no keys, which lets everyone on this machine in."""
        self._is_local = is_local
        self._rate = rate
        self._now = now
        self._keys: dict[str, ApiKey] = {}
        self._is_locked = False
        self._buckets: dict[str, tuple[float, float]] = {}
        self._bad: OrderedDict[str, list[float]] = OrderedDict()

    @property
    def needs_key(self) -> bool:
        """Return whether a key is asked for: on other hosts' behalf always, here once one was made."""
        return self._is_locked or not self._is_local

    def set_keys(self, keys: tuple[ApiKey, ...]) -> None:
        """Take the keys that there are; a revoked or expired one still locks the door."""
        self._keys = {key.id: key for key in keys}
        self._is_locked = bool(keys)

    def set_rate(self, rate: float | None) -> None:
        """Take the rate that the settings give."""
        self._rate = rate

    def check_host(self, host: bytes | None) -> None:
        """Refuse names that are not this machine's, where it is served only.

        Raises
        ------
        SkiffError
            ``host_not_allowed``, ``request_malformed`` where there is no name.
        """
        if host is None:
            raise refuse("request_malformed", "The request names no host.", "Send a Host header, as HTTP/1.1 asks.")
        if not self._is_local:
            return
        name = host.rpartition(b":")[0] if host[-1:].isdigit() and b":" in host else host
        if host not in LOCAL_NAMES and name not in LOCAL_NAMES:
            raise refuse(
                "host_not_allowed",
                "This server answers to the names of this machine only.",
                "Use http://localhost, or start it for others with `skiff serve --host`.",
            )

    def check_key(self, authorization: bytes | None, *, scope: str, peer: str) -> str:
        """Return the id of the key a request came with; empty where none is needed.

        Raises
        ------
        SkiffError
            ``key_missing``, ``key_invalid``, ``scope_missing``, ``too_many_requests``.
        """
        if not self.needs_key:
            return ""
        if authorization is None:
            self._note_bad(peer)
            raise refuse("key_missing", "This server asks for a key.", "Send the header  Authorization: Bearer sk_…")
        kind, _, secret = authorization.partition(b" ")
        found = find_key(secret.strip().decode("ascii", "replace"), self._keys) if kind.lower() == b"bearer" else None
        if found is None or not found.is_valid(self._now()):
            self._note_bad(peer)
            raise refuse(
                "key_invalid",
                "This key is unknown, revoked or expired.",
                "Ask for a new one: `skiff keys create --scope predict`.",
            )
        if scope not in found.scopes and "admin" not in found.scopes:
            raise refuse(
                "scope_missing", f"This key does not open this: it needs '{scope}'.", "Ask for a key with that scope."
            )
        if self._rate is not None:
            self._take(found.id, self._rate)
        return found.id

    def _take(self, key_id: str, rate: float) -> None:
        """Take a token from the key's bucket, which holds a second's worth (Turner 1986, "leaky bucket")."""
        now = time.monotonic()
        tokens, last = self._buckets.get(key_id, (max(rate, 1.0), now))
        tokens = min(max(rate, 1.0), tokens + (now - last) * rate)
        if tokens < 1.0:
            self._buckets[key_id] = (tokens, now)
            raise refuse(
                "too_many_requests",
                f"This key may send {rate:g} requests a second.",
                "Wait a moment, or send several rows in one request.",
            )
        self._buckets[key_id] = (tokens - 1.0, now)

    def _note_bad(self, peer: str) -> None:
        now = time.monotonic()
        times = [moment for moment in self._bad.get(peer, []) if now - moment < BAD_KEYS_WITHIN_S]
        if len(times) >= BAD_KEYS:
            raise refuse(
                "too_many_requests", "Too many wrong keys came from this address.", "Wait ten seconds; check the key."
            )
        self._bad[peer] = [*times, now]
        self._bad.move_to_end(peer)
        while len(self._bad) > MOST_ADDRESSES:
            self._bad.popitem(last=False)
