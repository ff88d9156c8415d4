"""The pace of each workspace's credential in words, for the jobs page. Called by its view with what `actions.workspaces` read."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

MINUTE = 60
TWO_MINUTES = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """Calls of the last minute and how many there may be; `trouble` says why Dastra is not called now, "" when it is.

    `is_known` is false where the shared count cannot be read: then nobody is called either.
    """

    name: str
    used: int
    limit: int
    trouble: str
    is_known: bool = True


def unknown_gauge(name: str) -> Gauge:
    """The gauge of a workspace whose count cannot be read."""
    return Gauge(name=name, used=0, limit=0, trouble=_("The count of calls cannot be read."), is_known=False)


def gauge(
    *, name: str, used: int, limit: int, pause_seconds: float, circuit: str, next_try_seconds: float | None
) -> Gauge:
    """`circuit` is `closed`, `open` or `refused`; `next_try_seconds` None waits for a person."""
    trouble = ""
    if circuit != "closed" and next_try_seconds is None:
        trouble = _("Dastra refuses the key: nothing is asked until an admin gives a new one or tries again.")
    elif circuit == "refused":
        trouble = _("Dastra refuses the key. One more try in %(time)s.") % {"time": span(next_try_seconds or 0.0)}
    elif circuit != "closed":
        trouble = _("Dastra does not work. It is left alone, and tried again in %(time)s.") % {
            "time": span(next_try_seconds or 0.0)
        }
    elif pause_seconds > 0:
        trouble = _("Dastra asked the portal to slow down. Calls go on in %(time)s.") % {"time": span(pause_seconds)}
    return Gauge(name=name, used=used, limit=limit, trouble=trouble)


def span(seconds: float) -> str:
    """Seconds up to two minutes, then whole minutes."""
    if seconds < TWO_MINUTES:
        return _("%(n)d s") % {"n": max(1, round(seconds))}
    return _("%(n)d min") % {"n": round(seconds / MINUTE)}
