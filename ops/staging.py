"""A restored backup becomes a server to try things on, which can never pass for the one that it was made of.

In the copy all keys are new, nobody is signed in, nothing waits to be sent, it is another instance under another
domain, and every address of the old one in it is one of the new.  What is made of a row here stays here.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Text, delete, select, text, update
from sqlalchemy.types import TypeDecorator

import migrations
from federation.keys import KeyPair, generate
from federation.origin import Origin
from ops import belonging, identity, incidents, state
from ops.backup import restore
from ops.backup.manifest import BackupError, Manifest
from ops.backup.places import Place
from ops.change import engine
from ops.change.place import NotChanged
from social import push
from store.tables import (
    account_keys,
    activities,
    codes,
    deliveries,
    facts,
    idempotency,
    jobs,
    links,
    metadata,
    push_subscriptions,
    sessions,
    tokens,
)

TITLE: Final = "This is a staging copy"
SAYS: Final = "Nothing that is written here reaches anybody, and all of it may be gone tomorrow."
_LEFT: Final = (deliveries, activities, jobs, push_subscriptions, codes, links, idempotency, sessions, tokens)
_FACTS: Final = (identity.DOMAIN, identity.BASE_URL, identity.INSTANCE, identity.PROXY_KEY, push.KEY_FACT)
_OLD: Final = select(facts.c.value).where(facts.c.name == identity.BASE_URL)
_KINDS: Final = select(account_keys.c.kind).where(account_keys.c.private.is_not(None)).distinct()


@dataclass(frozen=True, slots=True)
class Wanted:
    folder: Path
    origin: Origin
    database: str = ""  # an empty one of PostgreSQL, for a backup of that


def refuse(wanted: Wanted, data_dir: Path, live: Origin, manifest: Manifest) -> None:
    """Raises: BackupError."""
    folder, used = wanted.folder.resolve(), data_dir.resolve()
    if folder == used or used in folder.parents or folder in used.parents:
        raise BackupError(f"{wanted.folder} is the folder in use, or one within the other; name another place")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{wanted.folder} is not empty; name a new folder")
    for known in (live.domain, manifest.domain):
        if wanted.origin.domain == known:
            raise BackupError(f"{known} is the domain of the server itself; a copy needs another one")
    if wanted.origin.base_url in (live.base_url, manifest.base_url):
        raise BackupError(f"{wanted.origin.base_url} is the address of the server itself; a copy needs another one")


def create(place: Place, manifest: Manifest, wanted: Wanted, passphrase: str, now: datetime) -> str:
    """The address of its database.  The folder has its name when all is done; killed, the same command begins anew.

    Raises: BackupError.
    """
    near = wanted.folder.with_name(f".{wanted.folder.name}.unfinished")
    shutil.rmtree(near, ignore_errors=True)
    try:
        url = restore.restore(place, manifest, near, passphrase, wanted.database)
        engine.write(url, migrations.upgrade)
        pairs = [generate(kind) for kind in engine.read(url, lambda tx: list(tx.scalars(_KINDS)))]
        known = engine.write(url, lambda tx: estrange(tx, wanted.origin, pairs))
        for name in ("spool.db", "settings-of-backup.json", f"{state.FOLDER}/{restore.NOTE}"):
            (near / name).unlink(missing_ok=True)
        belonging.remember(near, known)
        incidents.open_(state.folder(near), TITLE, SAYS, now, impact="none", status="identified")
        if wanted.folder.exists():
            wanted.folder.rmdir()
        near.rename(wanted.folder)
    except (NotChanged, OSError) as error:
        raise BackupError(f"no copy was made: {error}") from error
    finally:
        shutil.rmtree(near, ignore_errors=True)
    return url.replace(str(near), str(wanted.folder))


def estrange(tx: Connection, origin: Origin, pairs: list[KeyPair]) -> belonging.Identity:
    """pairs: of each kind of key one, which all people of the copy share."""
    old = str(tx.scalar(_OLD))
    for table in _LEFT:
        tx.execute(delete(table))
    for pair in pairs:
        ours = account_keys.c.private.is_not(None)
        tx.execute(
            update(account_keys)
            .where(ours, account_keys.c.kind == pair.kind)
            .values(private=pair.private, public=pair.public)
        )
    tx.execute(delete(facts).where(facts.c.name.in_(_FACTS)))
    _readdress(tx, old, origin.base_url)
    identity.claim(tx, origin)
    known = identity.identity(tx)
    if known is None:
        raise NotChanged("the copy belongs to nobody; report this")
    return known


def _readdress(tx: Connection, old: str, new: str) -> None:
    quote: Callable[[str], str] = tx.dialect.identifier_preparer.quote
    for table in metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type.impl if isinstance(column.type, TypeDecorator) else column.type, Text):
                continue
            name = quote(column.name)
            change = f"UPDATE {quote(table.name)} SET {name} = replace({name}, :old, :new) WHERE {name}"  # noqa: S608
            tx.execute(text(f"{change} LIKE :like"), {"old": f"{old}/", "new": f"{new}/", "like": f"%{old}/%"})
            tx.execute(text(f"{change} = :old"), {"old": old, "new": new})
