"""Every component in every state, for those who draw the pages. Served in debug mode only; its data are invented and its words not translated."""

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

CLOCKS = {
    "overdue": "2 d overdue",
    "due-now": "due today",
    "decide-extension": "extend or answer by 10 Mar",
    "soon": "Tue 10 Mar · 4 d",
    "paused": "paused · Thu 2 Apr without",
    "on-track": "Mon 27 Apr · 52 d",
    "unknown": "no receipt date",
    "closed-early": "3 d early",
    "closed-late": "2 d late",
}
LEVELS = [
    ("fresh", "Read from Dastra 2 min ago"),
    ("stale", "Read from Dastra 42 min ago"),
    ("unread", "Not read since 09:12: the key was refused"),
    ("never", "Not read yet"),
]


class GalleryForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name", help_text="As your team calls it.")
    country = forms.ChoiceField(label="Country", choices=[("FR", "France"), ("NL", "Netherlands")])
    key = forms.CharField(
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Paste the key from Dastra."},
    )
    reason = forms.ChoiceField(
        label="Reason",
        widget=forms.RadioSelect,
        choices=[("a", "Accepted"), ("d", "Duplicate"), ("i", "Wrong identity")],
    )
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    told = forms.BooleanField(
        label="The person has been told", help_text="With the reasons, and the date of the letter."
    )
    fixed = forms.CharField(label="Address of Dastra", disabled=True, initial="https://api.dastra.eu", required=False)


@login_not_required
def gallery(request: HttpRequest) -> HttpResponse:
    """`/gallery/`"""
    cards = [
        {
            "reference": f"DSR-2026-{100 + place:04}",
            "rights": ["Access", "Access, Erasure", "Rectification, Portability, Objection"][place % 3],
            "complex": place % 4 == 1,
            "state": state,
            "text": text,
            "person": ["A. M.", "J. V.", "S. O."][place % 3],
            "assignee": ["LB", "", "AM"][place % 3],
            "unread": [0, 2, 0, 1][place % 4],
            "classes": {1: "card--pending", 3: "card--refused"}.get(place, ""),
        }
        for place, (state, text) in enumerate(CLOCKS.items())
    ]
    columns = [
        {"name": "Received", "colour": "#1E8EE1", "count": "12 / 10", "sum": "2 overdue", "classes": "column--over", "cards": cards[:4], "more": True},
        {"name": "Waiting for proof of identity", "colour": "#7A5AE0", "count": "3", "cards": cards[4:7]},
        {"name": "In progress", "colour": "#E1651E", "count": "0 / 5", "classes": "is-target", "cards": []},
        {"name": "Folded step", "colour": "#8A8F96", "count": "41", "classes": "column--folded", "cards": []},
        {"name": "Closed", "colour": "#3BA55D", "count": "2 of 138", "classes": "column--final", "cards": cards[7:]},
    ]  # fmt: skip
    context = {
        "form": GalleryForm({"name": "Northwind Retail", "country": "FR", "key": ""}),
        "levels": LEVELS,
        "cards": cards,
        "columns": columns,
        "densities": ["", "ledger--compact"],
    }
    return render(request, "gallery.html", context)
