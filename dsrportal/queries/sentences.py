"""What Dastra's client and the background jobs said in plain English, in the reader's language. Called wherever a kept sentence is shown.

The client knows no Django, and a job has no reader: both write English, and the translation happens here, at the last moment. A sentence
that is not known, one with Dastra's own reason in it for example, is shown as it was written.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext, gettext_noop, ngettext

KNOWN = (
    gettext_noop("Dastra could not be used."),
    gettext_noop("The connection to Dastra is not set up correctly."),
    gettext_noop("This address is not one that the portal may call."),
    gettext_noop("The shared rate limit cannot be read, so Dastra is not called."),
    gettext_noop("Dastra did not work just now, so it is left alone for a moment."),
    gettext_noop("Dastra could not be reached."),
    gettext_noop("The connection to Dastra was refused."),
    gettext_noop("The name of Dastra's server could not be resolved."),
    gettext_noop("The server's certificate could not be trusted."),
    gettext_noop("Dastra did not answer in time."),
    gettext_noop("The connection to Dastra broke before its answer was complete."),
    gettext_noop("The server's answer is larger than the portal accepts."),
    gettext_noop("The server answered with a page that is not Dastra's API."),
    gettext_noop("The server redirected the call elsewhere; redirects are not followed."),
    gettext_noop("Dastra's answer could not be read."),
    gettext_noop("Dastra's list ended before it was complete."),
    gettext_noop("Dastra does not accept the credential."),
    gettext_noop("The credential does not have the right to do this in Dastra."),
    gettext_noop("Dastra has no such entry, or this credential cannot see it."),
    gettext_noop("Dastra refused the change."),
    gettext_noop("Dastra asks the portal to slow down."),
    gettext_noop("Dastra reports a failure on its side."),
    gettext_noop("Dastra answered with a status that the portal does not expect."),
    gettext_noop("The address must end after the host; the portal adds the path."),
    gettext_noop("The address is not of the form https://host or https://host:port."),
    gettext_noop("This host is not on the list of hosts that the portal may call."),
    gettext_noop("The address must begin with https://."),
    gettext_noop("The token service answered without a usable token."),
    gettext_noop("The token service does not accept the keys."),
    gettext_noop("It was archived in Dastra meanwhile."),
    gettext_noop("It was closed in Dastra meanwhile."),
    gettext_noop("It was changed in Dastra meanwhile."),
    gettext_noop("Somebody else changed the same in Dastra meanwhile."),
    gettext_noop("It is archived in Dastra."),
    gettext_noop("It is not archived."),
    gettext_noop("Nothing was different, so nothing is sent."),
    gettext_noop("Dastra no longer has this step."),
    gettext_noop("The portal no longer has this request."),
    gettext_noop(
        "Whether Dastra made it could not be found out: it may exist. Please look for it among the newest requests."
    ),
    gettext_noop("Dastra holds something else now."),
    gettext_noop("The files could not be brought to Dastra. Nothing was sent to the person."),
    gettext_noop("Dastra does not list a file that it took. Nothing was sent to the person."),
    gettext_noop("Dastra takes no file or text of this size. Nothing was sent to the person."),
    gettext_noop("Dastra does not take this kind of file. Nothing was sent to the person."),
    gettext_noop("Dastra does not list the message: it was not sent."),
    gettext_noop(
        "Whether Dastra sent the message could not be found out. Look at its messages before you write again."
    ),
    gettext_noop("It is closed: its dates stay as they are."),
    gettext_noop("It is extended already. Two further months are all that the law gives."),
    gettext_noop("A refusal is recorded already."),
    gettext_noop("You may not change requests of this workspace."),
    gettext_noop("Dastra does not tell which messages belong to this request."),
    gettext_noop("Dastra did not apply it."),
    gettext_noop("The request is no longer in Dastra."),
    gettext_noop("The workspace is disabled: nothing was changed."),
    gettext_noop("The portal stopped while sending."),
    gettext_noop("What was to be written can no longer be opened."),
    gettext_noop("Whether Dastra applied it can no longer be checked: please look there."),
    gettext_noop("The server's name leads to an address that the portal may not call."),
    gettext_noop("Dastra answered with something else than a list."),
    gettext_noop("Dastra's list ended before the count that it gave."),
    gettext_noop("Dastra sends the same page of its list again and again."),
    gettext_noop("Dastra sent an empty page before the end of its list."),
    gettext_noop("Dastra's list has no end."),
    gettext_noop("Dastra sends page after page of rows that nobody can tell apart."),
    gettext_noop("Dastra answered with something else than the object asked for."),
    gettext_noop("Dastra's answer is compressed in a way that was not asked for."),
    gettext_noop("Dastra answered with nothing."),
    gettext_noop("Dastra's answer is in a character set that the portal does not read."),
    gettext_noop("Dastra's answer is not readable text."),
    gettext_noop("Dastra's answer is not readable JSON."),
)

PATTERNS = (
    gettext_noop("It was moved to “%(step)s” in Dastra meanwhile."),
    gettext_noop("It is in “%(step)s” in Dastra now."),
    gettext_noop("It is in “%(step)s” already."),
    gettext_noop("Dastra dropped what was in: %(names)s."),
    gettext_noop("The message was sent, but the clock did not take it: %(sentence)s"),
    gettext_noop("Dastra sent the message without %(n)s of its files: they are beside the request."),
    gettext_noop("%(name)s is already changing this request."),
    gettext_noop("Dastra did not apply it: the request is still in “%(step)s”. %(sentence)s"),
    gettext_noop("Dastra did not apply it: the request is still in “%(step)s”."),
    gettext_noop("Dastra did not apply it. %(sentence)s"),
    gettext_noop("Dastra could not be read back: %(sentence)s"),
    gettext_noop("Dastra refused the change: %(reason)s"),
    gettext_noop("Dastra has not worked since %(since)s; the next try is at %(next)s."),
    gettext_noop("Dastra has refused the credential since %(since)s; it is tried once more at %(next)s."),
    gettext_noop("Dastra has refused the credential since %(since)s: an admin has to give a new one, or to try again."),
    gettext_noop("%(sentence)s Nothing was changed."),
)
"""Sentences with a gap, the longest first; what fills the gap named `sentence` is one of Dastra's client and is translated too."""

MISSING = re.compile(r"(?P<missing>\d+) of (?P<covered>\d+) requests? (?:was|were) in none of Dastra's lists\b.*")


def in_words(sentence: str) -> str:
    """The sentence in the active language; unknown ones, and the empty one, as they are."""
    if found := MISSING.fullmatch(sentence):
        counts = {name: int(digits) for name, digits in found.groupdict().items()}
        return (
            ngettext(
                "%(missing)d of %(covered)d request was in none of Dastra's lists, more than a fifth. Nothing was forgotten; "
                "an admin decides.",
                "%(missing)d of %(covered)d requests were in none of Dastra's lists, more than a fifth. Nothing was forgotten; "
                "an admin decides.",
                counts["covered"],
            )
            % counts
        )
    for pattern, shape in _SHAPES:
        if found := shape.fullmatch(sentence):
            gaps = found.groupdict()
            if "sentence" in gaps:
                gaps["sentence"] = in_words(gaps["sentence"])
            return gettext(pattern) % gaps
    return gettext(sentence) if sentence else ""


def _shape(pattern: str) -> re.Pattern[str]:
    """What matches a pattern that was filled in."""
    parts = re.split(r"%\((\w+)\)s", pattern)
    return re.compile(
        "".join(f"(?P<{part}>.+)" if n % 2 else re.escape(part) for n, part in enumerate(parts)), re.DOTALL
    )


_SHAPES = tuple((pattern, _shape(pattern)) for pattern in PATTERNS)
