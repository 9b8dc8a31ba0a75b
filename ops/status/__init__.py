"""The status page, as files: made anew on every change, and served without the database, by us or by any web server.
Where they cannot be written, as on a full disk, whoever serves them makes them in memory (connectme/keeper.py).

    STATUS_DIR/index.html  feed.atom  api/v2/{summary,status,components,incidents,…}.json

board   what is to be said, gathered from DATA_DIR/state          statuspage  as JSON in the shapes of Statuspage
page    as HTML                                                   feed        as Atom
Light: the supervisor imports it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from ops import state
from ops.status import feed, page, statuspage
from ops.status.board import Board, Site, changed, gather, seen

__all__ = ["EVERY", "FOLDER", "PAGE", "Board", "Site", "changed", "files", "folder", "gather", "render", "seen"]

FOLDER: Final = "status"
PAGE: Final = "index.html"
EVERY: Final = 300.0  # seconds after which they are made anew, whatever happened
_RIGHTS: Final = 0o644  # for the web server in front


def folder(data_dir: Path, site: Site) -> Path:
    return site.folder or data_dir / state.FOLDER / FOLDER


def render(data_dir: Path, site: Site, now: datetime, wrong: Mapping[str, str] | None = None) -> Board:
    """Writes all files.  wrong: see `gather`.  Raises: OSError."""
    board = gather(state.folder(data_dir), site, now, wrong=wrong)
    place = folder(data_dir, site)
    for name, content in files(board).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        state.replace(place / name, content, rights=_RIGHTS)
    return board


def files(board: Board) -> dict[str, bytes]:
    """By name; the page itself is the last, so that all others are as new."""
    found = {
        f"api/v2/{name}.json": json.dumps(value, ensure_ascii=False).encode()
        for name, value in statuspage.documents(board).items()
    }
    return {**found, "feed.atom": feed.atom(board).encode(), PAGE: page.html(board).encode()}
