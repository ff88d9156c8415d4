"""What an action answers when it refuses: one sentence for a person. Raised by actions, shown by views and commands."""

from __future__ import annotations


class WorkspaceError(Exception):
    """A workspace cannot be added or changed like this. `sentence` is for people and holds no secret; `field` names the
    argument it is about ("" for the whole); `code` is the slug of Dastra's error where Dastra was asked."""

    def __init__(self, sentence: str, *, field: str = "", code: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field
        self.code = code


class WishError(Exception):
    """The wish was not kept, and nothing changed. `sentence` says why to a person; `code` is one of `not_allowed`, `unknown_step`, `invalid`,
    `no_change`, `stale` (it is no longer what the person saw), `busy` (another wish is open), `reused` (the form was used before)."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class ViewError(Exception):
    """A saved view that is not kept or changed. `sentence` says why to a person; `code` is one of `not_allowed`, `invalid`, `taken`, `full`."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class LedgerError(Exception):
    """An entry of a request's clock that is not recorded. `sentence` says why to a person; `field` is the one of the form that it is about."""

    def __init__(self, sentence: str, *, code: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.field = field
