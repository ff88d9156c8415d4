"""What a person chose for their own eyes and hands: the keys, the cards' height, folded columns, hints. Called by views; never touches a request."""

from __future__ import annotations

from django.db import transaction

from dsrportal.models import Membership, User

MOST_FOLDED = 60


def use_keys(user: User, *, is_on: bool) -> None:
    """Turn the single keys on or off."""
    User.objects.filter(pk=user.pk).update(uses_keys=is_on)
    user.uses_keys = is_on


def choose_density(user: User, *, is_compact: bool) -> None:
    """Make the board's cards two lines high, or as high as they are."""
    User.objects.filter(pk=user.pk).update(has_compact_board=is_compact)
    user.has_compact_board = is_compact


def dismiss_hint(user: User, *, name: str) -> None:
    """Never show the hint of this name again."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        names = {one for one in row.dismissed_hints.split("|") if one} | {name}
        row.dismissed_hints = "|".join(["", *sorted(names), ""])
        row.save(update_fields=["dismissed_hints"])
    user.dismissed_hints = row.dismissed_hints


def show_hints(user: User) -> None:
    """Show all hints again."""
    User.objects.filter(pk=user.pk).update(dismissed_hints="")
    user.dismissed_hints = ""


def fold_column(membership: Membership, *, key: str, is_folded: bool) -> None:
    """Note that a column of the workspace's board is folded, or no longer. The oldest choices go where there are too many."""
    with transaction.atomic():
        row = Membership.objects.select_for_update().get(pk=membership.pk)
        folded = [one for one in row.folded_columns.split("|") if one and one != key]
        if is_folded:
            folded.append(key)
        row.folded_columns = "|".join(["", *folded[-MOST_FOLDED:], ""]) if folded else ""
        row.save(update_fields=["folded_columns"])
    membership.folded_columns = row.folded_columns
