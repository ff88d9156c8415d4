"""Carries faults out: before a call (the query, or an answer in its place) and after it (the answer's bytes and their delivery).

Called by server.py for a call that has a fault. Changes no state: whether the call was carried out is the server's to know.
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dsrportal.sandbox.calls import Answer, RefusalError, refusal_answer
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.wire import Delivery, Reply

_LOGIN_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><title>Sign in</title></head>'
    '<body><form method="post"><input name="user"><input name="password" type="password"></form></body></html>'
)
_REPLACED = frozenset(
    {
        "status",
        "refuse",
        "redirect",
        "login_page",
        "empty",
        "garbage_json",
        "gzip_bomb",
        "bad_gzip",
        "reset",
        "close_without_answer",
    }
)
_DELIVERIES: dict[str, Delivery] = {
    "reset": "reset",
    "close_without_answer": "close",
    "applied_then_cut": "close",
    "truncate": "truncate",
    "cut_chunked": "cut_chunked",
    "drip_body": "drip_body",
    "drip_headers": "drip_headers",
}
_LISTS = frozenset({"empty_page", "duplicate_ids", "bad_total", "mutate_rows", "mutate_envelope"})
_HTML = ("Content-Type", "text/html; charset=utf-8")
_JSON = ("Content-Type", "application/json; charset=utf-8")
_GZIP = ("Content-Encoding", "gzip")
# Kind -> status, body, headers
_CANNED: dict[str, tuple[int, bytes, tuple[tuple[str, str], ...]]] = {
    "login_page": (200, _LOGIN_PAGE.encode(), (_HTML,)),
    "garbage_json": (200, b'{"items":[{"id":1,,}', (_JSON,)),
    "bad_gzip": (200, b'{"items":[],"total":0}', (_JSON, _GZIP)),
    "reset": (200, b'{"items":[{"id":', (_JSON,)),
    "close_without_answer": (200, b"", ()),
}


def prevents(fault: Fault) -> bool:
    """Whether the call is answered without being carried out."""
    return fault.kind in _REPLACED


def replacement(fault: Fault) -> Answer:
    """What is answered instead of carrying the call out."""
    if fault.kind in _CANNED:
        status, body, headers = _CANNED[fault.kind]
        return Answer(status=status, body=body, headers=list(headers))
    if fault.kind == "refuse":
        return refusal_answer(RefusalError(fault.status or 400, fault.reason), style="problem")
    if fault.kind == "redirect":
        return Answer(status=fault.status or 302, headers=[("Location", fault.to)])
    if fault.kind == "empty":
        return Answer(status=fault.status or 200)
    if fault.kind == "gzip_bomb":
        return Answer(body=b"".join(_bomb(fault.size)), headers=[_JSON, _GZIP])
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body
    headers = fault.headers
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers = (*headers, ("Content-Type", "text/plain; charset=utf-8"))
    return Answer(status=fault.status or 500, body=body, headers=list(headers))


def _bomb(size: int) -> Iterator[bytes]:
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = b" " * 65_536
    for _ in range(max(size, 50_000_000) // len(block)):
        yield packer.compress(block)
    yield packer.flush()


def rewritten(query: str, *, fault: Fault) -> str:
    """The query string as a server would read it that ignores what it was asked."""
    forced = {"ignored_size": {"size": str(fault.size)}, "same_page": {"page": "1"}}.get(fault.kind)
    if forced is None:
        return query
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name.lower() not in forced]
    return urlencode([*kept, *forced.items()])


def spoiled(answer: Answer, *, fault: Fault) -> Reply:
    """The true answer of a call that was carried out (or its replacement), spoiled and on its way."""
    if fault.kind == "applied_then_500":
        answer = Answer(status=500, body=b"Internal Server Error", headers=[("Content-Type", "text/plain")])
    elif fault.kind == "bom":
        answer.body = b"\xef\xbb\xbf" + answer.body
    elif fault.kind == "wrong_charset":
        answer.body = answer.body.decode().encode(fault.charset, "replace")
        _relabel(answer, f"application/json; charset={fault.label}")
    elif fault.kind == "replace_text":
        answer.body = answer.body.replace(fault.old.encode(), fault.new.encode())
    elif fault.kind in _LISTS:
        answer.body = _lying(json.loads(answer.body), fault=fault) if answer.body else b""
    return Reply(
        answer=answer,
        delivery=_DELIVERIES.get(fault.kind, "whole"),
        seconds=fault.seconds if fault.kind in {"slow", "drip_body", "drip_headers"} else 0.0,
    )


def _relabel(answer: Answer, content_type: str) -> None:
    answer.headers = [(name, value) for name, value in answer.headers if name.lower() != "content-type"]
    answer.headers.append(("Content-Type", content_type))


def _lying(value: Any, *, fault: Fault) -> bytes:
    if fault.kind == "mutate_envelope":
        value = _changed(value, fault=fault)
    elif isinstance(value, dict) and isinstance(value.get("items"), list):
        _lie_in_list(value, fault=fault)
    elif fault.kind == "mutate_rows" and (
        fault.ids is None or (isinstance(value, dict) and value.get("id") in fault.ids)
    ):
        value = _changed(value, fault=fault)
    # Lone surrogates and NaN are served as asked: escaped the one, bare the other.
    return json.dumps(value, separators=(",", ":")).encode()


def _lie_in_list(envelope: dict[str, Any], *, fault: Fault) -> None:
    items = envelope["items"]
    if fault.kind == "empty_page":
        envelope["items"] = []
    elif fault.kind == "bad_total":
        envelope["total"] = fault.total
    elif fault.kind == "duplicate_ids":
        envelope["items"] = items[:1] + items[:-1]
    elif fault.kind == "mutate_rows":
        envelope["items"] = [
            _changed(row, fault=fault) if fault.ids is None or row.get("id") in fault.ids else row for row in items
        ]


def _changed(value: Any, *, fault: Fault) -> Any:
    if fault.mutate is not None:
        return fault.mutate(value)
    if not isinstance(value, dict):
        return value
    return {name: kept for name, kept in (value | (fault.merge or {})).items() if name not in fault.drop}
