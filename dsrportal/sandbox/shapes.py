"""The JSON objects of Dastra's API, built from what the store holds: whole, flat, and of the 2022 generation.

Called by the endpoints through the store's cache. Computes what time changes (days left) and never changes a record.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from dsrportal.sandbox.switches import Switches
from dsrportal.sandbox.values import Json, days_between, instant_of

if TYPE_CHECKING:
    from dsrportal.sandbox.records import Record
    from dsrportal.sandbox.store import Workspace

TENANT_ID = 7

# What the flat object leaves out.
HEAVY_FIELDS = ("closedByUser", "area", "creator", "operator", "operatorId", "attachments", "tags")
# Fields that came after 2022, and the one that went.
_LATER_FIELDS = (
    "customFields",
    "messages",
    "subjectCategoryId",
    "subjectCategory",
    "dateDemand",
    "nbMessagesIncoming",
    "lastMessageDate",
)


def user_light(user: Json) -> Json:
    """UserLightDto of a stored user."""
    names = ("id", "displayName", "familyName", "givenName", "email", "color", "avatarUrl", "tenantId")
    return {name: user[name] for name in names}


def area_object(area: Json, *, children: list[Json] | None = None) -> Json:
    """AreaDto of a stored unit, as the 2023 sample shows it."""
    return {
        "order": area["order"],
        "children": children or [],
        "permissions": [],
        "id": area["id"],
        "type": area["type"],
        "parentId": area["parentId"],
        "ref": area["ref"],
        "label": area["label"],
        "description": None,
        "logoUrl": None,
        "address": None,
        "zipCode": None,
        "city": None,
        "countryCode": area["countryCode"],
        "immatriculationNumber": None,
        "phoneNumber": None,
        "mailAddress": None,
        "dpo": None,
        "referent": None,
        "representative": None,
        "dataProtectionAuthority": None,
    }


def step_object(step: Json, *, generation: int) -> Json:
    """WorkFlowStepDto of a stored step."""
    shown = {
        "id": step["id"],
        "label": step["label"],
        "color": step["color"],
        "order": step["order"],
        "itemLimit": step["itemLimit"],
        "type": "DataSubject" if generation == _GENERATION_2022 else "DataSubjectRequest",
        "finalStep": step["finalStep"],
        "initialStep": step["initialStep"],
        "authorizedRole": step["authorizedRole"],
        "authorizedRoleId": step["authorizedRoleId"],
        "descriptionHtml": step["descriptionHtml"],
        "mappedState": step["mappedState"],
    }
    if generation == _GENERATION_2022:
        del shown["authorizedRole"], shown["authorizedRoleId"]
    return shown


_GENERATION_2022 = 2022


def overtaking(fields: Json, *, now: datetime) -> bool:
    """Whether the legal delay has passed of a request that is not closed."""
    return fields["state"] != "Closed" and bool(fields["expiryTime"]) and instant_of(fields["expiryTime"]) < now


def remaining_days(fields: Json, *, now: datetime, settings: Switches) -> int | None:
    """Days left, rounded down, negative when overdue; of a closed request as `closed_days` says."""
    if not fields["expiryTime"]:
        return None
    until = now
    if fields["state"] == "Closed":
        if settings.closed_days == "null":
            return None
        if settings.closed_days == "frozen" and fields["dateClosed"]:
            until = instant_of(fields["dateClosed"])
    return days_between(until, instant_of(fields["expiryTime"]))


def light_object(record: "Record", *, workspace: "Workspace", days: int | None, generation: int) -> Json:
    """DataSubjectRequestLightDto: the flat object, in the order of the published sample."""
    stored = record.fields
    closing = None
    if stored["dateClosed"]:
        closing = max(0, days_between(instant_of(stored["dateDemand"]), instant_of(stored["dateClosed"])))
    step = workspace.steps.get(stored["workFlowStepId"])
    shown = {"customFields": stored["customFields"], "messages": []}
    for name in _LIGHT_ORDER:
        if name == "workFlowStep":
            shown[name] = step_object(step, generation=generation) if step else None
        elif name == "remainingDays":
            shown[name] = days
        elif name == "closingTime":
            shown[name] = closing
        elif name == "identityValidated":
            shown[name] = stored["dateIdentityValidated"] is not None
        elif name == "personCategory":
            shown[name] = stored["personCategory"]
        else:
            shown[name] = stored[name]
    if generation == _GENERATION_2022:
        for name in _LATER_FIELDS:
            del shown[name]
    else:
        del shown["personCategory"]
    return shown


def heavy_object(record: "Record", *, workspace: "Workspace", days: int | None, generation: int) -> Json:
    """DataSubjectRequestDto: 60 fields in 2023, 54 in 2022."""

    def user(user_id: int | None) -> Json | None:
        found = workspace.users.get(user_id) if user_id is not None else None
        return user_light(found) if found else None

    light = light_object(record, workspace=workspace, days=days, generation=generation)
    area = workspace.areas.get(record.fields["areaId"])
    whole: Json = {}
    if "customFields" in light:
        whole["customFields"] = light.pop("customFields")
    whole["closedByUser"] = user(record.closed_by_id)
    whole["area"] = area_object(area) if area else None
    whole["creator"] = user(record.creator_id)
    whole["operator"] = user(record.operator_id)
    whole["operatorId"] = record.operator_id
    whole["attachments"] = list(record.attachments)
    if "messages" in light:
        whole["messages"] = light.pop("messages")
    whole["tags"] = [workspace.tags[tag_id] for tag_id in record.tag_ids if tag_id in workspace.tags]
    return whole | light


_LIGHT_ORDER = (
    "id",
    "title",
    "locale",
    "archived",
    "archivedDate",
    "personCategory",
    "subjectCategoryId",
    "subjectCategory",
    "complex",
    "dateClosed",
    "areaId",
    "state",
    "description",
    "message",
    "resolutionMessage",
    "email",
    "phoneNumber",
    "givenName",
    "familyName",
    "dateDemand",
    "dateCreation",
    "dateUpdate",
    "workFlowStep",
    "workFlowStepId",
    "channel",
    "refId",
    "userId",
    "purposes",
    "closedReason",
    "closedReasonDescription",
    "expiryTime",
    "address",
    "zipCode",
    "city",
    "countryCode",
    "nbMessages",
    "nbMessagesNotViewed",
    "nbMessagesIncoming",
    "lastMessageDate",
    "remainingDays",
    "closingTime",
    "additionalDatas",
    "userNotified",
    "dateUserNotified",
    "sendNotification",
    "emailValidationDate",
    "mailValidated",
    "referrerUrl",
    "demandId",
    "identityValidated",
    "dateIdentityValidated",
    "widgetId",
)
