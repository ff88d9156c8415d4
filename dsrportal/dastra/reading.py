"""Dastra's JSON objects -> the typed payloads of `schema.py`. Called by `client.py` and `paging.py`; makes no call.

One function an object; each raises BadRowError when the object cannot be used at all, which for every payload means a bad
id, a repeated key, or a number that is none. Everything else that is odd is set aside with a note.
Both generations are read: 2022 (`personCategory`) and 2023 (`subjectCategory`, `dateDemand`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .errors import MalformedAnswer
from .row import BadRowError, Row
from .schema import (
    Area,
    Attachment,
    DataSubjectRequest,
    Me,
    Message,
    Operator,
    Page,
    RejectedItem,
    Tag,
    WorkflowStep,
    WorkspaceInfo,
)
from .values import BadValueError, identifier
from .wire_json import RepeatedKeys, flaw

Item = TypeVar("Item")

# Documented fields that both generations carry in a list and that a flat object lacks or a trimmed one loses.
_EXPECTED = (
    "demandId",
    "title",
    "locale",
    "areaId",
    "area",
    "purposes",
    "state",
    "workFlowStep",
    "workFlowStepId",
    "complex",
    "dateCreation",
    "dateUpdate",
    "expiryTime",
    "dateClosed",
    "closedReason",
    "operator",
    "operatorId",
    "archived",
    "archivedDate",
    "channel",
    "widgetId",
    "email",
    "givenName",
    "familyName",
    "phoneNumber",
    "address",
    "zipCode",
    "city",
    "countryCode",
    "refId",
    "message",
    "description",
    "resolutionMessage",
    "tags",
    "attachments",
    "nbMessages",
    "nbMessagesNotViewed",
    "mailValidated",
    "emailValidationDate",
    "dateIdentityValidated",
)

# Documented fields that nothing reads, or one generation alone: known, so no drift.
_UNREAD = frozenset(
    {
        "closedByUser",
        "creator",
        "messages",
        "userId",
        "subjectCategoryId",
        "remainingDays",
        "closingTime",
        "additionalDatas",
        "userNotified",
        "dateUserNotified",
        "sendNotification",
        "referrerUrl",
        "dataProcessings",
        "personCategory",
        "purpose",
    }
)


def data_subject_request(row: Row) -> DataSubjectRequest:
    """`DataSubjectRequestDto` or its light form."""
    upstream_id = row.identifier()
    step = row.nested("workFlowStep", workflow_step)
    operator_found = row.nested("operator", operator)
    area_found = row.nested("area", area)
    custom_fields = row.get("customFields")
    if custom_fields is not None and not isinstance(custom_fields, dict):
        row.notes.append("customFields: not an object")
        custom_fields = None
    state = row.text("state")
    if not state and step is not None and step.mapped_state:
        row.notes.append("state: absent, taken from the step")
        state = step.mapped_state
    elif not state:
        row.notes.append("state: absent")
    fields: dict[str, Any] = {
        "reference": row.text("demandId"),
        "title": row.text("title"),
        "given_name": row.text("givenName"),
        "family_name": row.text("familyName"),
        "email": row.text("email"),
        "phone_number": row.text("phoneNumber"),
        "address": row.text("address"),
        "zip_code": row.text("zipCode"),
        "city": row.text("city"),
        "country_code": row.text("countryCode"),
        "customer_reference": row.text("refId"),
        "locale": row.text("locale"),
        "archived": row.flag("archived"),
        "archived_at": row.instant("archivedDate"),
        "complex": row.flag("complex"),
        "tags": row.nested_all("tags", tag),
        "purposes": row.words("purposes"),
        "subject_category": _subject_category(row),
        "channel": row.text("channel"),
        "received_at": row.instant("dateDemand"),
        "created_at": row.instant("dateCreation"),
        "updated_at": row.instant("dateUpdate"),
        "expires_at": row.instant("expiryTime"),
        "closed_at": row.instant("dateClosed"),
        "closed_reason": row.text("closedReason"),
        "closed_reason_description": row.text("closedReasonDescription"),
        "mail_validated": row.flag("mailValidated"),
        "email_validated_at": row.instant("emailValidationDate"),
        "identity_validated": row.flag("identityValidated"),
        "identity_validated_at": row.instant("dateIdentityValidated"),
        "message_count": row.count("nbMessages"),
        "unread_message_count": row.count("nbMessagesNotViewed"),
        "incoming_message_count": row.count("nbMessagesIncoming"),
        "last_message_at": row.instant("lastMessageDate"),
        "widget_id": row.reference("widgetId"),
        "message": row.text("message"),
        "description": row.text("description"),
        "resolution_message": row.text("resolutionMessage"),
        "attachments": row.nested_all("attachments", attachment),
    }
    step_id = row.reference("workFlowStepId")
    operator_id = row.reference("operatorId")
    area_id = row.reference("areaId")
    row.note_unknown(known=_UNREAD)
    return DataSubjectRequest(
        upstream_id=upstream_id,
        state=state,
        step=step,
        step_upstream_id=step.upstream_id if step else step_id,
        operator=operator_found,
        operator_upstream_id=operator_found.upstream_id if operator_found else operator_id,
        area=area_found,
        area_upstream_id=area_found.upstream_id if area_found else area_id,
        custom_fields=custom_fields or {},
        raw=row.raw,
        drift=row.drift(),
        missing=tuple(name for name in _EXPECTED if not row.has(name)),
        **fields,
    )


def workflow_step(row: Row) -> WorkflowStep:
    """`WorkFlowStepDto`."""
    return WorkflowStep(
        upstream_id=row.identifier(),
        label=row.text("label"),
        color=row.color("color"),
        position=row.count("order"),
        item_limit=row.number("itemLimit"),
        mapped_state=row.text("mappedState"),
        is_initial=row.flag("initialStep"),
        is_final=row.flag("finalStep"),
        notice_html=row.text("descriptionHtml"),
    )


def tag(row: Row) -> Tag:
    """`TagDto`."""
    return Tag(upstream_id=row.identifier(), label=row.text("label"), color=row.color("color"))


def operator(row: Row) -> Operator:
    """`UserLightDto` or `UserDto`; without a display name, the given and family names serve."""
    names = f"{row.text('givenName')} {row.text('familyName')}".strip()
    return Operator(
        upstream_id=row.identifier(), display_name=row.text("displayName") or names, email=row.text("email")
    )


def area(row: Row) -> Area:
    """`AreaDto`."""
    return Area(
        upstream_id=row.identifier(),
        label=row.text("label"),
        parent_upstream_id=row.reference("parentId"),
        country_code=row.text("countryCode"),
    )


def workspace(row: Row) -> WorkspaceInfo:
    """`WorkSpaceDto`."""
    return WorkspaceInfo(upstream_id=row.identifier(), label=row.text("label"), state=row.text("state"))


def attachment(row: Row) -> Attachment:
    """`DataSubjectAttachmentDto`."""
    return Attachment(
        name=row.text("fileName") or row.text("label"),
        size=row.number("size"),
        upstream_id=row.uuid("id"),
        is_removed=row.flag("deleted") or row.instant("dateFileRemoved") is not None,
        raw=row.raw,
    )


def message(row: Row) -> Message:
    """`DataSubjectMessageDto`; the request is named by the word of 2021 or by that of 2022."""
    upstream_id = row.uuid("id")
    if not upstream_id:
        raise BadRowError("id: not a UUID")
    return Message(
        upstream_id=upstream_id,
        text=row.text("message"),
        dsr_upstream_id=row.reference("userRequestId") or row.reference("dataSubjectRequestId"),
        author=row.nested("user", operator),
        sent_at=row.instant("dateSend") or row.instant("dateCreation"),
        viewed_at=row.instant("dateViewed"),
        attachments=row.nested_all("attachments", attachment),
    )


def me(value: object) -> Me:
    """Whatever `GET /me` answers. Raises MalformedAnswer when it is not an object."""
    if not isinstance(value, dict) or flaw(value):
        raise MalformedAnswer("Dastra's answer about the credential could not be read.")
    row = Row(value)
    names = f"{row.text('givenName')} {row.text('familyName')}".strip()
    return Me(
        upstream_id=row.reference("id"),
        display_name=row.text("displayName") or names,
        email=row.text("email"),
        raw=value,
    )


def one(value: object, *, read: Callable[[Row], Item]) -> Item:
    """A single object. Raises MalformedAnswer."""
    if not isinstance(value, dict):
        raise MalformedAnswer("Dastra answered with something else than the object asked for.")
    problem = flaw(value)
    try:
        if not problem:
            return read(Row(value))
    except BadRowError as unusable:
        problem = unusable.reason
    raise MalformedAnswer(f"Dastra's answer could not be read ({problem}).")


def many(rows: Sequence[object], *, read: Callable[[Row], Item]) -> Page[Item]:
    """Rows of a list; a bad row lands in `rejected` and spoils nothing else."""
    items: list[Item] = []
    rejected: list[RejectedItem] = []
    for raw in rows:
        problem = "not an object" if not isinstance(raw, dict) else flaw(raw)
        if not problem and isinstance(raw, dict):
            try:
                items.append(read(Row(raw)))
                continue
            except BadRowError as unusable:
                problem = unusable.reason
        rejected.append(RejectedItem(upstream_id=_id_of(raw), reason=problem))
    return Page(items=tuple(items), rejected=tuple(rejected), size=len(rows))


def _id_of(raw: object) -> int | None:
    """The id of a row that cannot be used, when it is certain."""
    if not isinstance(raw, dict) or (isinstance(raw, RepeatedKeys) and "id" in raw.repeated):
        return None
    try:
        return identifier(raw.get("id"))
    except BadValueError:
        return None


def _subject_category(row: Row) -> str:
    """2022: a word. 2023: an object of the repository, whose label serves."""
    found = row.get("subjectCategory")
    if isinstance(found, dict):
        return row.nested("subjectCategory", _category_label) or ""
    return row.text("subjectCategory") if found is not None else row.text("personCategory")


def _category_label(row: Row) -> str:
    label = row.text("label")
    if not label:
        row.notes.append("label: absent")
    return label
