"""The team's own target in words, for the request's page and the preview of a new one. Reads no row; names no deadline, since it is none."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dsrportal.models import DataSubjectRequest


def name() -> str:
    """What it is called."""
    return _("Own target")


def paused() -> str:
    """Instead of a day, while a question to the person moves it."""
    return _("stands still while the clock is paused")


def before_law(days: int) -> str:
    """ "10 days before the legal date"; 0 is the date itself, and it is never later."""
    if days == 0:
        return _("the legal date itself")
    return ngettext("%(n)d day before the legal date", "%(n)d days before the legal date", days) % {"n": days}


def remark(dsr: DataSubjectRequest, *, today: date) -> str:
    """What there is to say of the day of a request that has one: how long it has passed, else how far the legal date lies behind it."""
    if dsr.target_on is None:
        return ""
    if dsr.is_closed:
        late = (dsr.closed_on - dsr.target_on).days if dsr.closed_on else 0
        if late > 0:
            return ngettext("closed %(n)d day after it", "closed %(n)d days after it", late) % {"n": late}
    elif (passed := (today - dsr.target_on).days) > 0:
        return ngettext("passed %(n)d day ago", "passed %(n)d days ago", passed) % {"n": passed}
    return before_law((dsr.respond_by - dsr.target_on).days) if dsr.respond_by else ""
