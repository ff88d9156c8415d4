"""What Dastra's documents leave open, as switches with the likeliest setting, and the figures of its rate limit.

Read by every room of the sandbox; set by tests that want to know whether a client bears the other answer. Decides nothing itself.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `count` calls of one key in any `seconds` seconds."""

    count: int
    seconds: float


DOCUMENTED_LIMITS = (Limit(count=500, seconds=60), Limit(count=10_000, seconds=600))


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Each field is one thing that no document settles. The default is the likeliest reading.

    Lists
      archived_true        `archived=true` answers only the archived requests, or live ones also
      tags_match           a request must carry all the tags asked for, or any
      oversized            a size above `max_size` is clamped, or refused with 400
      max_size             the largest page, in rows
      page_past_end        a page after the last is empty, a 404, or the last page again
      envelope_size        `size` of the envelope is the size asked for, or the number of rows returned
      skip_is_offset       `skip` replaces `(page - 1) * size`; otherwise it is ignored
      area_includes_children  `areaId` also answers the requests of the units below
      unknown_sort         an unknown `sortBy` is refused with 400, or ignored
      list_rows            rows of a list are the whole objects, or the flat ones of a creation's answer
      list_lag_seconds     lists show the rows as they were so many seconds ago; reads by id never lag

    Requests
      generation           2023: 60 fields; 2022: `personCategory`, step type `DataSubject`, no custom fields
      create_status        status of a successful creation
      patch_answer, workflow_answer  the whole object, or an empty body
      step_change_updates  a change of step sets `dateUpdate`
      complex_moves_expiry the toggle `complex` sets the expiry to 90 (or back to 30) days after the request
      closed_days          `remainingDays` of a closed request counts on, is frozen at closing, or is null
      step_roles           a step with `authorizedRoleId` refuses a key without that role
      item_limits          a step that holds its `itemLimit` refuses more

    Neighbours
      workflows_endpoint, legacy_endpoints  exist, or answer 404 (legacy: stats, dashboard, columns, set-identity-validation)
      workspaces_shape     `paged`: items and total; `plan`: pricing plan and `workSpaces`

    Messages and files
      messages_by_request  a list narrows to `dataSubjectRequestId`; otherwise it answers everybody's
      message_answer, upload_answer  the object, or an empty body
      message_files        files named in a message go with it, or it is stored without them
      message_downloads    a message's files have an address of their own; otherwise only the request's address knows them
      largest_upload       bytes of a call with a file; above them 413

    Webhooks
      webhook_data         `data` is the whole object (of a message: the message), only its id, the id as text, or null
      webhook_event        `eventType` is the name or the number
      webhook_delay_seconds, webhook_loss  how late an event is sent, and the share (0 to 1) that never is
      webhook_timeout_seconds, webhook_errors_allowed  patience with a receiver; an address with more errors is blocked

    Transport
      error_body           `problem`: application/problem+json; `empty`; `html`
      limits               the rate limit; windows may be shortened in tests
      limits_enforced      False: the journal still judges, nobody is stopped
      limit_answer         429 as plain text with Retry-After, as `bare` status, or as `json` with Retry-After
      limit_headers        X-Rate-Limit-* on ordinary answers
      basic_auth           the legacy `Authorization: Basic` on the API itself is accepted
      token_seconds        lifetime of an OAuth token
    """

    archived_true: Literal["only", "also"] = "only"
    tags_match: Literal["all", "any"] = "all"
    oversized: Literal["clamp", "refuse"] = "clamp"
    max_size: int = 500
    page_past_end: Literal["empty", "not_found", "last"] = "empty"
    envelope_size: Literal["asked", "returned"] = "asked"
    skip_is_offset: bool = True
    area_includes_children: bool = False
    unknown_sort: Literal["refuse", "ignore"] = "refuse"
    list_rows: Literal["heavy", "light"] = "heavy"
    list_lag_seconds: float = 0.0

    generation: Literal[2022, 2023] = 2023
    create_status: int = 200
    patch_answer: Literal["object", "empty"] = "object"
    workflow_answer: Literal["object", "empty"] = "empty"
    step_change_updates: bool = True
    complex_moves_expiry: bool = True
    closed_days: Literal["counting", "frozen", "null"] = "frozen"
    step_roles: bool = False
    item_limits: bool = False

    workflows_endpoint: bool = True
    legacy_endpoints: bool = True
    workspaces_shape: Literal["paged", "plan"] = "paged"

    messages_by_request: bool = True
    message_answer: Literal["object", "empty"] = "object"
    upload_answer: Literal["object", "empty"] = "object"
    message_files: Literal["linked", "dropped"] = "linked"
    message_downloads: bool = True
    largest_upload: int = 50 * 1024 * 1024

    webhook_data: Literal["object", "id", "text_id", "nothing"] = "object"
    webhook_event: Literal["name", "number"] = "name"
    webhook_delay_seconds: float = 0.0
    webhook_loss: float = 0.0
    webhook_timeout_seconds: float = 10.0
    webhook_errors_allowed: int = 5

    error_body: Literal["problem", "empty", "html"] = "problem"
    limits: tuple[Limit, ...] = DOCUMENTED_LIMITS
    limits_enforced: bool = True
    limit_answer: Literal["plain", "bare", "json"] = "plain"
    limit_headers: bool = True
    basic_auth: bool = True
    token_seconds: int = 3600
