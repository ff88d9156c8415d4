"""What the portal keeps. Models do no I/O beyond the database; rows of the mirror are written by `dsrportal.mirror` alone."""

from dsrportal.models.alert_rules import Absence, AlertRules, AlertWish, MutedRequest
from dsrportal.models.alerts import Alert, AssigneeAccount, Mail, Notice
from dsrportal.models.audit import AuditEvent
from dsrportal.models.channels import Channel, ChannelAlert, ChannelMessage
from dsrportal.models.correspondence import Draft, Enclosure, LetterTemplate
from dsrportal.models.feeds import CalendarFeed
from dsrportal.models.figures import Tally, TallyCheck
from dsrportal.models.history import DateChange, StepChange
from dsrportal.models.invitations import Invitation
from dsrportal.models.ledger import Extension, Pause, Refusal
from dsrportal.models.outbox import OutboxEntry
from dsrportal.models.pacing import PacedCall, PacedKey
from dsrportal.models.people import Membership, Role, User
from dsrportal.models.requests import (
    Area,
    DataSubjectRequest,
    DriftNote,
    ForgottenRequest,
    IdentityWord,
    Operator,
    SetAsideRow,
    Tag,
    WorkflowStep,
)
from dsrportal.models.rules import AddedHoliday
from dsrportal.models.runs import JobAttempt, JobHeartbeat, Lane, SyncLane, SyncRun
from dsrportal.models.saved_views import SavedView
from dsrportal.models.webhooks import UnheardChange, WebhookEvent, WebhookReceiver
from dsrportal.models.workspaces import Workspace

__all__ = [
    "Absence",
    "AddedHoliday",
    "Alert",
    "AlertRules",
    "AlertWish",
    "Area",
    "AssigneeAccount",
    "AuditEvent",
    "CalendarFeed",
    "Channel",
    "ChannelAlert",
    "ChannelMessage",
    "DataSubjectRequest",
    "DateChange",
    "Draft",
    "DriftNote",
    "Enclosure",
    "Extension",
    "ForgottenRequest",
    "IdentityWord",
    "Invitation",
    "JobAttempt",
    "JobHeartbeat",
    "Lane",
    "LetterTemplate",
    "Mail",
    "Membership",
    "MutedRequest",
    "Notice",
    "Operator",
    "OutboxEntry",
    "PacedCall",
    "PacedKey",
    "Pause",
    "Refusal",
    "Role",
    "SavedView",
    "SetAsideRow",
    "StepChange",
    "SyncLane",
    "SyncRun",
    "Tag",
    "Tally",
    "TallyCheck",
    "UnheardChange",
    "User",
    "WebhookEvent",
    "WebhookReceiver",
    "WorkflowStep",
    "Workspace",
]
