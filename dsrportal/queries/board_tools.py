"""What stands above a board: its filters as chips, the ways to cut it into lanes, the same as a list; and the filter panel. Called by `views.board`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from dsrportal.models import User, Workspace
from dsrportal.queries import register_chips, vocabulary
from dsrportal.queries.board_lane_kinds import ASSIGNEE
from dsrportal.queries.board_question import LANES, Question
from dsrportal.queries.register_chips import Chip, Choice, Group
from dsrportal.queries.register_filters import RegisterFilters

PANEL_GROUPS = ("clock", "purposes", "users", "tags")
PANEL_SWITCHES = ("later", "unread", "complex", "mail")
PANEL_NAMES = {*PANEL_GROUPS, *PANEL_SWITCHES, "areaId", "unassigned"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One way to look at the board, and the address that does."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """`url` is the board as asked, `query` its question alone; `plain_url` without filters; `list_url` the same requests in the register."""

    url: str
    query: str
    chips: tuple[Chip, ...]
    plain_url: str
    filter_url: str
    list_url: str
    lanes: tuple[Place, ...]
    lane_label: str
    assigns: bool
    is_compact: bool
    has_left_out: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """The filter panel: a form that asks for `url`; `kept` are names and values that it has no field for."""

    url: str
    plain_url: str
    kept: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    areas: tuple[Choice, ...]
    switches: tuple[Choice, ...]
    is_unassigned: bool


def lane_label(lanes: str) -> str:
    """The words of a way to cut the board."""
    return {
        "": _("No lanes"),
        "assignee": _("By assignee"),
        "right": _("By right"),
        "area": _("By area"),
        "urgency": _("By urgency"),
    }[lanes]


def meet(workspace: Workspace, question: Question, *, viewer: User) -> tuple[Question, Tools]:
    """The question without what this workspace does not have, and what stands above its board. No query without filters, else four."""
    url = reverse("board.board", args=[workspace.slug])
    asked = question
    chips: tuple[Chip, ...] = ()
    if question.is_narrowed:
        known = vocabulary.of_workspace(workspace)
        kept, _is_less = known.keep_known(question.filters)
        question = replace(question, filters=kept)
        lanes = [("lanes", question.lanes)] if question.lanes else []
        chips = tuple(
            replace(chip, remove_url=_with(chip.remove_url, lanes))
            for chip in register_chips.chips(kept, url=url, vocabulary=known, search=None)
        )
    list_query = urlencode([*question.filters.pairs(), ("view", "0")])
    filter_url = reverse("board.filters", args=[workspace.slug])
    return question, Tools(
        url=question.address(url),
        query=urlencode(question.pairs()),
        chips=chips,
        plain_url=replace(question, filters=RegisterFilters()).address(url),
        filter_url=question.address(filter_url),
        list_url=f"{reverse('register.register', args=[workspace.slug])}?{list_query}",
        lanes=tuple(
            Place(
                label=lane_label(lanes),
                url=replace(question, lanes=lanes).address(url),
                is_current=lanes == question.lanes,
            )
            for lanes in ("", *LANES)
        ),
        lane_label=lane_label(question.lanes),
        assigns=question.lanes == ASSIGNEE,
        is_compact=viewer.has_compact_board,
        has_left_out=asked.filters != question.filters,
    )


def panel(workspace: Workspace, question: Question) -> Panel:
    """The filter panel for the question. Four queries."""
    known = vocabulary.of_workspace(workspace)
    filters, _is_less = known.keep_known(question.filters)
    url = reverse("board.board", args=[workspace.slug])
    groups = {group.name: group for group in register_chips.groups(filters, vocabulary=known)}
    return Panel(
        url=url,
        plain_url=replace(question, filters=RegisterFilters()).address(url),
        kept=tuple(pair for pair in replace(question, filters=filters).pairs() if pair[0] not in PANEL_NAMES),
        groups=tuple(groups[name] for name in PANEL_GROUPS if groups[name].choices),
        areas=tuple(
            Choice(value=str(area.upstream_id), label=area.label, is_chosen=area.upstream_id == filters.area_id)
            for area in known.areas.values()
        ),
        switches=tuple(
            Choice(value=name, label=register_chips.switch_label(name), is_chosen=bool(getattr(filters, name)))
            for name in PANEL_SWITCHES
        ),
        is_unassigned=filters.unassigned,
    )


def _with(url: str, pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(pairs)}"
