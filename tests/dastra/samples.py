"""Synthetic payloads in the two generations of Dastra's API."""

from __future__ import annotations

from typing import Any

STEP: dict[str, Any] = {
    "id": 22290,
    "label": "Nouveau",
    "color": "#1E8EE1",
    "order": 0,
    "itemLimit": None,
    "type": "DataSubjectRequest",
    "finalStep": False,
    "initialStep": True,
    "authorizedRole": None,
    "authorizedRoleId": None,
    "descriptionHtml": "<p>Read it first</p>",
    "mappedState": "Open",
}
OPERATOR: dict[str, Any] = {
    "id": 31,
    "displayName": "Noor Example",
    "familyName": "Example",
    "givenName": "Noor",
    "email": "noor@example.org",
    "color": "#123456",
    "avatarUrl": "javascript:alert(1)",
    "tenantId": 9,
}
AREA: dict[str, Any] = {"id": 12, "label": "Example SA", "parentId": None, "countryCode": "FR", "children": []}


def request_2023(**changes: Any) -> dict[str, Any]:
    """A whole request as the API sends it since 2023."""
    return {
        "customFields": {"case_origin": "shop"},
        "closedByUser": None,
        "area": AREA,
        "creator": None,
        "operator": OPERATOR,
        "operatorId": 31,
        "attachments": [{"id": "0b6f6c1e-0000-4000-8000-000000000001", "fileName": "proof.pdf", "size": 2048}],
        "messages": [],
        "tags": [{"id": 5, "label": "Shop", "type": "DataSubject", "color": "#0a0"}],
        "id": 501,
        "title": "K7QZ2MBA Elise Sample",
        "locale": "fr",
        "archived": False,
        "archivedDate": None,
        "subjectCategoryId": 3,
        "subjectCategory": {"id": 3, "label": "Customers"},
        "complex": False,
        "dateClosed": None,
        "areaId": 12,
        "state": "Open",
        "description": "Called twice",
        "message": "Please send me my data",
        "resolutionMessage": None,
        "email": "elise.sample@example.org",
        "phoneNumber": "+33100000000",
        "givenName": "Elise",
        "familyName": "Sample",
        "dateDemand": "2026-01-05T09:12:44.1234567",
        "dateCreation": "2026-01-05T09:13:00.5",
        "dateUpdate": None,
        "workFlowStep": STEP,
        "workFlowStepId": 22290,
        "channel": "Widget",
        "refId": "C-77",
        "userId": None,
        "purposes": ["Access", "Erasure", "Access"],
        "closedReason": "None",
        "closedReasonDescription": None,
        "expiryTime": "2026-02-04T09:12:44.1234568",
        "address": "1 Example Street",
        "zipCode": "00000",
        "city": "Exampleville",
        "countryCode": "FR",
        "nbMessages": 4,
        "nbMessagesNotViewed": 1,
        "nbMessagesIncoming": 2,
        "lastMessageDate": "2026-01-07T10:00:00",
        "remainingDays": 12,
        "closingTime": None,
        "additionalDatas": {"givenName": None, "case_origin": "shop"},
        "userNotified": False,
        "dateUserNotified": None,
        "sendNotification": False,
        "emailValidationDate": "2026-01-05T09:13:20.5",
        "mailValidated": True,
        "referrerUrl": "",
        "demandId": "K7QZ2MBA",
        "identityValidated": False,
        "dateIdentityValidated": None,
        "widgetId": 3008,
        **changes,
    }


def request_2022(**changes: Any) -> dict[str, Any]:
    """The same as the API sent it in 2022: a person category, no date of the demand, no messages."""
    newer = {"customFields", "messages", "subjectCategory", "subjectCategoryId", "dateDemand", "nbMessagesIncoming"}
    newer.add("lastMessageDate")
    kept = {name: value for name, value in request_2023().items() if name not in newer}
    return {**kept, "personCategory": "Client", "workFlowStep": {**STEP, "type": "DataSubject"}, **changes}
