"""A forgotten password: who may ask for the link to a new one, and how often. Called by the page "forgotten" alone; keeps no address in clear."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from dsrportal.models import User

WINDOW_SECONDS = 60 * 60
MOST_OF_AN_ADDRESS = 10
"""So many tries an hour from one network address."""
REST_SECONDS = 5 * 60
"""So long after a mail, no second one goes to the same account."""


def may_ask(*, address: str, now: datetime) -> bool:
    """Count a try from this network address; False when there were too many in this hour."""
    key = _key("address", f"{address}:{int(now.timestamp()) // WINDOW_SECONDS}")
    tries = int(cache.get(key, 0)) + 1
    cache.set(key, tries, WINDOW_SECONDS)
    return tries <= MOST_OF_AN_ADDRESS


def accounts_of(asked: str) -> list[int]:
    """The keys of the open accounts that this user name or e-mail address means and that may be sent a mail now."""
    text = asked.strip()
    people = User.objects.filter(is_active=True).exclude(email="")
    found = people.filter(email__iexact=text) if "@" in text else people.filter(username=text)
    return [
        pk
        for pk in found.order_by("pk").values_list("pk", flat=True)[:5]
        if cache.add(_key("sent", str(pk)), 1, REST_SECONDS)
    ]


def _key(kind: str, text: str) -> str:
    return f"password-{kind}:" + salted_hmac("dsrportal.passwords", text, algorithm="sha256").hexdigest()
