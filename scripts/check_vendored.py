"""Compares the vendored browser files with the digests in VENDORED.json. Called by `make lint`; needs no network and no Node.

A developer who changes versions runs `vendor_assets.py`, which writes both.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "static"


def main() -> int:
    """Name every vendored file that was changed, removed or never recorded; 1 when there is one."""
    packages = json.loads((STATIC / "vendor" / "VENDORED.json").read_text(encoding="utf-8"))
    recorded: dict[str, str] = {name: digest for package in packages for name, digest in package["files"].items()}
    wrong = [
        f"{name} is not what VENDORED.json records" for name, digest in recorded.items() if digest_of(name) != digest
    ]
    present = {str(path.relative_to(STATIC)) for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    wrong += [f"{name} is not recorded" for name in sorted(present - recorded.keys() - {"vendor/VENDORED.json"})]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


def digest_of(name: str) -> str:
    """The file's digest as VENDORED.json writes it; empty when there is no such file."""
    path = STATIC / name
    if not path.is_file():
        return ""
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


if __name__ == "__main__":
    sys.exit(main())
