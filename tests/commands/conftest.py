"""The commands' stage is the mirror's: a local Dastra over real HTTP."""

from tests.mirror.conftest import mirrored, serve, server

__all__ = ["mirrored", "serve", "server"]
