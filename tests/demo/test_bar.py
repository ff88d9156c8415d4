"""The progress of the first read, on a terminal and in a log."""

from __future__ import annotations

import io

from dsrportal.demo import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_fills_up_over_both_lists() -> None:
    out = Terminal()
    bar = Bar(title="Reading Acme", out=out)
    for seen, total in ((500, 550), (550, 550), (600, 50)):
        bar.draw(seen=seen, total=total)
    bar.end("600 requests")
    drawn = out.getvalue().split("\r")[1:]
    assert [line.split("] ")[1].split(" \033")[0] for line in drawn[:-1]] == [
        "0",
        "500 of 550",
        "550 of 550",
        "600 of 600",
    ]
    assert drawn[3].count("█") == Bar.WIDTH
    assert drawn[-1] == "Reading Acme: 600 requests.\033[K\n"


def test_in_a_log_there_is_a_line_for_each_tenth_and_no_control_character() -> None:
    out = io.StringIO()
    bar = Bar(title="Reading Acme", out=out)
    for seen in range(1, 101):
        bar.draw(seen=seen, total=100)
    bar.end("100 requests")
    lines = out.getvalue().splitlines()
    assert lines[0] == "Reading Acme…"
    assert lines[1:-1] == [f"Reading Acme: {tenth} of 100…" for tenth in range(10, 101, 10)]
    assert lines[-1] == "Reading Acme: 100 requests."
    assert out.getvalue().replace("\n", "").isprintable()
