"""One object of Dastra's JSON, read field by field: what is odd becomes a note, never an exception, except its id.

Called by `reading.py`. Notes name the field and the oddity, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from . import values
from .values import BadValueError

Value = TypeVar("Value")

_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)


class BadRowError(Exception):
    """A row that cannot be used. `reason` names the field, never a value."""

    def __init__(self, reason: str, *, upstream_id: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.upstream_id = upstream_id


class Row:
    """Reads fields by Dastra's names; a name in another case is found too, and noted."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        self.notes: list[str] = []
        self._folded: dict[str, str] | None = None
        self._read: set[str] = set()

    def get(self, name: str) -> Any:
        """The value as it is; None where it is null or absent."""
        self._read.add(name)
        if name in self.raw:
            return self.raw[name]
        if self._folded is None:
            self._folded = {key.lower(): key for key in self.raw}
        other = self._folded.get(name.lower())
        if other is None:
            return None
        self._read.add(other)
        self.notes.append(f"{name}: written in another case")
        return self.raw[other]

    def has(self, name: str) -> bool:
        return name in self.raw or (self._folded is not None and name.lower() in self._folded)

    def identifier(self) -> int:
        """The row's own id. Raises BadRowError."""
        try:
            return values.identifier(self.get("id"))
        except BadValueError as problem:
            raise BadRowError(f"id: {problem}") from None

    def reference(self, name: str) -> int | None:
        """Another object's id."""
        return self._value(name, values.identifier, default=None)

    def uuid(self, name: str) -> str:
        """A UUID, or ""."""
        return self._value(name, values.uuid, default="")

    def text(self, name: str) -> str:
        value = self.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            self.notes.append(f"{name}: a number, not a text")
        return self._checked(name, value, values.text, default="")

    def flag(self, name: str) -> bool:
        return self._value(name, values.flag, default=False)

    def count(self, name: str) -> int:
        return self._value(name, values.whole_number, default=0)

    def number(self, name: str) -> int | None:
        return self._value(name, values.whole_number, default=None)

    def instant(self, name: str) -> Any:
        return self._value(name, values.instant, default=None)

    def color(self, name: str) -> str:
        return self._checked(name, self.get(name) or None, values.color, default="")

    def nested(self, name: str, read: Callable[[Row], Value]) -> Value | None:
        """An object inside this one; set aside with a note when it is none or has no id."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.notes.append(f"{name}: not an object")
            return None
        return self._inner(name, value, read)

    def nested_all(self, name: str, read: Callable[[Row], Value]) -> tuple[Value, ...]:
        """Objects of a list inside this one; each bad one is set aside with a note."""
        found: list[Value] = []
        for entry in self._list(name):
            if not isinstance(entry, dict):
                self.notes.append(f"{name}: an entry is not an object")
                continue
            inner = self._inner(name, entry, read)
            if inner is not None:
                found.append(inner)
        return tuple(found)

    def words(self, name: str) -> tuple[str, ...]:
        """Texts of a list, in order, each once. A single text counts as a list of one, and is noted."""
        value = self.get(name)
        if isinstance(value, str):
            self.notes.append(f"{name}: a text, not a list")
            return (values.text(value),) if value else ()
        found: dict[str, None] = {}
        for entry in self._list(name):
            try:
                found[values.text(entry)] = None
            except BadValueError as problem:
                self.notes.append(f"{name}: an entry is {problem}")
        return tuple(found)

    def note_unknown(self, *, known: frozenset[str]) -> None:
        """Notes fields that neither generation documents."""
        for name in self.raw:
            if name not in known and name not in self._read:
                shown = name if _PLAIN_NAME.fullmatch(name) else "a field with an odd name"
                self.notes.append(f"{shown}: unknown field")

    def drift(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.notes))

    def _inner(self, name: str, raw: Mapping[str, Any], read: Callable[[Row], Value]) -> Value | None:
        row = Row(raw)
        try:
            return read(row)
        except BadRowError as problem:
            row.notes.append(problem.reason)
            return None
        finally:
            self.notes.extend(f"{name}.{note}" for note in row.notes)

    def _list(self, name: str) -> list[Any]:
        value = self.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.notes.append(f"{name}: not a list")
            return []
        return value

    def _value(self, name: str, convert: Callable[[object], Value], *, default: Value) -> Value:
        return self._checked(name, self.get(name), convert, default=default)

    def _checked(self, name: str, value: object, convert: Callable[[object], Value], *, default: Value) -> Value:
        if value is None:
            return default
        try:
            return convert(value)
        except BadValueError as problem:
            self.notes.append(f"{name}: {problem}")
            return default
