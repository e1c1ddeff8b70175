"""Columns of the catalog that an encrypted workspace encrypts: the same code reads and writes them either way.

The cipher is the catalog's own and hangs on its engine's dialect, because that is what SQLAlchemy hands to a column's type. `Text`
is for what is only read back; `Name` and `Digest` can also be looked up with ``==``. Numbers, times, kinds and states stay plain.
Rows are bound together by their ``seal``, a hash of the plain values that is encrypted itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Dialect, Engine, String, types

if TYPE_CHECKING:  # see `skiff.store.box`
    from skiff.store.cipher import Cipher

_PLACE = "skiff_cipher"


def set_cipher(engine: Engine, cipher: Cipher | None) -> None:
    """Let a catalog's columns be encrypted from now on; None leaves them as they are."""
    setattr(engine.dialect, _PLACE, cipher)


def _get_cipher(dialect: Dialect) -> Cipher | None:
    found: Cipher | None = getattr(dialect, _PLACE, None)
    return found


class Text(types.TypeDecorator[str]):
    """A text that is read back, and never looked up."""

    impl = types.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt what goes in."""
        cipher = _get_cipher(dialect)
        return value if value is None or cipher is None else cipher.encrypt_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt what comes out."""
        cipher = _get_cipher(dialect)
        return value if value is None or cipher is None else cipher.decrypt_text(value)


class Name(types.TypeDecorator[str]):
    """A short text that rows are looked up by."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt what goes in."""
        cipher = _get_cipher(dialect)
        return value if value is None or cipher is None else cipher.encrypt_name(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt what comes out."""
        cipher = _get_cipher(dialect)
        return value if value is None or cipher is None else cipher.decrypt_name(value)


class Digest(types.TypeDecorator[str]):
    """A SHA-256 in hexadecimal digits, which rows are looked up by; as long when it is encrypted."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encrypt what goes in."""
        cipher = _get_cipher(dialect)
        return value if value is None or cipher is None else cipher.encrypt_digest(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decrypt what comes out."""
        cipher = _get_cipher(dialect)
        return value if value is None or cipher is None else cipher.decrypt_digest(value)
