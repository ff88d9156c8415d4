"""The boundaries of a conversation with a mail server, at each of which a sender can be killed: beside those of the database and of HTTP.

A boundary is the moment before a command, when its answer is there but not read, and after it; and the middle of the message.
"""

from __future__ import annotations

import select
import smtplib
from typing import Any

from tests.crash.boundaries import reach

MESSAGE = "the message"


def install() -> None:
    """Hook into the library's lowest floor; in a forked process, which ends with it."""
    smtplib.SMTP.connect = _connect  # type: ignore[method-assign]
    smtplib.SMTP.putcmd = _putcmd  # type: ignore[method-assign]
    smtplib.SMTP.getreply = _getreply  # type: ignore[method-assign]
    smtplib.SMTP.send = _send  # type: ignore[method-assign]


_real = {name: getattr(smtplib.SMTP, name) for name in ("connect", "putcmd", "getreply", "send")}


def _connect(self: smtplib.SMTP, *args: Any, **kwargs: Any) -> Any:
    reach("before SMTP connect")
    self.crash_name = "connect"  # type: ignore[attr-defined]
    return _real["connect"](self, *args, **kwargs)


def _putcmd(self: smtplib.SMTP, cmd: str, args: str = "") -> None:
    name = cmd.partition(" ")[0].upper()
    reach(f"before SMTP {name}")
    self.crash_name = name  # type: ignore[attr-defined]
    _real["putcmd"](self, cmd, args)


def _getreply(self: smtplib.SMTP) -> Any:
    name = self.crash_name  # type: ignore[attr-defined]
    if self.sock is not None:
        select.select([self.sock], [], [], 10)
    reach(f"at the unread answer of SMTP {name}")
    answer = _real["getreply"](self)
    reach(f"after SMTP {name}")
    return answer


def _send(self: smtplib.SMTP, s: Any) -> None:
    if getattr(self, "crash_name", "") != "DATA" or isinstance(s, str):
        _real["send"](self, s)
        return
    reach(f"before SMTP {MESSAGE}")
    half = len(s) // 2
    _real["send"](self, s[:half])
    reach(f"within SMTP {MESSAGE}")
    self.crash_name = MESSAGE  # type: ignore[attr-defined]
    _real["send"](self, s[half:])
