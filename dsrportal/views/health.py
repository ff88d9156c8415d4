"""For machines: is the process alive, is the portal ready."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dsrportal.models import JobHeartbeat, SyncLane, Workspace
from dsrportal.queries import freshness
from dsrportal.queries.jobs import CLUSTER, is_alive
from dsrportal.queries.watch import late_jobs


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """`/healthz`: the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """`/readyz`: database, jobs, freshness of the workspaces; 503 when one is not well. `jobs` is `silent` without a sign of life, and `late` when one
    has missed three intervals; `late` names those. Names no workspace."""
    now = timezone.now()
    try:
        beat = JobHeartbeat.objects.filter(name=CLUSTER).first()
        workspaces = list(Workspace.objects.filter(disabled_at=None))
        lanes = list(SyncLane.objects.filter(workspace__disabled_at=None))
        late = [one.job.name for one in late_jobs(now=now)]
    except DatabaseError:
        return JsonResponse({"database": "unreachable"}, status=503)
    levels = [freshness.of_workspace(workspace, lanes=lanes, now=now).level for workspace in workspaces]
    alive = is_alive(beat.beat_at if beat else None, now=now)
    checks = {
        "database": "ok",
        "jobs": "silent" if not alive else "late" if late else "ok",
        "freshness": "ok" if all(level == freshness.Level.FRESH for level in levels) else "old",
    }
    is_well = set(checks.values()) == {"ok"}
    return JsonResponse({**checks, "late": late}, status=200 if is_well else 503)
