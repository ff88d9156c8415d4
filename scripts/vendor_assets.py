"""Copies the third-party browser files that the pages use from frontend/node_modules into static/, and writes what was copied.

Run by a developer after `npm ci --ignore-scripts` in frontend/; the result is committed. `--check` writes nothing and fails when
the committed files differ from what the locked packages give. Never downloads anything and is not needed at run time.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "frontend" / "node_modules"
STATIC = ROOT / "static"
MANIFEST = "vendor/VENDORED.json"

# The sprite holds these and no more. Add a line, run the script, commit the sprite.
ICONS = (ROOT / "frontend" / "icons.txt").read_text().split()

SVG = "http://www.w3.org/2000/svg"
SPRITE_NOTE = "<!-- Icons of Lucide {version}, {licence} licence: vendor/lucide-static-{version}/LICENSE -->\n"
SOURCE_MAP = re.compile(rb"\n?//[#@] sourceMappingURL=[^\n]*")


def package(name: str) -> tuple[Path, str, str]:
    """The folder, version and licence of an installed package. Raises FileNotFoundError before `npm ci`."""
    folder = NODE_MODULES / name
    meta = json.loads((folder / "package.json").read_text())
    return folder, meta["version"], meta["license"]


def sprite(*, icons: Path, version: str, licence: str) -> bytes:
    """One SVG of <symbol id="name"> elements that are drawn in the text's own colour."""
    ET.register_namespace("", SVG)
    root = ET.Element(f"{{{SVG}}}svg")
    for name in ICONS:
        drawing = ET.parse(icons / f"{name}.svg").getroot()  # noqa: S314 - a file of a package whose hash is locked
        kept = ("viewBox", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin")
        symbol = ET.SubElement(root, f"{{{SVG}}}symbol", {"id": name} | {key: drawing.attrib[key] for key in kept})
        for shape in drawing:
            shape.tail = None
            symbol.append(shape)
        symbol.tail = "\n"
    return (
        SPRITE_NOTE.format(version=version, licence=licence) + ET.tostring(root, encoding="unicode") + "\n"
    ).encode()


def wanted_files() -> dict[str, bytes]:
    """Every file that belongs under static/, by its path there, the manifest included."""
    files: dict[str, bytes] = {}
    entries = []

    folder, version, licence = package("sortablejs")
    home = f"vendor/sortablejs-{version}"
    files[f"{home}/Sortable.min.js"] = SOURCE_MAP.sub(b"", (folder / "Sortable.min.js").read_bytes())
    files[f"{home}/LICENSE"] = (folder / "LICENSE").read_bytes()
    entries.append({"name": "sortablejs", "version": version, "licence": licence, "files": sorted(files)})

    folder, version, licence = package("lucide-static")
    notice = f"vendor/lucide-static-{version}/LICENSE"
    files[notice] = (folder / "LICENSE").read_bytes()
    files["img/icons.svg"] = sprite(icons=folder / "icons", version=version, licence=licence)
    entries.append(
        {"name": "lucide-static", "version": version, "licence": licence, "files": ["img/icons.svg", notice]}
    )

    manifest = [
        entry | {"files": {path: f"sha384-{digest(files[path])}" for path in entry["files"]}} for entry in entries
    ]
    files[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    return files


def digest(content: bytes) -> str:
    """SHA-384 in base64, as a browser's integrity attribute writes it."""
    return base64.b64encode(hashlib.sha384(content).digest()).decode()


def differences(*, wanted: dict[str, bytes], static: Path) -> list[str]:
    """Paths under static/ that are missing, changed, or lie in vendor/ without being wanted."""
    changed = [
        path
        for path, content in wanted.items()
        if not (static / path).is_file() or (static / path).read_bytes() != content
    ]
    present = (path.relative_to(static).as_posix() for path in (static / "vendor").rglob("*") if path.is_file())
    return sorted(changed + [path for path in present if path not in wanted])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Copy the vendored browser files into static/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the committed files differ")
    check: bool = parser.parse_args(argv).check
    try:
        wanted = wanted_files()
    except FileNotFoundError as error:
        print(f"Run `npm ci --ignore-scripts` in frontend/ first: {error.filename} is missing.", file=sys.stderr)
        return 2
    different = differences(wanted=wanted, static=STATIC)
    if check:
        for path in different:
            print(f"static/{path} differs from the locked package; run scripts/vendor_assets.py.", file=sys.stderr)
        return 1 if different else 0
    for path in different:
        target = STATIC / path
        if path not in wanted:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wanted[path])
    print(f"{len(wanted)} files, {len(different)} changed.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
