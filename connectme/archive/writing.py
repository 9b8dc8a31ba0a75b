"""Writes an archive of one of ours."""

import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from connectme.errors import Failure
from federation import vocabulary
from federation.origin import Origin
from outbox import documents, parts
from outbox.parts import Parts
from social import marks
from social.accounts import find
from social.media import uploads
from social.pages import Page
from social.paging import MOST
from store.blobs import Blobs, is_somebodys
from store.database import Database
from store.prepared import Prepared
from store.tables import Account, posts
from store.tables.base import Id
from web.pages.exporting import FILES, csv_text, table

AT_ONCE: Final = 100  # posts in one read
FOLDER: Final = "media_attachments/files"
_CONTEXT: Final = "https://www.w3.org/ns/activitystreams"
_IDS = Prepared(
    select(posts.c.id)
    .where(posts.c.author_id == bindparam("author", type_=Id), posts.c.id > bindparam("after", type_=Id))
    .order_by(posts.c.id)
    .limit(AT_ONCE)
)


@dataclass(slots=True)
class Written:
    """lost: files that are not where they should be."""

    posts: int = 0
    files: int = 0
    lost: int = 0
    bytes: int = 0


class Writer:
    def __init__(self, db: Database, origin: Origin, blobs: Blobs, account: Account) -> None:
        self._db, self._origin, self._blobs, self._account = db, origin, blobs, account
        self._written = Written()

    async def write(self, file: Path) -> Written:
        """A new file, for its owner alone; one that is not whole does not stay.  Raises: Failure."""
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise Failure(f"{file} cannot be written ({error.strerror}); name a new file") from error
        try:
            with os.fdopen(descriptor, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as pack:
                await self._all(pack)
                self._written.bytes = stream.tell()
        except BaseException as error:
            os.unlink(file)
            if isinstance(error, OSError):
                raise Failure(f"{file} cannot be written ({error.strerror}); make room, or name another") from error
            raise
        return self._written

    async def _all(self, pack: zipfile.ZipFile) -> None:
        await self._actor(pack)
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8") as outbox:  # a ZIP is written one entry at a time
            outbox.write(
                f'{{"@context": "{_CONTEXT}", "id": "outbox.json", "type": "OrderedCollection", "orderedItems": ['
            )
            after = 0
            while found := await self._db.read(_some, self._account.id, after):
                for one in found:
                    outbox.write(",\n" if self._written.posts else "\n")
                    outbox.write(json.dumps(await self._activity(pack, one), ensure_ascii=False))
                    self._written.posts += 1
                after = found[-1].post.id
            outbox.write(f'\n], "totalItems": {self._written.posts}}}\n')
            outbox.flush()
            pack.write(outbox.name, "outbox.json")
        await self._likes(pack)
        for name in (*FILES, "lists"):
            head, rows = await table(self._db, self._origin, self._account.id, name)
            if rows:
                pack.writestr(f"{name}.csv", csv_text(head, rows))

    async def _actor(self, pack: zipfile.ZipFile) -> None:
        keys = await self._db.read(find.keys_of, self._account.id)
        said = vocabulary.to_json(documents.actor(self._account, keys, self._origin.domain))
        for what, address in (("icon", self._account.avatar_url), ("image", self._account.header_url)):
            name = (address or "").rpartition("/")[2]
            if is_somebodys(name) and address == uploads.address(self._origin, name):
                entry = f"{'avatar' if what == 'icon' else 'header'}.{name.rpartition('.')[2]}"
                if await self._file(pack, name, entry) and isinstance(said.get(what), dict):
                    said[what]["url"] = entry
        said |= {"outbox": "outbox.json", "likes": "likes.json"}
        pack.writestr("actor.json", json.dumps(said, ensure_ascii=False, indent=1))

    async def _activity(self, pack: zipfile.ZipFile, one: Parts) -> dict[str, Any]:
        if one.post.boost_of_id is not None:
            return _bare(vocabulary.to_json(documents.announce(one)))
        said = _bare(vocabulary.to_json(documents.create(one)))
        places = {file.url: file.file for file in one.media if file.account_id and file.file}
        attached = said["object"].get("attachment") or []
        for item in attached if isinstance(attached, list) else [attached]:
            name = places.get(item.get("url"))
            if name and await self._file(pack, name, f"{FOLDER}/{name}"):
                item["url"] = f"/{FOLDER}/{name}"
        return said

    async def _file(self, pack: zipfile.ZipFile, name: str, entry: str) -> bool:
        with tempfile.TemporaryDirectory() as room:
            copy = Path(room) / name
            try:
                await self._blobs.fetch(name, copy)
            except FileNotFoundError:
                self._written.lost += 1
                return False
            pack.write(copy, entry, zipfile.ZIP_STORED)
        self._written.files += 1
        return True

    async def _likes(self, pack: zipfile.ZipFile) -> None:
        uris: list[str] = []
        page = Page(limit=MOST)
        while True:
            numbers, views = await self._db.read(marks.likes_page, self._account.id, page)
            uris += [view.parts.post.uri for view in views]
            if len(numbers) < MOST:
                break
            page = Page(limit=MOST, max_id=numbers[-1])
        said = {"@context": _CONTEXT, "id": "likes.json", "type": "OrderedCollection", "orderedItems": uris}
        pack.writestr("likes.json", json.dumps(said, ensure_ascii=False, indent=1))


def _some(tx: Connection, account_id: int, after: int) -> list[Parts]:
    ids = [row[0] for row in _IDS.rows(tx, author=account_id, after=after)]
    loaded = parts.load(tx, ids)
    return [loaded[number] for number in ids if number in loaded]


def _bare(said: dict[str, Any]) -> dict[str, Any]:
    """The context is that of the whole."""
    return {name: value for name, value in said.items() if name != "@context"}
