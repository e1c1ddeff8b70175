"""What reading a zip that is damaged, cut or packed in an unusual way raises."""

from __future__ import annotations

import lzma
import zipfile
import zlib

DAMAGED = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,  # a flipped bit inside a packed file shows before its checksum is reached
    lzma.LZMAError,
    NotImplementedError,  # a way of packing that Python does not know
    RuntimeError,  # a password
    EOFError,
)
