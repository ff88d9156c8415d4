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
