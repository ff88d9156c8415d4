"""How words of a person's identity are made comparable, so that a search finds them by keyed hashes.

Used by the mirror (when a row is stored) and by whoever searches (the same words, made in the same way). Keeps and logs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

SHORTEST_WORD = 2
LONGEST_WORD = 320
MOST_WORDS = 200
IDENTITY_FIELDS = ("title", "given_name", "family_name", "email")

_BREAKS = re.compile(r"[\W_]+")


def normalise(text: str) -> str:
    """Case, accents and compatibility forms taken away: `Éloïse` and `ELOISE` are one."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", "".join(mark for mark in folded if not unicodedata.combining(mark)))


def words_of_text(text: str) -> list[str]:
    """The normalised words of a text, in order, each once; words shorter than two characters are left out."""
    words = (word[:LONGEST_WORD] for word in _BREAKS.split(normalise(text)))
    return list(dict.fromkeys(word for word in words if len(word) >= SHORTEST_WORD))


def email_word(address: str) -> str:
    """The whole address as one word; "" where there is none."""
    return normalise(address.strip())[:LONGEST_WORD]


def words_of(fields: Mapping[str, str]) -> list[str]:
    """All words by which a request is found: those of `title`, `given_name` and `family_name`, and `email` as a whole; 200 at most."""
    names = " ".join(fields.get(name, "") for name in ("title", "given_name", "family_name"))
    address = email_word(fields.get("email", ""))
    words = [address, *words_of_text(names)] if address else words_of_text(names)
    return list(dict.fromkeys(words))[:MOST_WORDS]
