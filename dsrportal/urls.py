"""Every address of the portal. A name equals its view's module and function."""

from django.conf import settings
from django.urls import path

from dsrportal.views import accounts, board, errors, gallery, health, home, wishes

urlpatterns = [
    path("", home.home, name="home.home"),
    path("accounts/login/", accounts.login, name="accounts.login"),
    path("accounts/logout/", accounts.logout, name="accounts.logout"),
    path("accounts/preferences/", accounts.preferences, name="accounts.preferences"),
    path("w/<slug:slug>/board/", board.board, name="board.board"),
    path("w/<slug:slug>/requests/<int:upstream_id>/move/", wishes.move, name="wishes.move"),
    path("w/<slug:slug>/requests/<int:upstream_id>/archive/", wishes.archive, name="wishes.archive"),
    path("w/<slug:slug>/requests/<int:upstream_id>/restore/", wishes.restore, name="wishes.restore"),
    path("w/<slug:slug>/wishes/<int:pk>/undo/", wishes.undo, name="wishes.undo"),
    path("w/<slug:slug>/wishes/<int:pk>/send/", wishes.send, name="wishes.send"),
    path("w/<slug:slug>/wishes/<int:pk>/dismiss/", wishes.dismiss, name="wishes.dismiss"),
    path("healthz", health.healthz, name="health.healthz"),
    path("readyz", health.readyz, name="health.readyz"),
]

if settings.DEBUG:
    urlpatterns.append(path("gallery/", gallery.gallery, name="gallery.gallery"))

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
