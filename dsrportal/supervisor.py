"""Keeps the cluster of django-q running: starts it, judges it by its heartbeat, restarts it, stops it. Called by `manage.py jobs`.

Needed because a worker that is killed while idle leaves the cluster hanging for good, deaf to SIGTERM as well, and because a signal to its
whole group makes it hang too. Never runs a job itself.
"""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.db.models import Max
from django.utils import timezone
from django_q.tasks import async_task

from dsrportal import jobs
from dsrportal.models import JobHeartbeat, Workspace
from dsrportal.processes import Hurry, TiedProcess

logger = logging.getLogger(__name__)

Signs = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, kw_only=True)
class Timings:
    """All in seconds. `stale`: how long the heartbeat may stand still; longer than a minute (its rhythm) plus a job's usual time.
    `sending`: the rest between two calls for a worker that
    sees to the outbox. `grace`: how long running jobs may take to end when stopped. A cluster that lived less than `settled` counts as crashed and waits before
    its next start: `first_pause`, then twice as long each time up to `longest_pause`."""

    stale: float = 240.0
    grace: float = 30.0
    look: float = 2.0
    sending: float = 10.0
    settled: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 60.0


class Supervisor:
    """One cluster after another until a signal asks for the end."""

    def __init__(self, *, timings: Timings) -> None:
        self._timings = timings
        self._hurry = Hurry()

    def run(self) -> None:
        """Block until SIGTERM, SIGINT or SIGHUP; a second one kills what still runs. Raises DatabaseError when the database cannot be read at first."""
        self._hurry.listen()
        jobs.sync_schedules(now=timezone.now())
        pause = self._timings.first_pause
        while not self._hurry.stop_asked():
            started = time.monotonic()
            self._run_cluster()
            if self._hurry.stop_asked():
                break
            if time.monotonic() - started >= self._timings.settled:
                pause = self._timings.first_pause
            logger.warning("The cluster starts again in %g s.", pause)
            self._wait(pause)
            pause = min(pause * 2, self._timings.longest_pause)
        logger.info("Jobs have stopped.")

    def _run_cluster(self) -> None:
        """One cluster from its start to its end, wanted or not. Nothing of it is left afterwards."""
        self._prepare()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        cluster = TiedProcess(command, name="cluster")
        logger.info("The cluster has started (pid %d).", cluster.pid)
        try:
            self._watch(cluster)
        finally:
            cluster.kill()

    def _prepare(self) -> None:
        """Mend the timetable and queue one heartbeat, so that a healthy cluster shows itself at once."""
        try:
            close_old_connections()
            jobs.sync_schedules(now=timezone.now())
            async_task(jobs.HEARTBEAT)
        except DatabaseError:
            logger.exception("The database did not answer; the cluster starts with the timetable it finds.")
        finally:
            connection.close()

    def _watch(self, cluster: TiedProcess) -> None:
        """Return when the cluster is to be killed: it ended, it fell silent, or it was stopped well."""
        signs: Signs | None = None
        lived_at = time.monotonic()
        sent_at = 0.0
        while not self._hurry.stop_asked():
            if cluster.exit_code is not None:
                logger.error("The cluster ended unexpectedly (exit code %d).", cluster.exit_code)
                return
            seen = self._signs_of_life()
            if seen is None or seen != signs:
                signs, lived_at = seen, time.monotonic()
            elif time.monotonic() - lived_at > self._timings.stale:
                logger.error("The cluster has shown no sign of life for %g s and is killed.", self._timings.stale)
                return
            if time.monotonic() - sent_at >= self._timings.sending and self._called_for_sending():
                sent_at = time.monotonic()
            self._wait(self._timings.look)
        logger.info("Stopping: running jobs have %g s to end.", self._timings.grace)
        if not cluster.stop(grace_seconds=self._timings.grace, hurry=self._hurry):
            logger.warning("The cluster did not end in time and was killed; what it was doing is done again.")

    def _signs_of_life(self) -> Signs | None:
        """What changes while the cluster works: its heartbeat, and the leases that pulls renew with every page (long pulls on every worker
        leave no room for a heartbeat). None when the database cannot tell, which is not the cluster's fault."""
        try:
            close_old_connections()
            beat_at = JobHeartbeat.objects.filter(name=jobs.CLUSTER).values_list("beat_at", flat=True).first()
            return beat_at, Workspace.objects.aggregate(latest=Max("lease_until"))["latest"]
        except DatabaseError:
            logger.warning("The database did not answer; the cluster is not judged by it.")
            return None
        finally:
            connection.close()

    def _called_for_sending(self) -> bool:
        """Whether wishes waited whose page is closed, so that a worker was called. The timetable would do it within a minute."""
        try:
            close_old_connections()
            return jobs.request_sending(now=timezone.now())
        except DatabaseError:
            logger.warning("The database did not answer; the timetable sees to the outbox.")
            return False
        finally:
            connection.close()

    def _wait(self, seconds: float) -> None:
        """Sleep, but not through a signal."""
        until = time.monotonic() + seconds
        while not self._hurry.stop_asked() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
