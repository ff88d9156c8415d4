"""Whether a person has asked before: other requests under the same e-mail address, found by its keyed hash. Called by the request's page and by the form
of a new one, for who may see identities; the address is neither kept nor logged here.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import ngettext

from dsrportal import credentials, identity
from dsrportal.clocks import day_of
from dsrportal.models import DataSubjectRequest, Workspace
from dsrportal.queries.clockmark import long_day

MOST_LINKS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """One other request of the same address: its reference, its address in the portal, the day of receipt in words."""

    reference: str
    url: str
    day: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeats:
    """How many others there are, in words (empty: none), and the newest of them."""

    text: str = ""
    others: tuple[Other, ...] = ()


def of_email(workspace: Workspace, *, email: str, but: int = 0) -> Repeats:
    """The other requests of this address, live and archived, without the row `but`. Two queries; none without an address."""
    word = identity.email_word(email) if "@" in email else ""
    if not word:
        return Repeats()
    try:
        digest = credentials.digest_words([word], search_key=workspace.read_search_key())[0]
    except credentials.CannotDecryptError:
        return Repeats()
    found = DataSubjectRequest.objects.filter(workspace=workspace, words__digest=digest).exclude(pk=but)
    count = found.count()
    if not count:
        return Repeats()
    zone = ZoneInfo(workspace.time_zone)
    rows = found.order_by("-received_at", "-pk").values_list("upstream_id", "reference", "received_at")[:MOST_LINKS]
    others = tuple(
        Other(
            reference=reference or f"#{upstream_id}",
            url=reverse("dsr.dsr", args=[workspace.slug, upstream_id]),
            day=long_day(day_of(received_at, zone=zone)) if received_at else "",
        )
        for upstream_id, reference, received_at in rows
    )
    text = ngettext(
        "%(n)d other request from this e-mail address", "%(n)d other requests from this e-mail address", count
    )
    return Repeats(text=text % {"n": count}, others=others)


def of_request(dsr: DataSubjectRequest, *, workspace: Workspace) -> Repeats:
    """The others of a request's own address."""
    try:
        email = dsr.read_identity().get("email", "")
    except credentials.CannotDecryptError:
        return Repeats()
    return of_email(workspace, email=email, but=dsr.pk)
