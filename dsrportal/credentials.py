"""A secret in, ciphertext out, and back; nobody else can. The only module that touches the keys of `CREDENTIAL_KEYS`.

AES-256-GCM. The context (what the text is, and whose) is authenticated with it: a ciphertext that is copied to another row or
another workspace does not open. It never returns a ciphertext where a text is due: what cannot be opened raises.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

KEY_ID_BYTES = 4
NONCE_BYTES = 12
WORD_DIGEST_BYTES = 16


class CannotDecryptError(Exception):
    """The text was sealed with a key that is no longer among `CREDENTIAL_KEYS`, for another context, or was altered."""


def seal(text: str, *, context: str) -> bytes:
    """Encrypt a text under the first key. The result holds the key's id (4 bytes), the nonce (12 bytes), and the ciphertext."""
    return seal_bytes(text.encode(), context=context)


def seal_bytes(content: bytes, *, context: str) -> bytes:
    """Encrypt bytes in the same way."""
    key_id, cipher = next(iter(_keyring(tuple(settings.CREDENTIAL_KEYS)).items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    return key_id + nonce + cipher.encrypt(nonce, content, context.encode())


def unseal(sealed: bytes | memoryview, *, context: str) -> str:
    """Decrypt what `seal` made for the same context. Raises `CannotDecryptError`."""
    try:
        return unseal_bytes(sealed, context=context).decode()
    except ValueError as error:
        raise CannotDecryptError("This was encrypted for something else, or was altered.") from error


def unseal_bytes(sealed: bytes | memoryview, *, context: str) -> bytes:
    """Decrypt what `seal_bytes` made for the same context. Raises `CannotDecryptError`."""
    sealed = bytes(sealed)  # PostgreSQL hands out a memoryview
    key_id, nonce = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
    cipher = _keyring(tuple(settings.CREDENTIAL_KEYS)).get(key_id)
    if cipher is None:
        raise CannotDecryptError("The key that encrypted this is not among CREDENTIAL_KEYS.")
    try:
        return cipher.decrypt(nonce, sealed[KEY_ID_BYTES + NONCE_BYTES :], context.encode())
    except (InvalidTag, ValueError) as error:
        raise CannotDecryptError("This was encrypted for something else, or was altered.") from error


def seal_fields(fields: Mapping[str, str], *, context: str) -> bytes:
    """Encrypt a small mapping of texts as one."""
    return seal(json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":")), context=context)


def unseal_fields(sealed: bytes | memoryview, *, context: str) -> dict[str, str]:
    """Decrypt what `seal_fields` made. Raises `CannotDecryptError`."""
    fields: dict[str, str] = json.loads(unseal(sealed, context=context))
    return fields


def is_sealed_with_first_key(sealed: bytes | memoryview) -> bool:
    """Whether `rotate_keys` has nothing left to do for this ciphertext."""
    return bytes(sealed)[:KEY_ID_BYTES] == next(iter(_keyring(tuple(settings.CREDENTIAL_KEYS))))


def new_search_key() -> str:
    """A random key for the word digests of one workspace. Kept sealed beside the workspace, so that it outlives a rotation."""
    return secrets.token_hex(32)


def digest_words(words: Iterable[str], *, search_key: str) -> list[bytes]:
    """Keyed hashes (16 bytes each) of words that are already normalised, in the same order."""
    key = bytes.fromhex(search_key)
    return [hmac.digest(key, word.encode(), "sha256")[:WORD_DIGEST_BYTES] for word in words]


@functools.lru_cache(maxsize=8)
def _keyring(keys: tuple[str, ...]) -> dict[bytes, AESGCM]:
    ring: dict[bytes, AESGCM] = {}
    for text in keys:
        raw = base64.urlsafe_b64decode(text)
        ring[hashlib.sha256(b"key id" + raw).digest()[:KEY_ID_BYTES]] = AESGCM(raw)
    return ring
