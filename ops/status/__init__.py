"""The status page, as files: made anew on every change, and served without the database, by us or by any web server.

    STATUS_DIR/index.html  feed.atom  api/v2/{summary,status,components,incidents,…}.json

board   what is to be said, gathered from DATA_DIR/state          statuspage  as JSON in the shapes of Statuspage
page    as HTML                                                   feed        as Atom
Light: the supervisor imports it.
"""

import json
from datetime import datetime
from pathlib import Path

from ops import state
from ops.status import feed, page, statuspage
from ops.status.board import Board, Site, gather, seen

__all__ = ["FOLDER", "Board", "Site", "folder", "gather", "render", "seen"]

FOLDER = "status"


def folder(data_dir: Path, site: Site) -> Path:
    return site.folder or data_dir / state.FOLDER / FOLDER


def render(data_dir: Path, site: Site, now: datetime) -> Board:
    """Writes all files.  Raises: OSError."""
    board = gather(state.folder(data_dir), site, now)
    place = folder(data_dir, site)
    (place / "api" / "v2").mkdir(parents=True, exist_ok=True)
    _write(place / "index.html", page.html(board).encode())
    _write(place / "feed.atom", feed.atom(board).encode())
    for name, value in statuspage.documents(board).items():
        (place / "api" / "v2" / name).parent.mkdir(exist_ok=True)
        _write(place / "api" / "v2" / f"{name}.json", json.dumps(value, ensure_ascii=False).encode())
    return board


def _write(file: Path, content: bytes) -> None:
    """Readable by the web server in front.  Not made durable: it is written again in minutes."""
    beside = file.with_name(f".{file.name}")
    beside.write_bytes(content)
    beside.chmod(0o644)
    beside.replace(file)
