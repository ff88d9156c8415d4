"""Every component in every state, for those who draw the pages. Served in debug mode only."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_not_required
def gallery(request: HttpRequest) -> HttpResponse:
    """`/gallery/`"""
    return render(request, "gallery.html")
