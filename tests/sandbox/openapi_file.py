"""Where Dastra's own OpenAPI file may be found; no copy of it is kept here."""

import os
from pathlib import Path

_BESIDE_THE_PROJECT = Path(__file__).parents[3] / "shared" / "upstream" / "openapi-2022-08-31.json"


def openapi_path() -> Path | None:
    """The file named by DASTRA_OPENAPI, or the one in the folder beside the project."""
    named = os.environ.get("DASTRA_OPENAPI")
    path = Path(named) if named else _BESIDE_THE_PROJECT
    return path if path.is_file() else None
