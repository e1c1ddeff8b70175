"""The cipher of an encrypted workspace: files in chunks, records one by one, and names that can still be looked up.

Files are encrypted with AES-256-GCM (NIST SP 800-38D) in chunks by the STREAM construction (Hoang, Reyhanitabar, Rogaway & Vizár
2015, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015, section 7), as the age format does: each
file has a key of its own (HKDF-SHA256, RFC 5869), the chunk's number and a flag for the last chunk are its nonce, so that a file that
was cut, lengthened or put together anew is refused. What must be found again (keys, subjects, hashes) is encrypted with AES-SIV
(RFC 5297), which gives equal texts equal ciphers: a keyed index and the encrypted original in one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from skiff.core.errors import SkiffError
from skiff.store.files import MAGIC

VERSION = 1
KEY_BYTES = 32
CHUNK_BYTES = 1 << 16
"""Plain bytes in a chunk, as in age: small enough to check a file as it is read, large enough for 16 more bytes to be nothing."""

TAG_BYTES = 16
NONCE_BYTES = 12
_HEADER = struct.Struct(f">{len(MAGIC)}sB8s32s16s")
"""Magic, version, id of the workspace key, salt, and what the file's name gives."""

HEADER_BYTES = _HEADER.size + 32
"""The header ends in an HMAC-SHA256 of itself."""

_LAST, _MORE = b"\x01", b"\x00"
_DIGEST_CHARS = 64
"""A SHA-256 in hexadecimal digits; encrypted (16 + 32 bytes) and in base 64 it has as many characters again."""


class Header(NamedTuple):
    """What the head of an encrypted file says."""

    key_id: bytes
    salt: bytes
    name_tag: bytes
    raw: bytes


def derive(key: bytes, purpose: str, *, salt: bytes = b"", size: int = KEY_BYTES) -> bytes:
    """Return a key for one purpose (HKDF-SHA256, RFC 5869).

    Examples
    --------
    >>> derive(bytes(32), "files") == derive(bytes(32), "texts")
    False
    """
    return HKDF(hashes.SHA256(), size, salt or None, f"skiff {VERSION} {purpose}".encode()).derive(key)


def is_encrypted(head: bytes) -> bool:
    """Return whether a file that begins like this is one that `Cipher` wrote."""
    return head.startswith(MAGIC)


class Cipher:
    """Encrypts and decrypts with one workspace key.

    Parameters
    ----------
    key : bytes
        32 random bytes. Keys for files, texts, names and the log are derived from it.

    Examples
    --------
    >>> cipher = Cipher(bytes(32))
    >>> cipher.decrypt(cipher.encrypt(b"rows", "objects/1"), "objects/1")
    b'rows'
    >>> cipher.encrypt_name("B-1007") == cipher.encrypt_name("B-1007") != cipher.encrypt_name("B-1008")
    True
    """

    def __init__(self, key: bytes) -> None:
        """Derive the keys."""
        self._key = key
        self.id = derive(key, "id", size=8)
        self._files = derive(key, "files")
        self._texts = AESGCM(derive(key, "texts"))
        self._names = AESSIV(derive(key, "names", size=64))

    def __repr__(self) -> str:
        """Return which key it is, which tells nothing of the key."""
        return f"Cipher({self.id.hex()})"

    # Files.

    def encrypt(self, data: bytes, name: str) -> bytes:
        """Return a file's bytes, encrypted; they can be read back under the same name only."""
        return b"".join(self.encrypt_stream([data], name))

    def decrypt(self, data: bytes, name: str) -> bytes:
        """Return the bytes that `encrypt` was given under this name.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``, saying whether the file was cut, changed, or put in the place of another.
        """
        return b"".join(self.decrypt_stream([data], name))

    def encrypt_stream(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Encrypt a file piece by piece."""
        salt = secrets.token_bytes(32)
        head = derive(self._files, "head", salt=salt)
        raw = _HEADER.pack(MAGIC, VERSION, self.id, salt, _tag_name(head, name))
        bond = hmac.digest(head, raw, hashlib.sha256)
        yield raw + bond
        body = AESGCM(derive(self._files, "body", salt=salt))
        for number, (chunk, is_last) in enumerate(_cut(chunks, CHUNK_BYTES)):
            yield body.encrypt(_count(number, is_last=is_last), chunk, bond)

    def decrypt_stream(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Decrypt a file piece by piece; what was given out is authentic, the file is whole when the iterator ends.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``, ``wrong_key``.
        """
        pieces = iter(_split_head(chunks))
        raw_head = next(pieces)
        header, bond = read_header(raw_head, name), raw_head[_HEADER.size :]
        if header.key_id != self.id:
            raise _describe_other_key(name)
        head = derive(self._files, "head", salt=header.salt)
        if not hmac.compare_digest(hmac.digest(head, header.raw, hashlib.sha256), bond):
            raise describe_damage(name, "was changed or damaged after it was written")
        if not hmac.compare_digest(_tag_name(head, name), header.name_tag):
            raise describe_damage(name, "holds what belongs under another name")
        body = AESGCM(derive(self._files, "body", salt=header.salt))
        for number, (piece, is_last) in enumerate(_cut(pieces, CHUNK_BYTES + TAG_BYTES)):
            try:
                chunk = body.decrypt(_count(number, is_last=is_last), piece, bond)
            except InvalidTag as error:
                raise describe_damage(name, _find_cause(body, number, piece, bond, is_last=is_last)) from error
            if is_last and number and not chunk:  # one file, one form
                raise describe_damage(name, "was changed or damaged after it was written")
            yield chunk

    # Texts and names.

    def encrypt_text(self, text: str) -> str:
        """Return a text of the catalog, encrypted: the same text gives another cipher each time.

        Notes
        -----
        Nonces are drawn at random; NIST SP 800-38D, section 8.3 allows 2^32 of them under one key.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        return _write(nonce + self._texts.encrypt(nonce, text.encode(), b"text"))

    def decrypt_text(self, text: str) -> str:
        """Return what `encrypt_text` was given.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``.
        """
        return _decrypt(
            lambda data: self._texts.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], b"text"), text
        ).decode()

    def encrypt_name(self, text: str) -> str:
        """Return a text encrypted so that the same text gives the same cipher and can be looked up."""
        return _write(self._names.encrypt(text.encode(), [b"name"])) if text else text

    def decrypt_name(self, text: str) -> str:
        """Return what `encrypt_name` was given.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``.
        """
        return _decrypt(lambda data: self._names.decrypt(data, [b"name"]), text).decode() if text else text

    def encrypt_digest(self, digest: str) -> str:
        """Return a SHA-256 (64 hexadecimal digits) as 64 other characters, the same for the same; another text as a name."""
        data = _read_digest(digest)
        return self.encrypt_name(digest) if data is None else _write(self._names.encrypt(data, [b"digest"]))

    def decrypt_digest(self, text: str) -> str:
        """Return what `encrypt_digest` was given.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``.
        """
        if len(text) != _DIGEST_CHARS:
            return self.decrypt_name(text)
        try:
            return _decrypt(lambda data: self._names.decrypt(data, [b"digest"]), text).hex()
        except SkiffError:  # a name whose cipher happens to have that length
            return self.decrypt_name(text)

    def encrypt_place(self, digest: str) -> str:
        """Return the name on the disk of an object: 96 hexadecimal digits."""
        return self._names.encrypt(bytes.fromhex(digest), [b"place"]).hex()

    def decrypt_place(self, place: str) -> str | None:
        """Return the digest whose name on the disk this is; None for any other name."""
        try:
            return self._names.decrypt(bytes.fromhex(place), [b"place"]).hex()
        except (InvalidTag, ValueError):
            return None

    def open_records(self, purpose: str) -> Records:
        """Return the cipher for the records of one purpose, under a key of their own."""
        return Records(derive(self._key, f"records {purpose}"))


class Records:
    """Encrypts small records, many of them, each bound to its place.

    Examples
    --------
    >>> records = Records(bytes(32))
    >>> kept = records.encrypt([(b"yes", b"row 1"), (b"no", b"row 2")])
    >>> records.decrypt(kept[0], b"row 1")
    b'yes'
    """

    def __init__(self, key: bytes) -> None:
        """Take the key."""
        self._cipher = AESGCM(key)

    def encrypt(self, records: list[tuple[bytes, bytes]]) -> list[str]:
        """Return records, each given with its place, encrypted."""
        drawn = secrets.token_bytes(NONCE_BYTES * len(records))  # one call of the system for all
        nonces = [drawn[start : start + NONCE_BYTES] for start in range(0, len(drawn), NONCE_BYTES)]
        encrypt, code = self._cipher.encrypt, binascii.b2a_base64  # a thousand rows are a thousand of each
        return [
            code(nonce + encrypt(nonce, data, place), newline=False).decode()
            for nonce, (data, place) in zip(nonces, records, strict=True)
        ]

    def decrypt(self, text: str, place: bytes) -> bytes:
        """Return one record.

        Raises
        ------
        SkiffError
            ``encrypted_damaged`` where it was changed, or is not the one of this place.
        """
        try:
            data = base64.b64decode(text, validate=True)
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], place)
        except (InvalidTag, ValueError, TypeError) as error:
            raise describe_damage("a record", "was changed, damaged or moved after it was written") from error


def read_header(data: bytes, name: str) -> Header:
    """Return what the head of an encrypted file says; nothing of it is proven yet.

    Raises
    ------
    SkiffError
        ``encrypted_damaged``, ``workspace_newer``.
    """
    if len(data) < HEADER_BYTES or not is_encrypted(data):
        cause = "was cut short" if is_encrypted(data) or not data else "is not encrypted, as it should be"
        raise describe_damage(name, cause)
    raw = data[: _HEADER.size]
    _, version, key_id, salt, name_tag = _HEADER.unpack(raw)
    if version != VERSION:
        raise SkiffError(
            "workspace_newer",
            what=f"The file {name} was encrypted by a newer Skiff (form {version}).",
            where={"file": name},
            fix="Update Skiff:  pip install --upgrade skiff-ml",
        )
    return Header(key_id=key_id, salt=salt, name_tag=name_tag, raw=raw)


def describe_damage(name: str, what: str) -> SkiffError:
    """Return the error for something encrypted that is not what was written."""
    return SkiffError(
        "encrypted_damaged",
        what=f"In this encrypted workspace, {name} {what}, so nothing of it is used.",
        where={"file": name},
        fix="Put it back from a backup (skiff restore), and find out who changed it.",
    )


def _describe_other_key(name: str) -> SkiffError:
    return SkiffError(
        "wrong_key",
        what=f"The file {name} was encrypted with the key of another workspace, or with one that was replaced.",
        where={"file": name},
        fix="Put back the file that belongs here from a backup of this workspace (skiff restore).",
    )


def _tag_name(key: bytes, name: str) -> bytes:
    return hmac.digest(key, b"name\0" + name.encode(), hashlib.sha256)[:16]


def _count(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(NONCE_BYTES - 1, "big") + (_LAST if is_last else _MORE)


def _find_cause(body: AESGCM, number: int, piece: bytes, bond: bytes, *, is_last: bool) -> str:
    """Return why a chunk does not fit: it is whole, but the end is missing or something was added, or it was changed."""
    try:
        body.decrypt(_count(number, is_last=not is_last), piece, bond)
    except InvalidTag:
        is_short = is_last and len(piece) < TAG_BYTES
        return "was cut short" if is_short else "was cut, changed or damaged after it was written"
    return "was cut short" if is_last else "is longer than it was written"


def _cut(chunks: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Yield pieces of exactly `size` bytes, the last one shorter or as long, with whether it is the last; at least one."""
    rest = b""
    for chunk in chunks:
        whole = rest + chunk if rest else chunk
        end = 0
        while len(whole) - end > size:  # one piece is held back: it may be the last
            yield whole[end : end + size], False
            end += size
        rest = whole[end:]
    yield rest, True


def _split_head(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the header, as much of it as there is, then the rest."""
    head, source = b"", iter(chunks)
    for chunk in source:
        head += chunk
        if len(head) >= HEADER_BYTES:
            break
    yield head[:HEADER_BYTES]
    if len(head) > HEADER_BYTES:
        yield head[HEADER_BYTES:]
    yield from source


def _read_digest(text: str) -> bytes | None:
    """Return the bytes of 64 small hexadecimal digits; None for any other text."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if len(data) == KEY_BYTES and data.hex() == text else None


def _write(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decrypt(decrypt: Callable[[bytes], bytes], text: str) -> bytes:
    try:
        return decrypt(base64.b64decode(text, altchars=b"-_", validate=True))
    except (InvalidTag, ValueError, TypeError) as error:
        raise describe_damage("a record of the catalog", "was changed or damaged after it was written") from error
