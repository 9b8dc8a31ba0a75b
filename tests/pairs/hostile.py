"""What the hostile tests send, and what they look at afterwards."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from connectme.demo import Instance, until
from tests.pairs.peer import AS, JSON, PUBLIC, Town, root

# Stands in every field in turn.
VALUES: tuple[Any, ...] = (
    None, True, 0, -(2**63), 1e308, "", " \t\n", "\0\u202e\ufffe", "x" * 70_000, "http://[", "https://\udcff.test/",
    "urn:x", "javascript:alert(1)", PUBLIC, [], ["x", None, 7, ["y"]], {}, {"id": 5, "type": ["Note", 1]},
    {"type": "Note", "id": {"id": []}, "url": [{"href": {}}]}, {"en": "x", "de": None, "\n": []},
    [{"type": "Mention", "href": "http://127.0.0.1:1/x", "name": 5}] * 200, "9999-12-31T23:59:59-14:00",
)  # fmt: skip
_DEEP: Any = []
for _ in range(26):
    _DEEP = [_DEEP]
VALUES = (*VALUES, _DEEP)


EACH = 4  # values for one field


def mutants(document: JSON) -> Iterator[JSON]:
    """`document` with each field, also those inside, replaced by some of the values, by turns, or left out."""
    values = cycle((*VALUES, ...))
    for path in _paths(document):
        for value in islice(values, EACH):
            changed: JSON = json.loads(json.dumps(document))
            place: Any = changed
            for step in path[:-1]:
                place = place[step]
            if value is ...:
                del place[path[-1]]
            else:
                place[path[-1]] = value
            yield changed


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*above, step)
        yield from _paths(inner, (*above, step))


def valid(town: Town, server: Instance, base: str, post: str) -> dict[str, JSON]:
    """A good message of each kind, by name: each from somebody of his own at `base`.  post: one of alice's."""
    alice = f"{root(server)}/users/alice"

    def activity(kind: str, what: Any, **more: Any) -> JSON:
        actor = f"{base}/users/{kind.lower()}_{len(found)}"
        town.person(actor)
        if callable(what):
            what = what(actor)
        return {"@context": AS, "id": f"{actor}/does/1", "type": kind, "actor": actor, "object": what, **more}

    def note(actor: str) -> JSON:
        return {
            "id": f"{actor}/notes/1",
            "type": "Question",
            "attributedTo": actor,
            "content": "<p>a note</p>",
            "contentMap": {"en": "<p>a note</p>"},
            "summary": "warning",
            "name": "title",
            "inReplyTo": post,
            "published": "2026-01-01T00:00:00Z",
            "updated": "2026-01-02T00:00:00Z",
            "url": f"{actor}/1",
            "to": [PUBLIC, alice],
            "cc": [f"{actor}/followers"],
            "sensitive": True,
            "tag": [
                {"type": "Mention", "href": alice, "name": "@alice"},
                {"type": "Emoji", "name": ":a:", "icon": {"type": "Image", "url": f"{base}/a.png"}},
            ],
            "attachment": [
                {"type": "Document", "mediaType": "image/png", "url": f"{base}/1.png", "name": "x",
                 "focalPoint": [0.5, 0.5], "width": 5, "height": 5, "blurhash": "UBL_:rOpGG-;~qM{D%xu"}
            ],
            "oneOf": [{"type": "Note", "name": "yes", "replies": {"type": "Collection", "totalItems": 3}}],
            "endTime": "2030-01-01T00:00:00Z",
            "closed": "2030-01-01T00:00:00Z",
            "votersCount": 3,
            "replies": {"type": "Collection", "first": {"type": "CollectionPage", "items": []}},
            "interactionPolicy": {"canQuote": {"automaticApproval": [PUBLIC]}},
            "context": f"{base}/contexts/1",
            "conversation": "tag:x",
            "quote": post,
        }  # fmt: skip

    found: dict[str, JSON] = {}
    found["Create"] = activity("Create", note, to=[PUBLIC], published="2026-01-01T00:00:00Z")
    found["Update"] = activity("Update", note, to=[PUBLIC])
    found["Update of an actor"] = activity("Update", lambda actor: dict(town.person(actor), icon={"url": f"{base}/i"}))
    found["Delete"] = activity("Delete", lambda actor: {"id": f"{actor}/notes/1", "type": "Tombstone"}, to=[PUBLIC])
    found["Follow"] = activity("Follow", alice, to=alice)
    found["Undo"] = activity("Undo", lambda actor: {"id": f"{actor}/does/1", "type": "Follow", "actor": actor,
                                                    "object": alice})  # fmt: skip
    found["Accept"] = activity("Accept", lambda actor: {"id": f"{alice}#follows/1", "type": "Follow", "actor": alice,
                                                        "object": actor})  # fmt: skip
    found["Announce"] = activity("Announce", post, to=[PUBLIC], cc=[alice], published="2026-01-01T00:00:00Z")
    found["Announce of an activity"] = activity("Announce", activity("Create", note), to=[PUBLIC])
    found["Like"] = activity("Like", post, content=":a:", tag=[{"type": "Emoji", "name": ":a:", "icon": {"url": base}}])
    found["Block"] = activity("Block", alice)
    found["Flag"] = activity("Flag", [alice, post], content="bad", to=alice)
    found["Move"] = activity("Move", lambda actor: actor, target=f"{base}/users/elsewhere")
    found["Add"] = activity("Add", lambda actor: f"{actor}/notes/1", target=f"{base}/users/add/collections/featured")
    return found


def create(actor: str, number: int | str, **more: Any) -> JSON:
    """A good Create of a public note."""
    note = {"id": f"{actor}/notes/{number}", "type": "Note", "attributedTo": actor, "content": f"note {number}",
            "to": [PUBLIC], **more}  # fmt: skip
    return {"@context": AS, "id": f"{note['id']}/activity", "type": "Create", "actor": actor, "object": note}


async def exchange(server: Instance, request: bytes, patience: float = 60.0) -> bytes:
    """All that the server answers to these bytes, until it ends the connection or is silent for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    answer = b""
    try:
        writer.write(request)
        await writer.drain()
        while chunk := await asyncio.wait_for(reader.read(65_536), patience if not answer else 0.15):
            answer += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def statuses(answer: bytes) -> list[int]:
    """Of all the answers in it."""
    return [int(found) for found in re.findall(rb"^HTTP/\d\.\d (\d{3})", answer, re.MULTILINE)]


def filled(path: str, part: str, name: str = "") -> str:
    """The path of a route, with the same in all its holes.  name: for those that are called so."""
    before, _, rest = path.partition("{")
    if not rest:
        return path
    hole, _, after = rest.partition("}")
    return before + (name if name and hole == "name" else part) + filled(after, part, name)


async def drained(server: Instance) -> None:
    """Until the worker has looked at all that was kept; none of it failed in a way that asks for another try."""

    async def empty() -> bool:
        with sqlite3.connect(f"file:{server.folder / 'spool.db'}?mode=ro", uri=True) as spool:
            waiting = spool.execute("SELECT actor_uri, attempts, error FROM spooled").fetchall()
        assert not [row for row in waiting if row[1]], waiting[:3]
        return not waiting

    await until(empty, "the spool is empty")


def memory(server: Instance) -> int | None:
    """KiB that the processes of the server hold; None where the system does not tell."""
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    family = [server.pid]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if (found := re.search(r"^PPid:\s+(\d+)", text, re.MULTILINE)) and int(found[1]) == server.pid:
            family.append(int(status.parent.name))
    sizes = (Path(f"/proc/{pid}/status").read_text() for pid in family)
    return sum(int(found[1]) for text in sizes if (found := re.search(r"^VmRSS:\s+(\d+)", text, re.MULTILINE)))
