"""What a person decides about their own alerts: when they are away and who stands in, and what they want no mail of. Called by the page
`/accounts/notices/`; audited."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from dsrportal.actions.refusals import WorkspaceError
from dsrportal.models import Absence, AlertWish, AuditEvent, DataSubjectRequest, Membership, MutedRequest, User
from dsrportal.models.audit import Operation

MOST_ABSENCES = 20
MOST_MUTED = 200
FURTHEST = timedelta(days=730)


def deputies_of(person: User) -> QuerySet[User]:
    """Whoever may stand in: who may act in one of the person's workspaces."""
    own = Membership.objects.filter(user=person).values("workspace")
    acting = Membership.objects.filter(workspace__in=own, role__in=Membership.ACTING_ROLES)
    people = User.objects.filter(pk__in=acting.values("user"), is_active=True).exclude(pk=person.pk)
    return people.order_by("last_name", "first_name", "username")


def add_absence(person: User, *, first_on: date, last_on: date, deputy: User, today: date, now: datetime) -> Absence:
    """Note that the person is away, both days included. Raises `WorkspaceError`."""
    if last_on < first_on:
        raise WorkspaceError(_("The last day is before the first."), field="last_on")
    if last_on < today:
        raise WorkspaceError(_("This is over already."), field="last_on")
    if last_on > today + FURTHEST:
        raise WorkspaceError(_("This is more than two years away."), field="last_on")
    if not deputies_of(person).filter(pk=deputy.pk).exists():
        raise WorkspaceError(_("This account cannot stand in for you."), field="deputy")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        own = Absence.objects.filter(person=person, last_on__gte=today)
        if own.filter(first_on__lte=last_on, last_on__gte=first_on).exists():
            raise WorkspaceError(_("You have noted an absence on these days already."), field="first_on")
        if own.count() >= MOST_ABSENCES:
            raise WorkspaceError(_("These are more absences than can be kept."), field="first_on")
        absence = Absence.objects.create(person=person, deputy=deputy, first_on=first_on, last_on=last_on)
        _record(person, operation=Operation.ABSENCE_CHANGED, now=now, details=_days(absence) | {"deputy": deputy.pk})
    return absence


def remove_absence(person: User, *, pk: int, now: datetime) -> bool:
    """The person is not away after all. False when there is no such absence of theirs."""
    with transaction.atomic():
        absence = Absence.objects.filter(person=person, pk=pk).first()
        if absence is None:
            return False
        absence.delete()
        _record(person, operation=Operation.ABSENCE_CHANGED, now=now, details=_days(absence) | {"removed": True})
    return True


def change_wish(person: User, *, mutes_approaching: bool, skips_digest: bool, now: datetime) -> bool:
    """Keep what the person wants no mail of; the rules of each workspace say where that counts. False when it is so already."""
    wanted = {"mutes_approaching": mutes_approaching, "skips_digest": skips_digest}
    with transaction.atomic():
        wish, is_new = AlertWish.objects.get_or_create(person=person, defaults=wanted)
        before = {name: getattr(wish, name) for name in wanted}
        if (is_new and not any(wanted.values())) or (not is_new and before == wanted):
            return False
        AlertWish.objects.filter(pk=wish.pk).update(**wanted)
        _record(person, operation=Operation.MAIL_WISHES_CHANGED, now=now, details=wanted)
    return True


def mute(person: User, *, dsr: DataSubjectRequest, now: datetime) -> bool:
    """No mail of this request until it is overdue. False when it is so already. Raises `WorkspaceError`."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=person.pk)
        if MutedRequest.objects.filter(person=person).count() >= MOST_MUTED:
            raise WorkspaceError(_("These are more muted requests than can be kept."), field="reference")
        _row, is_new = MutedRequest.objects.get_or_create(person=person, dsr=dsr, defaults={"muted_at": now})
        if is_new:
            _record(person, operation=Operation.MAIL_WISHES_CHANGED, now=now, details={"muted": True}, dsr=dsr)
    return is_new


def unmute(person: User, *, pk: int, now: datetime) -> bool:
    """Mail of the request comes again. False when the person has no such row."""
    with transaction.atomic():
        row = MutedRequest.objects.select_related("dsr").filter(person=person, pk=pk).first()
        if row is None:
            return False
        row.delete()
        _record(person, operation=Operation.MAIL_WISHES_CHANGED, now=now, details={"muted": False}, dsr=row.dsr)
    return True


def _days(absence: Absence) -> dict[str, object]:
    return {"first_on": absence.first_on.isoformat(), "last_on": absence.last_on.isoformat()}


def _record(
    person: User,
    *,
    operation: Operation,
    now: datetime,
    details: Mapping[str, object],
    dsr: DataSubjectRequest | None = None,
) -> None:
    AuditEvent.objects.create(
        at=now,
        by=person,
        workspace_id=dsr.workspace_id if dsr else None,
        operation=operation,
        upstream_id=dsr.upstream_id if dsr else None,
        reference=dsr.reference if dsr else "",
        outcome="done",
        details=dict(details),
    )
