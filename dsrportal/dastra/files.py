"""Files to and from Dastra: a download that is handed on as it comes, and the body of an upload. Used by `transport.py` alone.

Nothing of a file is kept here, on disk or in memory, beyond the piece that is on its way.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import ExitStack

import requests
from urllib3 import exceptions as urllib3_errors
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from .connections import Exchange, meaning_of
from .errors import AnswerCut, AnswerTooLarge, DastraError

LARGEST_FILE = 50 * 1024 * 1024
"""What Dastra's own screens take."""
DOWNLOAD_SECONDS = 300.0
UPLOAD_SECONDS = 30.0
_CHUNK = 64 * 1024


class Download:
    """A file on its way. Iterate once: at its end, or where it breaks, the connection is dropped. Whoever does not come so far calls `close()`,
    which may be called twice and at any moment.

    `length` is its size in bytes where the server says it, `content_type` what the server calls it: a claim, nothing more.
    Iterating raises DastraError: what came before is then only a part of the file.
    """

    def __init__(self, response: requests.Response, *, exchange: Exchange) -> None:
        found = response.raw.headers
        self._exchange, self._response = exchange, response
        self._held = ExitStack()
        is_plain = (found.get("Content-Encoding") or "identity").strip().lower() == "identity"
        length = found.get("Content-Length") or ""
        self.length = int(length) if is_plain and length.isascii() and length.isdecimal() else None
        self.content_type = (found.get("Content-Type") or "").partition(";")[0].strip().lower()
        if self.length is not None and self.length > LARGEST_FILE:
            raise AnswerTooLarge
        self._pieces = self._all()
        self._first = next(self._pieces, b"")  # so that a file which does not even begin is an error, not an empty file

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._first:
                yield self._first
            yield from self._pieces
        finally:
            self.close()

    def hold(self, held: ExitStack) -> None:
        """Keep what the download comes through until it is closed."""
        self._held = held

    def close(self) -> None:
        """Drop the connection."""
        self._held.close()

    def _all(self) -> Iterator[bytes]:
        size = 0
        problem: DastraError
        try:
            for piece in self._response.raw.stream(_CHUNK, decode_content=True):
                size += len(piece)
                if size > LARGEST_FILE:
                    raise AnswerTooLarge
                self._exchange.seconds_left()
                if piece:
                    yield piece
        except (requests.RequestException, urllib3_errors.HTTPError, http.client.HTTPException, OSError) as error:
            problem = meaning_of(error, exchange=self._exchange)
        else:
            if self.length is None or self.length == size:
                return
            problem = AnswerCut()
        raise problem


def multipart(*, name: str, content: bytes, part: str) -> tuple[bytes, str]:
    """The body of an upload of one file, and its content type. The file's own type is not claimed: nobody has looked into it."""
    field = RequestField(name=part, data=content, filename=name)
    field.make_multipart(content_type="application/octet-stream")
    body, content_type = encode_multipart_formdata([field])
    return body, content_type
