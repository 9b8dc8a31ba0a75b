"""What came of it, in words: per table what was taken and what could not be read, and what that means for members."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from ops.salvage.merging import Merged
from ops.salvage.reading import Found
from ops.salvage.salvage import Salvaged
from ops.salvage.trees import Key
from store import ids
from store.tables import metadata

LOST: Final = 100  # keys that are told of a table
_SHOWN: Final = 3
MEANS: Final = {
    "account": "people that others see here may be missing, or as they were in the backup; those of other servers are"
    " fetched again when they are met",
    "user": "passwords, addresses and settings may be those of the backup",
    "account_key": "keys may be those of the backup; `connectme db check` says whether they can be used",
    "post": "posts may be missing: those of other servers are fetched again where somebody answers them, those of our"
    " people only they can write again",
    "media": "pictures of posts may be missing; `connectme media check` compares the files",
    "follow": "follows may be missing, or be back: followers are compared with their servers by itself",
    "block": "blocks may be missing: tell your members to look at theirs",
    "mute": "mutes may be missing: tell your members to look at theirs",
    "session": "some have to sign in again, and who signed out may be signed in: `connectme account set-password`",
    "token": "some programs have to be allowed again",
    "home_entry": "home feeds may lack posts",
    "notification": "notifications may be missing",
    "like": "likes may be missing",
    "delivery": "some mail may not go out, or go out a second time, which its receivers notice",
    "activity": "some mail may not go out",
    "handled": "what other servers say a second time may be handled a second time, which changes nothing",
    "tombstone": "what was deleted elsewhere may be back: `connectme audit` and reports are where it shows",
    "host_policy": "limits of other servers may be those of the backup: `connectme host list`",
    "scheduled_post": "look at posts that were planned: one that is out already would come again",
}


def facts(done: Salvaged) -> dict[str, Any]:
    tables = {name: _facts(found, done.merged.get(name, Merged())) for name, found in done.reading.tables.items()}
    return {
        "pages": done.reading.pages,
        "pages_unclear": done.reading.unclear,
        "files": done.files,
        "since": done.since,
        "whole": all(one.clean for one in done.reading.tables.values()),
        "tables": tables,
    }


def _facts(found: Found, merged: Merged) -> dict[str, Any]:
    return {
        "new": merged.new,
        "changed": merged.changed,
        "removed": merged.removed,
        "alone": merged.alone,
        "there": merged.there,
        "read": found.rows,
        "strays": found.strays,
        "whole": found.clean,
        "bad_pages": found.tree.bad_pages,
        "bad_rows": found.tree.bad_rows,
        "unread": [[_end(begin), _end(end)] for begin, end in found.tree.unread],
        "lost": [list(key) for key in found.lost[:LOST]],
        "lost_number": len(found.lost),
    }


def _end(key: Key | None) -> int | None:
    """Of a table with ids: the id."""
    return key[0] if key is not None and len(key) == 1 and type(key[0]) is int else None


def lines(done: Salvaged, *, only_look: bool) -> Iterator[str]:
    would = "would be " if only_look else ""
    for name, merged in done.merged.items():
        if merged.new or merged.changed or merged.removed:
            yield f"{name:<20} {merged.new} new, {merged.changed} changed, {merged.removed} removed"
        if merged.alone or merged.there:
            nowhere = f"{merged.alone} that belong to what is nowhere"
            yield f"{name:<20} not taken: {nowhere}, {merged.there} whose name another has"
    total = sum(one.new + one.changed + one.removed for one in done.merged.values())
    yield f"{total} rows {would}taken out of {done.reading.pages} pages; {done.files} files"
    if done.since is not None:
        why = "a server ran since the backup was swapped in" if done.reading.log_whole else "its log (-wal) is damaged"
        yield (
            f"{why}: only what was made after {done.since:%Y-%m-%d %H:%M} UTC"
            f" {would}added, and what was changed or deleted after it is as in the backup"
        )
    for name, found in done.reading.tables.items():
        if not found.clean:
            yield f"{name:<20} {_unread(found)}"
            if name in MEANS:
                yield f"{'':<20} {MEANS[name]}"
    if done.reading.unclear:
        yield f"{done.reading.unclear} pages of rows belong to nobody any more that is known, and were left"


def _unread(found: Found) -> str:
    tree = found.tree
    said = [f"{tree.bad_pages} pages and {tree.bad_rows} rows could not be read"]
    places = [_place(found, begin, end) for begin, end in tree.unread[:_SHOWN]]
    said += [f"of {' and '.join(one for one in places if one)}"] if any(places) else []
    said += [f"{found.strays} rows were found astray"] if found.strays else []
    if found.lost:
        shown = ", ".join(str(key[0] if len(key) == 1 else key) for key in found.lost[:_SHOWN])
        said.append(f"{len(found.lost)} that its indexes name are nowhere: {shown}{', …' * (len(found.lost) > _SHOWN)}")
    return "; ".join(said)


def _place(found: Found, begin: Key | None, end: Key | None) -> str:
    after, to = _end(begin), _end(end)
    if found.shape.own is None or after is None or to is None:
        return ""
    made = found.shape.own == "id" and "id" in metadata.tables[found.shape.name].columns
    when = f" ({_moment(after)} to {_moment(to)})" if made else ""
    return f"ids {after} to {to}{when}"


def _moment(number: int) -> str:
    return f"{datetime.fromtimestamp(ids.moment_ms(max(number, 0)) / 1000, UTC):%Y-%m-%d %H:%M}"
