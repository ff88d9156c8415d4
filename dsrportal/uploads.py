"""How uploaded files are taken in: in memory alone, never on the disk, and of what is too large nothing but its size. Django calls it for every post."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler

LARGEST_POST = 20 * 1024 * 1024
"""Bytes of all files of one post together; what a message takes (`actions.drafts`)."""


class BoundedUploadHandler(FileUploadHandler):
    """Keeps the files of one post in memory up to 20 MB together. A file that goes beyond comes out empty, with its true size, so that the form can say
    so and the rest of what was typed is not lost."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pieces: list[bytes] = []
        self._left = LARGEST_POST
        self._is_over = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        self._pieces, self._is_over = [], False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002  Django's signature
        """Keep a piece, while there is room."""
        self._left -= len(raw_data)
        if self._left < 0:
            self._pieces, self._is_over = [], True
        if not self._is_over:
            self._pieces.append(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """The file as the form gets it."""
        content = io.BytesIO(b"".join(self._pieces))
        self._pieces = []
        return InMemoryUploadedFile(
            file=content,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
