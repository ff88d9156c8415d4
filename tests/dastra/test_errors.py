"""The tree of errors: every leaf can be stored, shown, sent between processes and told apart."""

from __future__ import annotations

import pickle

import pytest

from dsrportal.dastra import errors


def tree(root: type[errors.DastraError]) -> list[type[errors.DastraError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


KINDS = tree(errors.DastraError)


def test_codes_are_stable_names_of_one_kind_each() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(KINDS)
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_speaks_and_travels(kind: type[errors.DastraError]) -> None:
    error = kind(status=500, outcome_unknown=True)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    for each in (error, copy):
        assert type(each) is kind
        assert (each.status, each.outcome_unknown) == (500, True)
        assert each.sentence.endswith(".")
        assert str(each) == each.sentence


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    drawn = [line.split("──", 1)[1].split()[0] for line in (errors.__doc__ or "").splitlines() if "──" in line]
    assert drawn == [kind.__name__ for kind in KINDS[1:]]


def test_what_comes_with_an_error_is_kept() -> None:
    assert pickle.loads(pickle.dumps(errors.RateLimited(pause_seconds=7))).pause_seconds == 7  # noqa: S301
    rejected = pickle.loads(pickle.dumps(errors.Rejected(reason="The step is full")))  # noqa: S301
    assert rejected.reason == "The step is full"
    assert rejected.sentence == "Dastra refused the change: The step is full"
