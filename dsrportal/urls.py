"""Every address of the portal. A name equals its view's module and function."""

from django.conf import settings
from django.urls import path

from dsrportal.views import (
    accounts,
    board,
    changes,
    creating,
    deadline,
    dsr,
    errors,
    gallery,
    health,
    home,
    hooks,
    jobs,
    register,
    wishes,
    workspaces,
)

urlpatterns = [
    path("", home.home, name="home.home"),
    path("accounts/login/", accounts.login, name="accounts.login"),
    path("accounts/logout/", accounts.logout, name="accounts.logout"),
    path("accounts/preferences/", accounts.preferences, name="accounts.preferences"),
    path("w/<slug:slug>/board/", board.board, name="board.board"),
    path("w/<slug:slug>/board/version/", board.version, name="board.version"),
    path("w/<slug:slug>/changes/", changes.changes, name="changes.changes"),
    path("w/<slug:slug>/requests/", register.register, name="register.register"),
    path("w/<slug:slug>/requests/search/", register.search, name="register.search"),
    path("w/<slug:slug>/requests/ask/", register.ask, name="register.ask"),
    path("w/<slug:slug>/requests/new/", creating.new, name="creating.new"),
    path("w/<slug:slug>/entered/<int:pk>/", creating.waiting, name="creating.waiting"),
    path("w/<slug:slug>/entered/<int:pk>/send/", creating.send, name="creating.send"),
    path("w/<slug:slug>/entered/<int:pk>/back/", creating.back, name="creating.back"),
    path("w/<slug:slug>/requests/<int:upstream_id>/", dsr.dsr, name="dsr.dsr"),
    path("w/<slug:slug>/requests/<int:upstream_id>/version/", dsr.version, name="dsr.version"),
    path("w/<slug:slug>/requests/<int:upstream_id>/texts/", dsr.texts, name="dsr.texts"),
    path("w/<slug:slug>/requests/<int:upstream_id>/move/", wishes.move, name="wishes.move"),
    path("w/<slug:slug>/requests/<int:upstream_id>/archive/", wishes.archive, name="wishes.archive"),
    path("w/<slug:slug>/requests/<int:upstream_id>/restore/", wishes.restore, name="wishes.restore"),
    path("w/<slug:slug>/requests/<int:upstream_id>/assign/", wishes.assign, name="wishes.assign"),
    path("w/<slug:slug>/requests/<int:upstream_id>/tag/", wishes.tag, name="wishes.tag"),
    path("w/<slug:slug>/requests/<int:upstream_id>/extend/", wishes.extend, name="wishes.extend"),
    path("w/<slug:slug>/requests/<int:upstream_id>/edit/", wishes.edit, name="wishes.edit"),
    path("w/<slug:slug>/requests/<int:upstream_id>/close/", wishes.close, name="wishes.close"),
    path("w/<slug:slug>/requests/<int:upstream_id>/delete/", wishes.delete, name="wishes.delete"),
    path("w/<slug:slug>/wishes/<int:pk>/keep/", wishes.keep, name="wishes.keep"),
    path("w/<slug:slug>/wishes/<int:pk>/again/", wishes.again, name="wishes.again"),
    path("w/<slug:slug>/wishes/<int:pk>/undo/", wishes.undo, name="wishes.undo"),
    path("w/<slug:slug>/wishes/<int:pk>/send/", wishes.send, name="wishes.send"),
    path("w/<slug:slug>/wishes/<int:pk>/dismiss/", wishes.dismiss, name="wishes.dismiss"),
    path("deadline/", deadline.deadline, name="deadline.deadline"),
    path("settings/workspaces/", workspaces.workspaces, name="workspaces.workspaces"),
    path("settings/add-workspace/", workspaces.add, name="workspaces.add"),
    path("settings/workspaces/<slug:slug>/", workspaces.edit, name="workspaces.edit"),
    path("settings/workspaces/<slug:slug>/key/", workspaces.rotate, name="workspaces.rotate"),
    path("settings/workspaces/<slug:slug>/disable/", workspaces.disable, name="workspaces.disable"),
    path("settings/workspaces/<slug:slug>/enable/", workspaces.enable, name="workspaces.enable"),
    path("settings/workspaces/<slug:slug>/hold/", workspaces.end_hold, name="workspaces.end_hold"),
    path("settings/workspaces/<slug:slug>/webhook/", hooks.webhook, name="hooks.webhook"),
    path("hooks/dastra/<str:token>/", hooks.dastra, name="hooks.dastra"),
    path("settings/jobs/", jobs.jobs, name="jobs.jobs"),
    path("settings/jobs/<slug:slug>/set-aside/", jobs.set_aside, name="jobs.set_aside"),
    path("settings/jobs/<slug:slug>/<str:lane>/run/", jobs.run_now, name="jobs.run_now"),
    path("healthz", health.healthz, name="health.healthz"),
    path("readyz", health.readyz, name="health.readyz"),
]

if settings.DEBUG:
    urlpatterns.append(path("gallery/", gallery.gallery, name="gallery.gallery"))

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
