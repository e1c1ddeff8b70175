"""The door that bytes go through on their way to the disk and back: as they are, or encrypted.

Each part of the store is given a box. `Box` leaves everything as it is and costs nothing; `EncryptedBox` stands in its place in an
encrypted workspace (`skiff.store.unlock` says which). Names given here (``objects/…``, ``releases/0001/model.onnx``) are bound to the
bytes, so that one encrypted file cannot take the place of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from skiff.store.files import explained, read_bytes

if TYPE_CHECKING:  # the library of ciphers takes a twentieth of a second to load, and only encrypted workspaces need it
    from skiff.store.cipher import Cipher

CHUNK_BYTES = 1 << 20


class Box:
    """Leaves bytes, names and records as they are."""

    cipher: Cipher | None = None

    def close(self, data: bytes, name: str) -> bytes:
        """Return what is written to the disk for `data`."""
        del name
        return data

    def open(self, data: bytes, name: str) -> bytes:
        """Return the bytes that `close` was given."""
        del name
        return data

    def close_stream(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Do what `close` does piece by piece."""
        del name
        yield from chunks

    def open_stream(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Do what `open` does piece by piece."""
        del name
        yield from chunks

    def read(self, path: Path, name: str) -> bytes:
        """Return what a file holds; what the disk refuses is explained."""
        return self.open(read_bytes(path), name)

    def read_stream(self, path: Path, name: str) -> Iterator[bytes]:
        """Yield what a file holds, piece by piece."""
        return self.open_stream(read_chunks(path), name)

    def name_object(self, sha256: str) -> str:
        """Return the name on the disk of an object."""
        return sha256

    def read_object_name(self, name: str) -> str | None:
        """Return the hash of the object that has this name on the disk; None where it is none of ours."""
        return name

    def read_digest(self, kept: str) -> str:
        """Return a hash as the catalog keeps it."""
        return kept


class EncryptedBox(Box):
    """Encrypts on the way to the disk and decrypts on the way back.

    Parameters
    ----------
    cipher : Cipher
    """

    def __init__(self, cipher: Cipher) -> None:
        """Keep the cipher."""
        self.cipher: Cipher = cipher

    def close(self, data: bytes, name: str) -> bytes:
        """Return `data` encrypted under its name."""
        return self.cipher.encrypt(data, name)

    def open(self, data: bytes, name: str) -> bytes:
        """Return `data` decrypted.

        Raises
        ------
        SkiffError
            ``encrypted_damaged``, ``wrong_key``.
        """
        return self.cipher.decrypt(data, name)

    def close_stream(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Encrypt piece by piece."""
        return self.cipher.encrypt_stream(chunks, name)

    def open_stream(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """Decrypt piece by piece."""
        return self.cipher.decrypt_stream(chunks, name)

    def name_object(self, sha256: str) -> str:
        """Return a name from which nobody without the key can tell the hash, nor confirm a guess of it."""
        return self.cipher.encrypt_place(sha256)

    def read_object_name(self, name: str) -> str | None:
        """Return the hash that was encrypted into a name."""
        return self.cipher.decrypt_place(name)

    def read_digest(self, kept: str) -> str:
        """Return a hash of the catalog, decrypted."""
        return self.cipher.decrypt_digest(kept)


PLAIN = Box()


def read_chunks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes, piece by piece."""
    with explained(path), path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
