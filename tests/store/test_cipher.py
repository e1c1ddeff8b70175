"""The cipher: published vectors, round trips, and everything that must be refused."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from skiff.core.errors import SkiffError
from skiff.store.cipher import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES, Cipher, Records, is_encrypted
from skiff.store.vault import _stretch_once

CIPHER = Cipher(bytes(range(32)))
NAME = "objects/" + "a" * 64
EDGES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7)

FROZEN = (
    "U0tJRkZFTkMBchZpoSs6LV58R9yZTmyNl1asSGGJankq5GS7LBA4xkeKzJk5tNZIc+l82z7Vfb/+JaDHt17uBdQtEc/fybLsnhTr"
    "4eMPtuTAMDtCe9mWefwUMqS+eEefegLewHCwuvISzDsas13xK+62m6rKImsK3Wnq5NACfhlWRC0/z0Lu4qTtXjSU"
)
"""What the first version wrote for b"Allen Miss. Elisabeth Walton" as `NAME` under this key: every later one must read it."""


def test_aes_256_gcm_is_that_of_the_specification() -> None:
    # McGrew & Viega, "The Galois/Counter Mode of Operation", appendix B, test case 14
    made = AESGCM(bytes(32)).encrypt(bytes(12), bytes(16), None)
    assert made.hex() == "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919"


def test_hkdf_is_that_of_rfc_5869() -> None:
    made = HKDF(hashes.SHA256(), 42, bytes(range(13)), bytes(range(0xF0, 0xFA))).derive(b"\x0b" * 22)  # appendix A.1
    assert made.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_scrypt_is_that_of_rfc_7914() -> None:
    # Section 12; the first 32 of its 64 bytes, which PBKDF2 gives alone as well.
    assert _stretch_once(b"", b"", 16, 1, 1).hex() == "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
    made = _stretch_once(b"password", b"NaCl", 1024, 8, 16)
    assert made.hex() == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"


def test_aes_siv_is_that_of_rfc_5297() -> None:
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")  # appendix A.1
    said = [bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")]
    made = AESSIV(key).encrypt(bytes.fromhex("112233445566778899aabbccddee"), said)
    assert made.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"


def test_what_the_first_version_wrote_is_read() -> None:
    assert CIPHER.decrypt(base64.b64decode(FROZEN), NAME) == b"Allen Miss. Elisabeth Walton"


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=500), pieces=st.lists(st.integers(1, 200), max_size=8), name=st.text(max_size=30))
def test_any_bytes_come_back_however_they_are_cut_into_pieces(data: bytes, pieces: list[int], name: str) -> None:
    def cut(whole: bytes) -> list[bytes]:
        parts, start = [], 0
        for size in pieces:
            parts.append(whole[start : start + size])
            start += size
        return [*parts, whole[start:]]

    made = b"".join(CIPHER.encrypt_stream(cut(data), name))
    assert is_encrypted(made)
    assert len(made) == HEADER_BYTES + len(data) + TAG_BYTES
    assert b"".join(CIPHER.decrypt_stream(cut(made), name)) == data


@pytest.mark.parametrize("size", EDGES)
def test_sizes_around_the_ends_of_chunks_come_back_and_no_shorter_file_does(size: int) -> None:
    data = bytes(size % 251 for size in range(size))
    made = CIPHER.encrypt(data, NAME)
    assert CIPHER.decrypt(made, NAME) == data
    steps = {*range(0, len(made), 4_099), HEADER_BYTES, *(len(made) - left for left in (1, 15, 16, 17))}
    steps |= {HEADER_BYTES + n * (CHUNK_BYTES + TAG_BYTES) for n in range(1, 1 + size // CHUNK_BYTES)}
    for end in sorted(step for step in steps if 0 <= step < len(made)):
        with pytest.raises(SkiffError) as caught:
            CIPHER.decrypt(made[:end], NAME)
        assert caught.value.code == "encrypted_damaged"
    with pytest.raises(SkiffError):
        CIPHER.decrypt(made + b"\0", NAME)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7), size=st.sampled_from([0, 5, 300]))
def test_no_flipped_bit_is_taken(place: int, bit: int, size: int) -> None:
    made = bytearray(CIPHER.encrypt(bytes(size), NAME))
    made[place % len(made)] ^= 1 << bit
    with pytest.raises(SkiffError) as caught:
        CIPHER.decrypt(bytes(made), NAME)
    assert caught.value.code in {"encrypted_damaged", "workspace_newer", "wrong_key"}
    assert NAME in caught.value.what


def test_truncation_swap_and_another_key_are_named() -> None:
    step = CHUNK_BYTES + TAG_BYTES
    made = CIPHER.encrypt(bytes(3 * CHUNK_BYTES), NAME)

    def why(data: bytes, name: str = NAME, cipher: Cipher = CIPHER) -> str:
        with pytest.raises(SkiffError) as caught:
            cipher.decrypt(data, name)
        return caught.value.what

    assert "was cut short" in why(made[: HEADER_BYTES + 2 * step])
    assert "was cut short" in why(made[:40])
    assert "is longer" in why(made + bytes(step))
    assert "belongs under another name" in why(made, "objects/" + "b" * 64)
    assert "another workspace" in why(made, cipher=Cipher(bytes(32)))
    assert "is not encrypted" in why(b"PAR1" + bytes(200))
    swapped = (
        made[:HEADER_BYTES]
        + made[HEADER_BYTES + step : HEADER_BYTES + 2 * step]
        + made[HEADER_BYTES : HEADER_BYTES + step]
    )
    assert "changed" in why(swapped + made[HEADER_BYTES + 2 * step :])
    other = CIPHER.encrypt(bytes(3 * CHUNK_BYTES), NAME)
    assert "changed" in why(made[:HEADER_BYTES] + other[HEADER_BYTES:])  # the body of another file of the same name


@given(text=st.text(max_size=200))
def test_texts_and_names_come_back(text: str) -> None:
    assert CIPHER.decrypt_text(CIPHER.encrypt_text(text)) == text
    assert CIPHER.decrypt_name(CIPHER.encrypt_name(text)) == text
    assert CIPHER.decrypt_digest(CIPHER.encrypt_digest(text)) == text


@given(digest=st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_digests_are_as_long_as_before_and_found_again(digest: str) -> None:
    kept = CIPHER.encrypt_digest(digest)
    assert len(kept) == 64
    assert kept == CIPHER.encrypt_digest(digest)
    assert CIPHER.decrypt_digest(kept) == digest
    place = CIPHER.encrypt_place(digest)
    assert CIPHER.decrypt_place(place) == digest
    assert digest not in place
    assert CIPHER.decrypt_place(digest) is None


def test_equal_texts_do_not_look_equal_and_equal_names_do() -> None:
    assert CIPHER.encrypt_text("yes") != CIPHER.encrypt_text("yes")
    assert CIPHER.encrypt_name("yes") == CIPHER.encrypt_name("yes")
    assert CIPHER.encrypt_name("yes") != Cipher(bytes(32)).encrypt_name("yes")


def test_a_record_is_refused_in_any_other_place() -> None:
    records = Records(bytes(32))
    first, second = records.encrypt([(b"yes", b"1"), (b"yes", b"2")])
    assert first != second
    assert records.decrypt(first, b"1") == b"yes"
    for kept, place in ((first, b"2"), (second, b"1"), (first[:-4], b"1"), ("?", b"1"), ("", b"1")):
        with pytest.raises(SkiffError) as caught:
            records.decrypt(kept, place)
        assert caught.value.code == "encrypted_damaged"


def test_a_cipher_shows_no_key() -> None:
    assert repr(CIPHER) == f"Cipher({CIPHER.id.hex()})"
