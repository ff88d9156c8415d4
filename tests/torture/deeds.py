"""What people do in Dastra's own screens, and what goes wrong on the way there: the vocabulary of a sequence. Used by `world.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dsrportal.sandbox.calls import RefusalError
from dsrportal.sandbox.faults import Fault
from dsrportal.sandbox.store import Workspace as DastraWorkspace

MOST_REQUESTS = 12
MOST_STEPS = 9
LISTS = r"DataSubjectRequests\?"
ONE = r"DataSubjectRequests/\d+"
WRITES = r"^POST"
NEIGHBOURS = r"Workflows|Tags|Users|Areas"
ANYWHERE = r""

KINDS = (
    "create",
    "edit",
    "edit",
    "move",
    "move",
    "archive",
    "restore",
    "anonymise",
    "delete",
    "write",
    "add_step",
    "delete_step",
    "rename_step",
)


def act(dastra: DastraWorkspace, kind: str, *, n: int, m: int, nonce: int) -> None:
    """One act on request number `n` (counted round) of those there are; what Dastra refuses is not done. `nonce` makes texts new."""
    ids = sorted(dastra.records)
    if kind == "create":
        if len(ids) < MOST_REQUESTS:
            area = sorted(dastra.areas)[m % len(dastra.areas)]
            given = f"Person{nonce}"
            dastra.create(
                title=f"Request {nonce}",
                givenName=given,
                areaId=area,
                purposes=["Access"],
                email=f"{given}@example.org",
            )
        return
    if kind in {"add_step", "delete_step", "rename_step"}:
        _act_on_steps(dastra, kind, m=m, nonce=nonce)
    elif ids:
        _act_on_request(dastra, kind, upstream_id=ids[n % len(ids)], m=m, nonce=nonce)


def _act_on_steps(dastra: DastraWorkspace, kind: str, *, m: int, nonce: int) -> None:
    steps = dastra.ordered_steps()
    step = steps[m % len(steps)]
    if kind == "add_step" and len(steps) < MOST_STEPS:
        dastra.add_step(f"Step {nonce}", mapped_state=("Processing", "Open")[m % 2])
    elif kind == "rename_step":
        dastra.edit_step(step["id"], label=f"Step {nonce}")
    elif kind == "delete_step":
        same = [one for one in steps if one["mappedState"] == step["mappedState"]]
        if len(same) > 1:
            dastra.delete_step(step["id"])


def _act_on_request(dastra: DastraWorkspace, kind: str, *, upstream_id: int, m: int, nonce: int) -> None:
    if kind == "edit":
        changes: dict[str, Any] = (
            {"complex": not dastra.record(upstream_id).fields["complex"]},
            {"operatorId": sorted(dastra.users)[m % len(dastra.users)]},
            {"tagIds": sorted(dastra.tags)[: m % 3]},
            {"title": f"Edited {nonce}"},
            {"givenName": f"Person{nonce}", "email": f"person{nonce}@example.org"},
        )[m % 5]
        dastra.edit(upstream_id, **changes)
    elif kind == "move":
        dastra.move(upstream_id, dastra.ordered_steps()[m % len(dastra.steps)]["id"])
    elif kind == "write":
        dastra.write(upstream_id, "A question.")
    else:
        getattr(dastra, kind)(upstream_id)


def _status(status: int, *headers: tuple[str, str]) -> Callable[..., Fault]:
    return lambda **where: Fault(kind="status", status=status, headers=headers, **where)


def _kind(kind: Any, **more: Any) -> Callable[..., Fault]:
    return lambda **where: Fault(kind=kind, **more, **where)


# Name -> how to make it, and where it may strike. A lying 404 of one request is not among them: it is the one answer that is believed.
FAULTS: dict[str, tuple[Callable[..., Fault], tuple[str, ...]]] = {
    "500": (_status(500), (ANYWHERE, LISTS, ONE, WRITES, NEIGHBOURS)),
    "502": (_status(502), (ANYWHERE, LISTS, WRITES)),
    "503 with Retry-After": (_status(503, ("Retry-After", "0")), (ANYWHERE, LISTS, WRITES)),
    "429": (_status(429, ("Retry-After", "0")), (ANYWHERE, LISTS, ONE, WRITES)),
    "401": (_status(401), (ANYWHERE, LISTS, ONE)),
    "403": (_status(403), (ANYWHERE, LISTS, ONE, NEIGHBOURS)),
    "404 of lists": (_status(404), (LISTS, NEIGHBOURS)),
    "409": (_kind("refuse", status=409), (WRITES, ONE)),
    "redirect": (_kind("redirect"), (ANYWHERE, LISTS, ONE, WRITES)),
    "login page": (_kind("login_page"), (ANYWHERE, LISTS, ONE, WRITES)),
    "empty answer": (_kind("empty"), (LISTS, ONE, NEIGHBOURS)),
    "garbage": (_kind("garbage_json"), (LISTS, ONE, NEIGHBOURS)),
    "bad gzip": (_kind("bad_gzip"), (LISTS, ONE)),
    "reset": (_kind("reset"), (ANYWHERE, LISTS, ONE, WRITES)),
    "closed without answer": (_kind("close_without_answer"), (ANYWHERE, LISTS, ONE, WRITES)),
    "truncated": (_kind("truncate"), (LISTS, ONE, WRITES)),
    "applied then 500": (_kind("applied_then_500"), (WRITES, LISTS)),
    "applied then cut": (_kind("applied_then_cut"), (WRITES, LISTS)),
    "byte order mark": (_kind("bom"), (LISTS, ONE)),
    "size ignored": (_kind("ignored_size", size=2), (LISTS,)),
    "same page": (_kind("same_page"), (LISTS,)),
    "empty page": (_kind("empty_page"), (LISTS,)),
    "doubled row": (_kind("duplicate_ids"), (LISTS,)),
    "total 0": (_kind("bad_total", total=0), (LISTS,)),
    "total 999": (_kind("bad_total", total=999), (LISTS,)),
    "total absent": (_kind("bad_total", total=None), (LISTS,)),
    "total a word": (_kind("bad_total", total="many"), (LISTS,)),
    "lists say that there is nothing": (_kind("mutate_envelope", merge={"items": [], "total": 0}), (LISTS,)),
    "row without id": (_kind("mutate_rows", merge={"id": None}), (LISTS,)),
    "row with a number that is none": (_kind("mutate_rows", merge={"nbMessages": float("nan")}), (LISTS, ONE)),
}


def place_of(name: str, match: str) -> int:
    """The number of a place where a fault may strike."""
    return FAULTS[name][1].index(match)


POISON = {"row without id", "row with a number that is none"}


def refused(deed: Callable[[], None]) -> bool:
    """Do something in Dastra; whether it was refused."""
    try:
        deed()
    except RefusalError:
        return True
    return False
