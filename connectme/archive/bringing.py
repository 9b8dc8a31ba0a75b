"""An archive comes into an account of ours: posts with their moments, quietly, and then the tables.

Killed at any moment, the same again goes on: what came is known by its id.
"""

import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from connectme.archive.reading import Archive, Attached, Told, Unreadable, content
from connectme.media.workshop import Workshop
from federation.origin import Origin
from social import imports
from social.errors import Invalid
from social.media.kinds import FILM_LIMIT
from social.posts import bringing, find
from social.posts.bringing import File
from store.database import Database
from store.tables import Account

AT_ONCE: Final = 50  # posts in one transaction


@dataclass(slots=True)
class Came:
    """posts: new ones.  here: were here.  files, lost: of posts that came; not in the archive, or not to be used.

    rows: of the tables, by kind, that a worker goes through now.
    """

    posts: int = 0
    here: int = 0
    files: int = 0
    lost: int = 0
    rows: dict[str, int] = field(default_factory=dict)


class Bringer:
    def __init__(self, db: Database, origin: Origin, workshop: Workshop, account: Account) -> None:
        self._db, self._origin, self._workshop, self._account = db, origin, workshop, account
        self._came = Came()

    async def bring(self, file: Path, archive: Archive, now: datetime) -> Came:
        """Raises: Refusal, Unreadable."""
        with zipfile.ZipFile(file) as pack:
            for start in range(0, len(archive.posts), AT_ONCE):
                await self._posts(pack, archive.posts[start : start + AT_ONCE])
        for kind, table in archive.tables.items():
            await self._table(kind, table, now)
        return self._came

    async def _posts(self, pack: zipfile.ZipFile, some: Sequence[Told]) -> None:
        came = self._came
        known = await self._db.read(bringing.here, self._account.id, [one.of.id for one in some])
        there = await self._db.read(find.by_uris, [one.of.note.id for one in some])
        own = {uri for uri, post in there.items() if post.author_id == self._account.id}  # it was taken along from here
        new = [one for one in some if one.of.id not in known and one.of.note.id not in own]
        came.here += len(some) - len(new)
        ready = []
        for one in new:
            files = [made for file in one.files if (made := await self._file(pack, file)) is not None]
            came.files, came.lost = came.files + len(files), came.lost + len(one.files) - len(files)
            ready.append(replace(one.of, files=tuple(files)))
        came.posts += await self._db.write(bringing.bring, self._origin, self._account.id, ready)

    async def _file(self, pack: zipfile.ZipFile, file: Attached) -> File | None:
        if file.entry is None:
            return None
        with tempfile.NamedTemporaryFile(dir=self._workshop.folder) as source:
            try:
                source.write(content(pack, file.entry, FILM_LIMIT))
                source.flush()
                made = await self._workshop.upload(Path(source.name))
                if made is None:
                    aside = await self._workshop.set_aside(Path(source.name))
                    try:
                        made = await self._workshop.finish(aside)
                    finally:
                        await self._workshop.remove([aside])
            except (Invalid, Unreadable):
                return None
        return File(made, file.description, file.focus)

    async def _table(self, kind: str, table: bytes, now: datetime) -> None:
        """As web/pages/importing.py, with a yes to all."""
        lines = imports.read(table, kind, self._origin, self._account.handle)
        it = await self._db.write(imports.prepare, self._account.id, kind, overwrite=False)
        for start in range(0, len(lines), imports.AT_ONCE):
            await self._db.write(imports.add, it, lines[start : start + imports.AT_ONCE], now)
        await self._db.write(imports.complete, it, len(lines))
        await self._db.write(imports.begin, self._account.id, kind, now)
        self._came.rows[kind] = len(lines)
