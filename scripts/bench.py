"""How long pages and pulls take, beside floors that are measured in the same run: `make bench`. Prints a table; judges nothing.

Pages are asked for in this process, middleware and templates included; each round asks for each of them in turn, so that a busy moment of the
machine falls on all alike. A pull is measured in seconds of this process's own CPU against a local Dastra in a process of its own.
"""

from __future__ import annotations

import argparse
import html
import http.client
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

PAGE = 500
STEPS = (
    ("New", "Open"),
    ("Identity", "IdentityValidation"),
    ("Working", "Processing"),
    ("Answering", "Active"),
    ("Closed", "Closed"),
)
HTMX = {"HX-Request": "true", "HX-Target": "register"}

Samples = dict[str, list[float]]


def prepare() -> None:
    """Django, on a database that is thrown away (TEST_DATABASE_URL, else SQLite)."""
    import os  # noqa: PLC0415

    import tests.environment  # noqa: F401, PLC0415  sets the variables before the settings are read

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsrportal.settings"
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def make_workspace(slug: str, *, upstream_id: int, now: datetime, base_url: str, secret: str) -> Any:
    """A workspace that was read a minute ago, with an officer named alike."""
    from dsrportal import credentials  # noqa: PLC0415
    from dsrportal.models import Lane, Membership, Role, SyncLane, User, Workspace  # noqa: PLC0415

    workspace = Workspace(
        slug=slug,
        name=slug.replace("-", " ").title(),
        upstream_id=upstream_id,
        base_url=base_url,
        created_at=now,
        secret_changed_at=now,
    )
    workspace.set_secret(secret)
    workspace.set_search_key(credentials.new_search_key())
    workspace.save()
    Membership.objects.create(user=User.objects.create(username=slug), workspace=workspace, role=Role.OFFICER)
    read_at = now - timedelta(minutes=1)
    SyncLane.objects.create(workspace=workspace, lane=Lane.ACTIVE, last_attempt_at=read_at, last_success_at=read_at)
    return workspace


def dsrs(count: int, *, now: datetime) -> Iterator[Any]:
    """Requests as the client reads them: a third is closed, receipts of the last two years."""
    from dsrportal.dastra import schema  # noqa: PLC0415

    steps = [
        schema.WorkflowStep(upstream_id=10 + n, label=label, position=n, mapped_state=state)
        for n, (label, state) in enumerate(STEPS)
    ]
    for number in range(count):
        step = steps[number * 7 % len(steps)]
        received_at = now - timedelta(hours=number * 31 % 17_520)
        is_closed = step.mapped_state == "Closed"
        yield make_dsr(
            number,
            step=step,
            received_at=received_at,
            channel="Widget",
            updated_at=received_at + timedelta(hours=5),
            closed_at=received_at + timedelta(days=20) if is_closed else None,
        )


def make_dsr(number: int, *, step: Any, received_at: datetime, **others: Any) -> Any:
    """A request in a step, with `others` beside what each of them has."""
    from dsrportal.dastra import schema  # noqa: PLC0415

    fields = {
        "upstream_id": 1_000 + number,
        "reference": f"REF{number:06}",
        "title": f"REF{number:06} Example {number % 977}",
        "given_name": f"Given{number % 331}",
        "family_name": f"Family{number % 977}",
        "email": f"person{number}@example.org",
        "state": step.mapped_state,
        "step": step,
        "step_upstream_id": step.upstream_id,
        "purposes": ("Access", "Erasure")[: 1 + number % 2],
        "received_at": received_at,
        "created_at": received_at,
        "updated_at": received_at,
        "expires_at": received_at + timedelta(days=30),
    }
    return schema.DataSubjectRequest(**{**fields, **others})


def fill(workspace: Any, *, count: int, now: datetime) -> float:
    """Store so many requests by the mirror's own door; returns new rows a second."""
    from django.db import connection  # noqa: PLC0415

    from dsrportal.mirror import store  # noqa: PLC0415

    made = list(dsrs(count, now=now))
    began = time.perf_counter()
    for start in range(0, count, PAGE):
        store.store_requests(
            workspace, made[start : start + PAGE], sequence=store.next_sequence(workspace), now=now, is_list=True
        )
    speed = count / (time.perf_counter() - began)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # as its autovacuum does within a minute
    return speed


def raw_rows(workspace_id: int) -> str:
    """The floor of a list: 50 rows by a plain cursor, put into a string."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT upstream_id, reference, state, purposes, channel, received_at, clock_on FROM dsrportal_datasubjectrequest "
            "WHERE workspace_id = %s AND NOT archived ORDER BY clock_rank, clock_on, id LIMIT 50",
            [workspace_id],
        )
        rows = cursor.fetchall()
    return "".join(f"<tr><td>{'<td>'.join(html.escape(str(value)) for value in row)}</tr>" for row in rows)


def measure_pages(sizes: Sequence[int], *, rounds: int, now: datetime) -> tuple[Samples, Samples, list[str]]:
    """Milliseconds of each page for each size, by the clock and of this process's CPU, and how fast the rows went in."""
    from django.test import Client  # noqa: PLC0415

    from dsrportal.models import User  # noqa: PLC0415

    asked: dict[str, Callable[[], Any]] = {}
    told = []
    client = Client()
    asked["hello (/healthz)"] = lambda: client.get("/healthz")
    for size in sizes:
        slug = f"bench-{size}"
        workspace = make_workspace(slug, upstream_id=size, now=now, base_url="http://127.0.0.1:9", secret="none")  # noqa: S106
        told.append(f"{size:,} new rows stored, {fill(workspace, count=size, now=now):,.0f} a second")
        client_of = Client()
        client_of.force_login(User.objects.get(username=slug))
        get = _getter(client_of, slug=slug)
        asked[f"raw rows, {size:,}"] = lambda pk=workspace.pk: raw_rows(pk)  # type: ignore[misc]
        asked[f"list fragment, {size:,}"] = lambda get=get: get("requests/", headers=HTMX)  # type: ignore[misc]
        asked[f"list page, {size:,}"] = lambda get=get: get("requests/")  # type: ignore[misc]
        asked[f"list, filtered and sorted, {size:,}"] = lambda get=get: get(  # type: ignore[misc]
            "requests/?states=Open&states=Active&sortBy=dateDemand&asc=true", headers=HTMX
        )
        asked[f"board, {size:,}"] = lambda get=get: get("board/")  # type: ignore[misc]
    samples: Samples = {name: [] for name in asked}
    cpu: Samples = {name: [] for name in asked}
    for number in range(rounds + 2):
        for name, ask in asked.items():
            began, cpu_began = time.perf_counter(), time.process_time()
            ask()
            if number >= 2:  # noqa: PLR2004  the first two rounds load templates
                samples[name].append((time.perf_counter() - began) * 1000)
                cpu[name].append((time.process_time() - cpu_began) * 1000)
    return samples, cpu, told


def _getter(client: Any, *, slug: str) -> Callable[..., Any]:
    def get(path: str, **options: Any) -> Any:
        answer = client.get(f"/w/{slug}/{path}", **options)
        if answer.status_code != 200:  # noqa: PLR2004  HTTP's own number
            raise RuntimeError(f"{path} answered {answer.status_code}")
        return answer

    return get


def _serve(requests: int, told: Any, over: Any) -> None:
    from dsrportal.sandbox import Limit, Sandbox, Switches  # noqa: PLC0415

    limits = (Limit(count=1_000_000, seconds=60),)
    with Sandbox(requests=requests, seed=1, settings=Switches(limits=limits)).serve() as server:
        told.put((server.base_url, server.host_port, server.api_key))
        over.wait()


@contextmanager
def dastra(requests: int) -> Iterator[tuple[str, str, str]]:
    """Address, host and key of a local Dastra in a process of its own."""
    context = multiprocessing.get_context("spawn")
    told, over = context.Queue(), context.Event()
    process = context.Process(target=_serve, args=(requests, told, over))
    process.start()
    try:
        yield told.get(timeout=120)
    finally:
        over.set()
        process.join()


def read_all(host_port: str, key: str) -> int:
    """The floor of a pull: every page of both lists over one connection, decoded; returns the number of rows."""
    connection = http.client.HTTPConnection(host_port)
    seen = 0
    for more in ("", "&archived=true"):
        number, total = 1, 1
        while (number - 1) * PAGE < total:
            path = f"/v1/ws/101/DataSubjectRequests?sortBy=id&asc=true&page={number}&size={PAGE}{more}"
            connection.request("GET", path, headers={"X-API-Key": key})
            answer = json.loads(connection.getresponse().read())
            seen += len(answer["items"])
            total, number = answer["total"], number + 1
    connection.close()
    return seen


def measure_pulls(objects: int, *, rounds: int, now: datetime) -> Samples:
    """Objects a second of our own CPU: the floor, a pull of what is new, and pulls of what did not change."""
    from django.conf import settings  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from dsrportal.mirror.pull import pull  # noqa: PLC0415
    from dsrportal.models import Lane  # noqa: PLC0415

    samples: Samples = {"GET and json": [], "pull, all new": [], "pull, unchanged": []}
    with dastra(objects) as (base_url, host_port, key):
        settings.UPSTREAM_ALLOWED_HOSTS = [host_port]
        workspace = make_workspace("bench-pull", upstream_id=101, now=now, base_url=base_url, secret=key)

        def note(name: str, work: Callable[[], int]) -> None:
            began = time.process_time()
            count = work()
            samples[name].append(count / (time.process_time() - began))

        def pulled() -> int:
            run = pull(workspace, lane=Lane.FULL, now=timezone.now)
            if run.error:
                raise RuntimeError(run.error)
            return run.seen

        note("pull, all new", pulled)
        for _ in range(rounds):
            note("GET and json", lambda: read_all(host_port, key))
            note("pull, unchanged", pulled)
    return samples


def print_pages(samples: Samples, cpu: Samples) -> None:
    """Each page with its distance from the floor of the same size: hello, and the rows put into a string."""
    hello = "hello (/healthz)"
    print(f"\n{'page':38}{'min ms':>9}{'median ms':>11}{'x floor':>9}{'CPU ms':>9}{'x floor':>9}")
    for name, found in samples.items():
        raw = f"raw rows, {name.rpartition(', ')[2]}"
        line = f"{name:38}{min(found):>9.2f}{statistics.median(found):>11.2f}"
        if raw not in samples or name == raw:
            print(f"{line}{'':>9}{statistics.median(cpu[name]):>9.2f}")
            continue
        by_clock = min(found) / (min(samples[hello]) + min(samples[raw]))
        own = statistics.median(cpu[name])
        by_cpu = own / (statistics.median(cpu[hello]) + statistics.median(cpu[raw]))
        print(f"{line}{by_clock:>9.1f}{own:>9.2f}{by_cpu:>9.1f}")


def print_pulls(samples: Samples) -> None:
    """Each pull beside reading alone."""
    floor = max(samples["GET and json"])
    print(f"\n{'pull':38}{'best/s':>9}{'median/s':>11}{'x floor':>9}")
    for name, found in samples.items():
        print(f"{name:38}{max(found):>9,.0f}{statistics.median(found):>11,.0f}{floor / max(found):>9.1f}")


def main() -> int:
    """Run what was asked for, and print it."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[5_000, 100_000])
    options.add_argument("--rounds", type=int, default=40)
    options.add_argument("--objects", type=int, default=5_000, help="that a pull reads")
    options.add_argument("--pulls", type=int, default=5)
    asked = options.parse_args()
    prepare()
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    pages, cpu, told = measure_pages(asked.rows, rounds=asked.rounds, now=timezone.now())
    print(f"{connection.vendor}, {asked.rounds} rounds", *told, sep="\n")
    print_pages(pages, cpu)
    print_pulls(measure_pulls(asked.objects, rounds=asked.pulls, now=timezone.now()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
