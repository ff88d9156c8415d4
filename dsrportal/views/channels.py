"""Settings of a workspace's channels for alerts, for its admins: list, add, try, switch, delete. To everyone else the pages do not exist. No answer ever
holds an address."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dsrportal.actions import channels as actions
from dsrportal.actions.refusals import WorkspaceError
from dsrportal.forms.channels import ChannelForm
from dsrportal.models import Channel
from dsrportal.models.channels import ChannelKind, ChannelTells
from dsrportal.queries import channels as queries
from dsrportal.views import access
from dsrportal.views.access import Visit

LONGEST_NUMBER = 18


@require_http_methods(["GET", "HEAD", "POST"])
def channels(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/channels/`: the deeds are `test`, `disable`, `enable`, each for a `channel`."""
    found = _administered(request, slug=slug)
    if request.method != "POST":
        context = {"workspace": found.workspace, "lines": queries.lines(found.workspace, now=found.now)}
        return render(request, "channels/channels.html", context)
    deed, channel = request.POST.get("deed", ""), _channel(found, key=request.POST.get("channel", ""))
    if deed == "test":
        code = actions.send_test(channel, by=found.user, now=found.now)
        if code:
            words = {"name": channel.name, "why": queries.failure_words(code)}
            messages.error(request, _("“%(name)s” did not take the test message. %(why)s") % words)
        else:
            messages.success(request, _("“%(name)s” took the test message.") % {"name": channel.name})
    elif deed == "disable":
        actions.disable(channel, by=found.user, now=found.now)
        messages.success(request, _("“%(name)s” is disabled.") % {"name": channel.name})
    elif deed == "enable":
        actions.enable(channel, by=found.user, now=found.now)
        messages.success(request, _("“%(name)s” is enabled.") % {"name": channel.name})
    return redirect("channels.channels", slug=slug)


@sensitive_post_parameters("url", "signing_key")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, slug: str) -> HttpResponse:
    """`/settings/workspaces/<slug>/channels/add/`: keeps the channel and says to try it; posts nothing by itself."""
    found = _administered(request, slug=slug)
    form = ChannelForm(request.POST or None, initial={"language": found.user.language or request.LANGUAGE_CODE})
    if form.is_valid():
        chosen = dict(form.cleaned_data)
        kind, tells = ChannelKind(chosen.pop("kind")), ChannelTells(chosen.pop("tells"))
        try:
            channel = actions.add(found.workspace, **chosen, kind=kind, tells=tells, by=found.user, now=found.now)
        except WorkspaceError as error:
            form.add_error(error.field if error.field in form.fields else None, error.sentence)
        else:
            added = _("“%(name)s” was added. Send it a test message to see that it works.")
            messages.success(request, added % {"name": channel.name})
            return redirect("channels.channels", slug=slug)
    context = {"workspace": found.workspace, "form": form}
    return render(request, "channels/add.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """`/settings/workspaces/<slug>/channels/<pk>/delete/`: says the consequence, then does it."""
    found = _administered(request, slug=slug)
    channel = _channel(found, key=str(pk))
    if request.method != "POST":
        return render(request, "channels/delete.html", {"workspace": found.workspace, "channel": channel})
    actions.delete(channel, by=found.user, now=found.now)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": channel.name})
    return redirect("channels.channels", slug=slug)


def _administered(request: HttpRequest, *, slug: str) -> Visit:
    """The visit of a workspace by its admin. Raises `Http404` for strangers and for who administers nothing, `PermissionDenied` for its other people."""
    access.require_settings(request)
    found = access.visit(request, slug=slug)
    found.require_admin()
    return found


def _channel(found: Visit, *, key: str) -> Channel:
    """A channel of this workspace. Raises `Http404` for any other."""
    if key.isascii() and key.isdecimal() and len(key) <= LONGEST_NUMBER:
        channel = Channel.objects.filter(workspace=found.workspace, pk=int(key)).select_related("workspace").first()
        if channel is not None:
            return channel
    raise Http404
