"""Pack the name lists of Faker (MIT) into ``src/skiff/data/personal/names_packed.py``.

Run once in an environment that has ``faker``:  python tools/pack_names.py
Faker is needed only here: Skiff ships the packed lists with Faker's licence notice and never imports it.
"""

from __future__ import annotations

import base64
import importlib
import lzma
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from faker.providers import address, lorem, person

from skiff.data.personal.folding import fold

OUTPUT = Path(__file__).parent.parent / "src/skiff/data/personal/names_packed.py"
WORD_LOCALES = ("en_US", "de_DE", "fr_FR", "es_ES", "nl_NL", "pl_PL", "it_IT", "pt_BR", "de_AT")
"""Locales whose filler text is made of everyday words; the others fall back on Latin."""

HEADER = '''"""First names, last names, everyday words and places, packed by ``tools/pack_names.py``; not written by hand.

From the locale files of Faker, https://github.com/joke2k/faker, under the MIT License:
Copyright (c) 2012 Daniele Faraglia. Permission is hereby granted, free of charge, to any person obtaining a copy of this
software and associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions: The
above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

PACKED = """
'''


def list_providers(package: object) -> Iterator[tuple[str, type]]:
    """Yield each locale's provider."""
    for module in pkgutil.iter_modules(package.__path__):  # type: ignore[attr-defined]
        yield module.name, importlib.import_module(f"{package.__name__}.{module.name}").Provider  # type: ignore[attr-defined]


def gather(package: object, pattern: str, locales: tuple[str, ...] = ()) -> set[str]:
    """Return the folded words of every attribute whose name fits `pattern`."""
    found: set[str] = set()
    for locale, provider in list_providers(package):
        if locales and locale not in locales:
            continue
        for name in vars(provider):
            if re.match(pattern, name) and isinstance(getattr(provider, name), (tuple, list, dict)):
                for item in getattr(provider, name):
                    words = item if isinstance(item, (tuple, list)) else (item,)
                    found.update(fold(word).strip() for word in words if isinstance(word, str))
    return {word for word in found if len(word) > (2 if word.isascii() else 0) and not re.search(r"[{}\d\n]", word)}


def front_code(words: set[str]) -> str:
    """Return sorted words, each as the count of letters shared with the one before (0–9) and the rest."""
    lines, before = [], ""
    for word in sorted(words):
        shared = 0
        while shared < min(len(before), len(word), 9) and before[shared] == word[shared]:
            shared += 1
        lines.append(f"{shared}{word[shared:]}")
        before = word
    return "\n".join(lines)


def main() -> None:
    """Write the module."""
    lists = (
        gather(person, r"\w*first_name|\w*given|\w*romanized_first"),
        gather(person, r"\w*last_name|\w*family|\w*surname"),
        gather(lorem, "word_list", WORD_LOCALES),
        gather(address, r"countries$|states$|provinces$"),
    )
    packed = lzma.compress("\n\n".join(map(front_code, lists)).encode(), preset=9 | lzma.PRESET_EXTREME)
    text = base64.b64encode(packed).decode()
    lines = "\n".join(text[at : at + 116] for at in range(0, len(text), 116))
    OUTPUT.write_text(f'{HEADER}{lines}\n"""\n', encoding="utf-8")
    print([len(item) for item in lists], OUTPUT.stat().st_size)


if __name__ == "__main__":
    main()
