"""What the dialogs of a request ask: who has it, its tags, its date, its fields, how it ends. Parses and bounds; whether it is allowed is the action's.

`seen` travels with each form: what the person had before them, so that only what they changed is wished, and a change by somebody else is noticed.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dsrportal.models.outbox import CUSTOM, WishKind
from dsrportal.queries import words
from dsrportal.queries.vocabulary import Vocabulary

NOON = time(12)
LONGEST_SEEN = 40_000
SINGLE = str | int | bool
LISTS = ("tags", "purposes")
LONG_LINE = 80
LANGUAGES = ("fr", "nl", "en", "de")


class DateInput(forms.DateInput):
    """The browser's own date field, which wants ISO 8601 whatever the language."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class SeenField(forms.JSONField):
    """A small mapping, hidden in the page. Cleans to a dict; raises `ValidationError` for anything else."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput, required=False)

    def to_python(self, value: Any) -> Any:
        """Refuses a long text before it is parsed."""
        if isinstance(value, str) and len(value) > LONGEST_SEEN:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            found = super().to_python(value)
        except (ValueError, RecursionError):  # a number of thousands of digits, or a thousand brackets
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
        if found is not None and not _is_plain(found):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found or {}


class ChangeForm(forms.Form):
    """One dialog. `initial` holds `seen`, by the names of the actions' fields; dates are days in the workspace's time zone."""

    seen = SeenField()

    def __init__(self, *args: Any, known: Vocabulary, zone: ZoneInfo, now: datetime, **kwargs: Any) -> None:
        self.known, self.zone, self.now = known, zone, now
        super().__init__(*args, **kwargs)
        self.offer()

    def offer(self) -> None:
        """Fill in what there is to choose from."""

    def wanted(self) -> dict[str, Any]:
        """The values that a valid form asks for."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    def day_of(self, name: str) -> date | None:
        """The day of an instant that was seen."""
        return (at := self._seen_instant(name)) and at.astimezone(self.zone).date()

    def instant_of(self, name: str, *, day: date) -> str:
        """The instant of a day: the one that was seen if it falls on it, else the same time of that day, else noon."""
        seen = self._seen_instant(name)
        if seen and seen.astimezone(self.zone).date() == day:
            return str(self.initial["seen"][name])
        at = seen.astimezone(self.zone).timetz().replace(tzinfo=None) if seen else NOON
        return _utc(datetime.combine(day, at, tzinfo=self.zone))

    def _seen_instant(self, name: str) -> datetime | None:
        try:
            return datetime.fromisoformat(self.initial["seen"][name])
        except (KeyError, TypeError, ValueError):
            return None


class AssignForm(ChangeForm):
    """Who has it; empty: nobody."""

    operator = forms.TypedChoiceField(label=gettext_lazy("Assignee"), coerce=int, empty_value=None, required=False)

    def offer(self) -> None:
        """The workspace's people."""
        people = [(one.upstream_id, self.known.shown_operator(one.pk)) for one in self.known.operators.values()]
        self.fields["operator"].choices = [("", _("Unassigned")), *people]  # type: ignore[attr-defined]


class TagForm(ChangeForm):
    """All its tags. Others' tags that it did not show stay."""

    tags = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Tags"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    def offer(self) -> None:
        """The workspace's tags."""
        self.fields["tags"].choices = [(tag.upstream_id, tag.label) for tag in self.known.tags.values()]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """What to add and what to take away."""
        ticked = set(self.cleaned_data["tags"])
        seen = {tag for tag in self.cleaned_data["seen"].get("tags", ()) if isinstance(tag, int)}
        return {"add": sorted(ticked - seen), "remove": sorted(seen - ticked)}


class ExtendForm(ChangeForm):
    """Dastra's date, and whether the request is complex."""

    expires = forms.DateField(label=gettext_lazy("New date"), widget=DateInput())
    complex = forms.BooleanField(label=gettext_lazy("Complex"), required=False)

    def offer(self) -> None:
        """The date as it is."""
        self.initial.setdefault("expires", self.day_of("expires"))

    def wanted(self) -> dict[str, Any]:
        """The date as an instant."""
        values = super().wanted()
        return {**values, "expires": self.instant_of("expires", day=values["expires"])}


class EditForm(ChangeForm):
    """The fields of the request itself. Who may not see the title is not asked for it."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=240)
    received = forms.DateField(label=gettext_lazy("Received"), widget=DateInput())
    purposes = forms.MultipleChoiceField(label=gettext_lazy("Rights"), widget=forms.CheckboxSelectMultiple)
    area = forms.TypedChoiceField(label=gettext_lazy("Area"), coerce=int, empty_value=None)
    locale = forms.ChoiceField(label=gettext_lazy("Language"))
    complex = forms.BooleanField(label=gettext_lazy("Complex"), required=False)

    def offer(self) -> None:
        """Rights, areas and languages; what the request has already is always among them."""
        values = self.initial.get("seen") or {}
        if "title" not in values:
            del self.fields["title"]
        codes = dict.fromkeys([*words.RIGHTS, *values.get("purposes", ())])
        self.fields["purposes"].choices = [(code, words.right(code)) for code in codes]  # type: ignore[attr-defined]
        areas = [(area.upstream_id, area.label) for area in self.known.areas.values()]
        self.fields["area"].choices = [("", "–"), *areas] if values.get("area") is None else areas  # type: ignore[attr-defined]
        locales = dict.fromkeys([values.get("locale") or LANGUAGES[0], *LANGUAGES])
        self.fields["locale"].choices = [(code, words.language(code)) for code in locales]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if name == "received":
                self.initial.setdefault(name, self.day_of(name))
            elif name != "seen":
                self.initial.setdefault(name, values.get(name))
                field.required = field.required and (name != "area" or values.get("area") is not None)

    def wanted(self) -> dict[str, Any]:
        """Only what differs from what was seen."""
        values = super().wanted()
        values["received"] = self.instant_of("received", day=values["received"])
        values["purposes"] = sorted(values["purposes"])
        seen = self.cleaned_data["seen"]
        return {name: value for name, value in values.items() if name in seen and value != seen[name]}


class CustomForm(ChangeForm):
    """The workspace's own text fields, which Dastra names; `seen` says which there are and what was in them."""

    def offer(self) -> None:
        """One field for each."""
        for name, value in (self.initial.get("seen") or {}).items():
            if name.startswith(CUSTOM) and isinstance(value, str):
                label = name.removeprefix(CUSTOM).replace("_", " ")
                widget = forms.Textarea if len(value) > LONG_LINE or "\n" in value else forms.TextInput
                self.fields[name] = forms.CharField(
                    label=label, max_length=20_000, required=False, strip=False, widget=widget, initial=value
                )

    def wanted(self) -> dict[str, Any]:
        """Only what differs; a browser's line ends are no difference."""
        seen = self.cleaned_data["seen"]
        values = {name: value.replace("\r\n", "\n") for name, value in super().wanted().items()}
        return {name: value for name, value in values.items() if value != seen[name].replace("\r\n", "\n")}


class CloseForm(ChangeForm):
    """How it ends. The person is told by Dastra only where the box was ticked."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"))
    closed_on = forms.DateField(label=gettext_lazy("Closed on"), widget=DateInput())
    message = forms.CharField(
        label=gettext_lazy("Text for the person"), max_length=20_000, required=False, widget=forms.Textarea
    )
    description = forms.CharField(
        label=gettext_lazy("Internal reason"), max_length=2_500, required=False, widget=forms.Textarea
    )
    notify = forms.BooleanField(label=gettext_lazy("Have Dastra write to the person now"), required=False)

    def offer(self) -> None:
        """Dastra's reasons, none of which is chosen beforehand; today."""
        reasons = [(code, words.closed_reason(code)) for code in words.CLOSED_REASONS]
        self.fields["reason"].choices = [("", _("Choose a reason")), *reasons]  # type: ignore[attr-defined]
        self.initial.setdefault("closed_on", self.now.astimezone(self.zone).date())

    def wanted(self) -> dict[str, Any]:
        """The day as an instant: noon, or its beginning while noon is still to come."""
        values = super().wanted()
        day = values.pop("closed_on")
        noon = datetime.combine(day, NOON, tzinfo=self.zone)
        at = noon if noon <= self.now else datetime.combine(day, time(), tzinfo=self.zone)
        return {**values, "closed_at": _utc(at)}


def _is_plain(found: Any) -> bool:
    """Whether it is a mapping of single values, and of lists where a field is a list."""
    return (
        isinstance(found, dict)
        and all(
            all(isinstance(one, SINGLE) for one in value)
            if isinstance(value, list)
            else isinstance(value, SINGLE | None)
            for value in found.values()
        )
        and all(isinstance(found.get(name, []), list) for name in LISTS)
    )


def read_seen(text: str) -> dict[str, Any]:
    """What a posted form carries of what was seen; nothing where that makes no sense."""
    try:
        found: dict[str, Any] = SeenField().clean(text)
    except forms.ValidationError:
        return {}
    return found


FORMS: dict[WishKind, type[ChangeForm]] = {
    WishKind.ASSIGN: AssignForm,
    WishKind.TAG: TagForm,
    WishKind.EXTEND: ExtendForm,
    WishKind.EDIT: EditForm,
    WishKind.CLOSE: CloseForm,
}

SEEN_BY: dict[WishKind, tuple[str, ...]] = {
    WishKind.ASSIGN: ("operator",),
    WishKind.TAG: ("tags",),
    WishKind.EXTEND: ("expires", "complex"),
    WishKind.EDIT: ("title", "received", "purposes", "area", "locale", "complex"),
    WishKind.CLOSE: (),
}
"""What each form carries of what the person had before them."""


def _utc(at: datetime) -> str:
    return at.astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")
