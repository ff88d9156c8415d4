"""The invented data set: two workspaces full of requests that follow from a seed and an instant.

Called once when a sandbox starts without a state file. The same seed, counts and instant give the same data, byte for byte.
"""

import random
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from dsrportal.sandbox import vocabulary as words
from dsrportal.sandbox.records import (
    COMPLEX_DELAY_DAYS,
    DELAY_DAYS,
    Record,
    count_messages,
    demand_id_of,
    new_attachment,
    new_fields,
    new_message,
)
from dsrportal.sandbox.shapes import TENANT_ID
from dsrportal.sandbox.store import State, Workspace
from dsrportal.sandbox.values import Json, days_after, dotnet

FRANCE, BENELUX = 101, 102
API_USER_ID = 70
_FIRST_USER_ID = 71
_MINUTES_A_DAY = 24 * 60
T = TypeVar("T")


def fill(state: State, *, requests: int, seed: int) -> None:
    """Puts `requests` requests into the first workspace and a tenth (at least five) into the second."""
    state.counters.update(dsr=5000, step=22289, area=11, tag=300, widget=3007)
    _add_users(state)
    for workspace_id, count in ((FRANCE, requests), (BENELUX, max(5, requests // 10))):
        workspace = _empty_workspace(state, workspace_id=workspace_id)
        state.workspaces[workspace_id] = workspace
        for index in range(count):
            rng = random.Random(f"{seed}:{workspace_id}:{index}")  # noqa: S311 - invented data, not secrets
            record = _Person(workspace=workspace, rng=rng, index=index).record()
            workspace.records[record.fields["id"]] = record


def _add_users(state: State) -> None:
    people = (("Dastra", "API", "#8793A3"), *words.USERS)
    for user_id, (given, family, color) in enumerate(people, start=API_USER_ID):
        state.users[user_id] = {
            "id": user_id,
            "displayName": f"{given} {family}",
            "familyName": family,
            "givenName": given,
            "email": f"{_ascii(given)}.{_ascii(family)}@example.org",
            "color": color,
            "avatarUrl": None,
            "tenantId": TENANT_ID,
        }


def _empty_workspace(state: State, *, workspace_id: int) -> Workspace:
    steps = {}
    rows = words.STEPS[workspace_id]
    for order, (label, color, mapped_state, limit, role, notice) in enumerate(rows):
        step_id = state.next_id("step")
        steps[step_id] = {
            "id": step_id,
            "label": label,
            "color": color,
            "order": order,
            "itemLimit": limit,
            "finalStep": order == len(rows) - 1,
            "initialStep": order == 0,
            "authorizedRole": {"id": role, "label": "DPO"} if role else None,
            "authorizedRoleId": role,
            "descriptionHtml": notice,
            "mappedState": mapped_state,
        }
    areas: dict[int, Json] = {}
    for order, (label, parent, kind, country) in enumerate(words.AREAS[workspace_id], start=1):
        area_id = state.next_id("area")
        parent_id = None if parent is None else list(areas)[parent]
        areas[area_id] = {
            "id": area_id,
            "order": order,
            "label": label,
            "parentId": parent_id,
            "type": kind,
            "ref": f"U{area_id}",
            "countryCode": country,
        }
    tags = {}
    for label, color in words.TAGS[workspace_id]:
        tag_id = state.next_id("tag")
        tags[tag_id] = {"id": tag_id, "label": label, "type": "DataSubject", "color": color}
    return Workspace(
        id=workspace_id,
        label=words.WORKSPACE_LABELS[workspace_id],
        retention_days=365 if workspace_id == FRANCE else None,
        steps=steps,
        areas=areas,
        tags=tags,
        users=state.users,
        custom_fields=dict(words.CUSTOM_FIELDS),
        records={},
        state=state,
    )


class _Person:
    """One invented person and the request that they made."""

    def __init__(self, *, workspace: Workspace, rng: random.Random, index: int) -> None:
        self.workspace = workspace
        self.rng = rng
        self.index = index
        self.locale = self._weighted(words.LOCALE_WEIGHTS[workspace.id])
        self.given = rng.choice(words.GIVEN_NAMES[self.locale])
        self.family = rng.choice(words.FAMILY_NAMES[self.locale])
        self.closed = rng.random() < 0.45  # noqa: PLR2004 - the mixture of the data set
        self.complex = rng.random() < 0.09  # noqa: PLR2004
        self.age_minutes = self._age_minutes()

    def record(self) -> Record:
        """The request with its messages and attachments."""
        dsr_id = self.workspace.state.next_id("dsr")
        received = self._ago(self.age_minutes)
        fields = new_fields(dsr_id=dsr_id, demand_id=demand_id_of(self.rng), stamp=received)
        record = Record(fields=fields)
        step = self._step()
        fields.update(
            title=f"{fields['demandId']} {self.given} {self.family}",
            locale=self.locale,
            areaId=self.rng.choice(list(self.workspace.areas)),
            complex=self.complex,
            state=step["mappedState"],
            workFlowStepId=step["id"],
            purposes=list(self._weighted(words.PURPOSE_MIXTURES)),
            channel=self._weighted(words.CHANNEL_WEIGHTS),
            expiryTime=days_after(received, days=COMPLEX_DELAY_DAYS if self.complex else DELAY_DAYS),
            personCategory=self.rng.choice(("Client", "FormerClient", "Prospect", "Candidate", "Employee")),
        )
        if self._chance(3):
            fields["expiryTime"] = None
        if not self._chance(30):
            fields["dateUpdate"] = self._ago(self.rng.randint(0, self.age_minutes))
        record.operator_id = None if self._chance(10 if self.closed else 28) else self._user()
        record.creator_id = self._user() if fields["channel"] in {"Internal", "Import"} else None
        self._identify(fields)
        self._answer_custom_fields(fields)
        if self.closed:
            self._close(record)
        if self._chance(19 if self.closed else 3):
            fields.update(archived=True, archivedDate=self._ago(self.rng.randint(0, self.age_minutes // 2)))
        record.tag_ids = self.rng.sample(
            list(self.workspace.tags), k=self._weighted(((0, 55), (1, 30), (2, 11), (3, 4)))
        )
        self._write_messages(record)
        self._attach(record)
        return record

    def _age_minutes(self) -> int:
        if self.closed:
            return self.rng.randint(8 * _MINUTES_A_DAY, 420 * _MINUTES_A_DAY)
        # Of the open ones most are young; some are late, some due within days, and some came this very hour.
        days = self._weighted(((0, 4), (4, 14), (12, 22), (20, 24), (25, 16), (29, 10), (38, 8), (70, 2)))
        return int(days * _MINUTES_A_DAY + self.rng.randint(1, 4 * _MINUTES_A_DAY))

    def _step(self) -> Json:
        steps = self.workspace.ordered_steps()
        if self.closed:
            return self.rng.choice([step for step in steps if step["mappedState"] == "Closed"])
        running = [step for step in steps if step["mappedState"] != "Closed"]
        weights = (34, 18, 28, 12, 8)[: len(running)]
        return self.rng.choices(running, weights=weights)[0]

    def _identify(self, fields: Json) -> None:
        host = "example.org" if self._chance(60) else "example.test"
        city, zip_code, country = self.rng.choice(words.CITIES[self.locale])
        fields.update(
            givenName=self.given,
            familyName=self.family,
            email=f"{_ascii(self.given)}.{_ascii(self.family)}{self.index}@{host}",
            message=self.rng.choice(words.MESSAGES[self.locale]),
            description=words.NOTES[self.locale] if self._chance(18) else None,
            phoneNumber=f"+3200000{self.rng.randint(0, 9999):04d}" if self._chance(35) else None,
            refId=f"C-{self.rng.randint(10_000, 99_999)}" if self._chance(40) else None,
        )
        if self._chance(45):
            street = f"{self.rng.randint(1, 99)} {words.STREETS[self.locale]}"
            fields.update(address=street, zipCode=zip_code, city=city, countryCode=country)
        if fields["channel"] == "Widget":
            fields.update(widgetId=3008 + self.workspace.id % 2, referrerUrl="https://shop.example.org/privacy")
        if not self._chance(12):
            validated = self._ago(max(0, self.age_minutes - self.rng.randint(1, 90)))
            fields.update(mailValidated=True, emailValidationDate=validated)
        if self._chance(80 if self.closed else 45):
            fields["dateIdentityValidated"] = self._ago(self.rng.randint(0, self.age_minutes))

    def _answer_custom_fields(self, fields: Json) -> None:
        for slug, kind in words.CUSTOM_FIELDS:
            if not self._chance(55):
                continue
            values = {
                "text": f"N{self.rng.randint(100, 999)}",
                "flag": self._chance(50),
                "integer": self.rng.randint(0, 40),
                "choice": self.rng.choice(words.CHOICES["origine"]),
                "choices": self.rng.sample(words.CHOICES["services"], k=2),
            }
            fields["customFields"][slug] = values[kind]
        if fields["channel"] == "Widget":
            fields["additionalDatas"] = {"givenName": None, **fields["customFields"]}

    def _close(self, record: Record) -> None:
        took = self.rng.randint(_MINUTES_A_DAY, min(self.age_minutes, 45 * _MINUTES_A_DAY))
        closed = self._ago(self.age_minutes - took)
        record.closed_by_id = self._user()
        record.fields.update(
            dateClosed=closed,
            dateUpdate=closed,
            closedReason=self._weighted(words.CLOSED_REASON_WEIGHTS),
            resolutionMessage=words.RESOLUTIONS[self.locale],
        )
        if self._chance(30):
            record.fields.update(userNotified=True, sendNotification=True, dateUserNotified=closed)

    def _write_messages(self, record: Record) -> None:
        at = self.age_minutes
        for number in range(self._weighted(((0, 58), (1, 18), (2, 14), (4, 10)))):
            at = self.rng.randint(0, at)
            incoming = number % 2 == 0
            text = self.rng.choice(words.MESSAGES[self.locale]) if incoming else words.REPLIES[self.locale]
            unread = incoming and not self.closed and self._chance(50)
            message = new_message(
                rng=self.rng,
                dsr_id=record.fields["id"],
                text=text,
                stamp=self._ago(at),
                user_id=None if incoming else self._user(),
            )
            message["dateViewed"] = None if unread else message["dateSend"]
            record.messages.append(message)
        count_messages(record)

    def _attach(self, record: Record) -> None:
        for number in range(self._weighted(((0, 78), (1, 15), (2, 7)))):
            stamp = self._ago(self.rng.randint(0, self.age_minutes))
            extension = self.rng.choice(("pdf", "jpg", "docx"))
            attachment = new_attachment(
                rng=self.rng,
                dsr_id=record.fields["id"],
                file_name=f"document-{number + 1}.{extension}",
                size=self.rng.randint(2_000, 900_000),
                stamp=stamp,
            )
            record.attachments.append(attachment)

    def _user(self) -> int:
        return self.rng.randint(_FIRST_USER_ID, API_USER_ID + len(words.USERS))

    def _chance(self, percent: int) -> bool:
        return self.rng.random() * 100 < percent

    def _weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        return self.rng.choices([value for value, _ in choices], weights=[weight for _, weight in choices])[0]

    def _ago(self, minutes: int) -> str:
        at = self.workspace.state.now() - timedelta(minutes=minutes)
        return dotnet(at.replace(microsecond=self.rng.randint(0, 999_999)), tick=self.rng.randint(0, 9))


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(character for character in plain if character.isalnum())
