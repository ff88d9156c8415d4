"""JSON both ways: nothing that a PUT sends back differs from what a GET brought."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsrportal.dastra import wire_json
from dsrportal.dastra.errors import MalformedAnswer

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(Json)
def test_what_is_read_is_written_back_as_it_was(value: object) -> None:
    text = json.dumps(value, separators=(",", ":"))
    assert wire_json.encode(wire_json.decode(text)).decode() == text


@pytest.mark.parametrize(
    "text",
    [
        '{"amount":3.10,"ratio":0.1000000000000000055511151231257827,"large":1E5,"tiny":-0.0}',
        '{"b":1,"a":2,"__proto__":{"x":[]},"":null}',
        '{"text":"\\u0000 \\ud800 \\u2028 </script>"}',
        f'{{"id":{"9" * 4000}}}',
    ],
)
def test_digits_order_and_odd_letters_survive(text: str) -> None:
    assert wire_json.encode(wire_json.decode(text)).decode() == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, {"a": {1}}])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|key"):
        wire_json.encode(value)


def test_nesting_is_refused_both_ways_before_the_stack_is() -> None:
    deep: object = []
    for _ in range(200):
        deep = [deep]
    assert wire_json.flaw(deep) == "nested too deep"
    with pytest.raises(ValueError, match="deep"):
        wire_json.encode(deep)
    with pytest.raises(MalformedAnswer):
        wire_json.decode("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a":[{"b":NaN}]}', "a number is not finite"),
        ('{"a":-Infinity}', "a number is not finite"),
        ('{"a":1e999}', "a number is not finite"),
        ('{"a":[{"b":1,"b":2}]}', "a key is repeated"),
        ('{"a":[{"b":1.5,"c":null,"d":true}]}', ""),
    ],
)
def test_flaws_are_found_where_they_stand(text: str, found: str) -> None:
    assert wire_json.flaw(wire_json.decode(text)) == found


def test_a_flawed_object_is_never_sent_back() -> None:
    for text in ('{"a":NaN}', '{"a":1,"a":2}'):
        with pytest.raises(ValueError, match="JSON"):
            wire_json.encode(wire_json.decode(text))
