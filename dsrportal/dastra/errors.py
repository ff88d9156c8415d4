"""Everything that can go wrong between the portal and Dastra, in one tree; callers catch `DastraError` or a branch of it.

    DastraError
    ├── ConfigurationError        nothing was sent: what we were told to use makes no sense
    │   └── HostNotAllowed        the address is not one that the operator allows
    ├── PacingUnavailable         nothing was sent: the shared rate limit cannot be read
    ├── CircuitOpen               nothing was sent: too many calls failed, so Dastra is left alone for a while
    │   └── CredentialHeld        nothing was sent: the credential was refused, and a person has to look
    ├── Unreachable               no complete answer came
    │   ├── ConnectionFailed      no connection was made, so nothing was sent
    │   │   ├── NameNotResolved
    │   │   └── CertificateRefused
    │   ├── TimedOut              the deadline passed
    │   ├── AnswerCut             the connection broke before the answer was whole
    │   └── AnswerTooLarge        the answer passed the size cap
    ├── NotTheApi                 something answered, but not Dastra's API (a login page, a redirect)
    │   └── UnexpectedRedirect
    ├── MalformedAnswer           the API answered with something that we cannot read
    │   └── IncompleteList        the pages of a list do not add up
    ├── Unauthorized              401: the credential is not accepted
    ├── Forbidden                 403: the credential may not do this
    ├── NotFound                  404 or 410
    ├── Rejected                  400, 409, 412, 422, 423: Dastra refuses, with a reason
    ├── RateLimited               429, or 503 with Retry-After: wait `pause_seconds`
    ├── ServerFailure             5xx, 408, 425
    └── UnexpectedStatus          any other status, 202 among them

No text in here holds a secret, personal data or an address's query: `sentence` may be shown and stored as it is.
"""

# Every name in this tree is an error by its place in it: "Error" at the end of each would say nothing.
# ruff: noqa: N818

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class DastraError(Exception):
    """Root of the tree.

    `sentence` is fit for a person. `code` is a stable slug for the database. `retryable` says whether the same call may
    succeed later by itself. `outcome_unknown` is true when a write may have been applied although it failed.
    `status` is the HTTP status where there was one.
    """

    code = "dastra_error"
    retryable = False
    default_sentence = "Dastra could not be used."

    def __init__(self, sentence: str = "", *, status: int | None = None, outcome_unknown: bool = False) -> None:
        super().__init__(sentence or self.default_sentence)
        self.sentence = sentence or self.default_sentence
        self.status = status
        self.outcome_unknown = outcome_unknown


class ConfigurationError(DastraError):
    """Nothing was sent: an address, a credential or an argument makes no sense."""

    code = "configuration"
    default_sentence = "The connection to Dastra is not set up correctly."


class HostNotAllowed(ConfigurationError):
    """The address is malformed, or its host is not on the operator's list."""

    code = "host_not_allowed"
    default_sentence = "This address is not one that the portal may call."


class PacingUnavailable(DastraError):
    """Nothing was sent: without the shared rate limit no call is made."""

    code = "pacing_unavailable"
    retryable = True
    default_sentence = "The shared rate limit cannot be read, so Dastra is not called."


class CircuitOpen(DastraError):
    """Nothing was sent. `next_try_seconds` is when the next call may try; None where only a person's act ends it."""

    code = "circuit_open"
    retryable = True
    default_sentence = "Dastra did not work just now, so it is left alone for a moment."

    def __init__(
        self,
        sentence: str = "",
        *,
        status: int | None = None,
        outcome_unknown: bool = False,
        since_seconds: float = 0.0,
        next_try_seconds: float | None = None,
    ) -> None:
        if not sentence and next_try_seconds is not None:
            sentence = f"Dastra has not worked since {_day_and_time(-since_seconds)}; the next try is at {_time(next_try_seconds)}."
        super().__init__(sentence, status=status, outcome_unknown=outcome_unknown)
        self.since_seconds = since_seconds
        self.next_try_seconds = next_try_seconds


class CredentialHeld(CircuitOpen):
    """Nothing was sent: Dastra refused the credential."""

    code = "credential_held"
    retryable = False

    def __init__(
        self,
        sentence: str = "",
        *,
        status: int | None = None,
        outcome_unknown: bool = False,
        since_seconds: float = 0.0,
        next_try_seconds: float | None = None,
    ) -> None:
        if not sentence:
            since = _day_and_time(-since_seconds)
            sentence = (
                f"Dastra has refused the credential since {since}: an admin has to give a new one, or to try again."
            )
            if next_try_seconds is not None:
                sentence = f"Dastra has refused the credential since {since}; it is tried once more at {_time(next_try_seconds)}."
        super().__init__(
            sentence,
            status=status,
            outcome_unknown=outcome_unknown,
            since_seconds=since_seconds,
            next_try_seconds=next_try_seconds,
        )


class Unreachable(DastraError):
    """No complete answer came."""

    code = "unreachable"
    retryable = True
    default_sentence = "Dastra could not be reached."


class ConnectionFailed(Unreachable):
    """No connection was made: nothing was sent, and a write was certainly not applied."""

    code = "connection_failed"
    default_sentence = "The connection to Dastra was refused."


class NameNotResolved(ConnectionFailed):
    code = "name_not_resolved"
    default_sentence = "The name of Dastra's server could not be resolved."


class CertificateRefused(ConnectionFailed):
    code = "certificate_refused"
    retryable = False
    default_sentence = "The server's certificate could not be trusted."


class TimedOut(Unreachable):
    code = "timed_out"
    default_sentence = "Dastra did not answer in time."


class AnswerCut(Unreachable):
    code = "answer_cut"
    default_sentence = "The connection to Dastra broke before its answer was complete."


class AnswerTooLarge(Unreachable):
    code = "answer_too_large"
    retryable = False
    default_sentence = "The server's answer is larger than the portal accepts."


class NotTheApi(DastraError):
    """Something answered with success, but it is not Dastra's API: a login page, a portal, a redirect."""

    code = "not_the_api"
    default_sentence = "The server answered with a page that is not Dastra's API."


class UnexpectedRedirect(NotTheApi):
    """Redirects are never followed: they lose writes and leak the key."""

    code = "unexpected_redirect"
    default_sentence = "The server redirected the call elsewhere; redirects are not followed."


class MalformedAnswer(DastraError):
    """The answer is not what the API documents, or not readable at all."""

    code = "malformed_answer"
    default_sentence = "Dastra's answer could not be read."


class IncompleteList(MalformedAnswer):
    """The pages of a list do not add up: an empty page before the end, the same page again, no end at all."""

    code = "incomplete_list"
    retryable = True
    default_sentence = "Dastra's list ended before it was complete."


class Unauthorized(DastraError):
    code = "unauthorized"
    default_sentence = "Dastra does not accept the credential."


class Forbidden(DastraError):
    code = "forbidden"
    default_sentence = "The credential does not have the right to do this in Dastra."


class NotFound(DastraError):
    code = "not_found"
    default_sentence = "Dastra has no such entry, or this credential cannot see it."


class Rejected(DastraError):
    """Dastra refuses the call. `reason` is the short title of its problem document, escaped for no medium; may be empty."""

    code = "rejected"
    default_sentence = "Dastra refused the change."

    def __init__(
        self, sentence: str = "", *, status: int | None = None, outcome_unknown: bool = False, reason: str = ""
    ) -> None:
        super().__init__(
            sentence or (f"Dastra refused the change: {reason}" if reason else ""),
            status=status,
            outcome_unknown=outcome_unknown,
        )
        self.reason = reason


class RateLimited(DastraError):
    """Too many calls. `pause_seconds` is how long to wait; every process of the machine already holds back."""

    code = "rate_limited"
    retryable = True
    default_sentence = "Dastra asks the portal to slow down."

    def __init__(
        self,
        sentence: str = "",
        *,
        status: int | None = None,
        outcome_unknown: bool = False,
        pause_seconds: float = 60.0,
    ) -> None:
        super().__init__(sentence, status=status, outcome_unknown=outcome_unknown)
        self.pause_seconds = pause_seconds


class ServerFailure(DastraError):
    code = "server_failure"
    retryable = True
    default_sentence = "Dastra reports a failure on its side."


class UnexpectedStatus(DastraError):
    code = "unexpected_status"
    default_sentence = "Dastra answered with a status that the portal does not expect."


def _day_and_time(seconds_from_now: float) -> str:
    """Absolute, since a sentence may be kept and read later."""
    return format(datetime.now(UTC) + timedelta(seconds=seconds_from_now), "%Y-%m-%d %H:%M UTC")


def _time(seconds_from_now: float) -> str:
    return format(datetime.now(UTC) + timedelta(seconds=seconds_from_now), "%H:%M:%S UTC")
