"""A sign of life to a watch outside of the portal, which calls for help when it stays away. Called by the job `beat`; never fails."""

from __future__ import annotations

import logging
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings

from dsrportal.dastra.posting import post, target_of
from dsrportal.queries.watch import late_jobs

logger = logging.getLogger(__name__)

SECONDS = 5.0
LOWEST_REFUSAL = 400


def ping_if_on_time(*, now: datetime) -> bool:
    """Post an empty message to `WATCH_PING_URL` unless there is none or a job is late; whether it was taken. The job that asks is about to stamp."""
    url = settings.WATCH_PING_URL
    if not url or late_jobs(now=now, but={"beat"}):
        return False
    parts = urlsplit(url)
    try:
        # The operator named it, so that it may be in their own network.
        host = parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"
        answer = post(url, target=target_of(url, listed_hosts=[host]), body=b"", headers={}, seconds=SECONDS)
    except Exception as error:  # whatever it is, the job goes on; its text may hold the address, which is a secret
        logger.warning("The watch outside could not be reached (%s).", type(error).__name__)
        return False
    if answer.status_code >= LOWEST_REFUSAL:
        logger.warning("The watch outside answered %d.", answer.status_code)
    return answer.status_code < LOWEST_REFUSAL
