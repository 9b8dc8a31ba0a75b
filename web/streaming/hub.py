"""Who listens to what in this process, and what they get of each event.

Events come from units that ran here (Database.listeners) and in other processes (connectme/bus.py).  Those that concern
nobody here cost a look into a dictionary; of the others a batch at a time is loaded in a fixed number of queries, each
post is rendered once, each message made into bytes once, and written to all who get it.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

import orjson
from aiohttp import WSCloseCode

from federation.origin import Origin
from social import announcements, apps, conversations, live, notifications
from social.events import (
    AccessEnded,
    Announced,
    AnnouncementDeleted,
    AnnouncementReacted,
    Conversed,
    Deleted,
    Edited,
    FiltersChanged,
    NotificationsMerged,
    Notified,
    Posted,
)
from social.live import Arrival
from social.views import PostView
from store.database import Database
from web.api.answers import among
from web.api.entities.announcement import announcement
from web.api.entities.conversation import conversation
from web.api.entities.frame import Frame
from web.api.entities.notification import notification, told_of
from web.api.entities.status import status
from web.streaming import channels
from web.streaming.channels import Channel, Subscription
from web.streaming.connections import Listener, Shown, Trial

log = logging.getLogger(__name__)

MOST: Final = 10_000  # connections of one process
MOST_OF_ONE: Final = 50  # of one person
MOST_OF_PLACE: Final = 500  # from one address
WAITING: Final = 5_000  # events that are not told yet; more are dropped
AT_ONCE: Final = 50  # events in a batch
PORTION: Final = 500  # messages, then others get their turn
CHECK: Final = 30.0  # seconds between two looks whether tokens are still good
TRIAL: Final = "tried"  # the name of such a stream, and of what comes there
SOON: Final = 1.0  # seconds between two such looks because somebody said so
_NOBODY: Final[frozenset[int]] = frozenset()
TOLD: Final = (
    Posted,
    Edited,
    Deleted,
    Notified,
    Conversed,
    NotificationsMerged,
    FiltersChanged,
    Announced,
    AnnouncementReacted,
    AnnouncementDeleted,
)
_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True, slots=True)
class Tried:
    """Not of the database: goes to one `Trial`, by the way of all events."""

    of: str


_OURS: Final = (*TOLD, Tried)


@dataclass(frozen=True, slots=True)
class Payload:
    """The JSON of an event: `common`, and of those for whom it looks different."""

    common: bytes | None
    own: Mapping[int, bytes] = field(default_factory=dict)


class Hub:
    def __init__(self, db: Database, origin: Origin) -> None:
        self._db = db
        self._origin = origin
        self._open: dict[Channel, dict[Listener, Shown]] = {}
        self._connections: dict[Listener, str] = {}  # and from where
        self._of_people: Counter[int] = Counter()
        self._of_places: Counter[str] = Counter()
        self._waiting: deque[object] = deque()
        self._lost = 0
        self._news = asyncio.Event()
        self._doubt = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._db.listeners.append(self.hear)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._check())]

    async def stop(self) -> None:
        """Says good-bye to everybody."""
        if self.hear in self._db.listeners:
            self._db.listeners.remove(self.hear)
        for task in self._tasks:
            task.cancel()
        for connection in list(self._connections):
            connection.end(WSCloseCode.GOING_AWAY, "the server restarts; please come back")
        if self._tasks:
            await asyncio.wait(self._tasks)

    def end_all(self, reason: str) -> None:
        """The server closes for a while; WebSockets say 1012, service restart."""
        for connection in list(self._connections):
            connection.end(WSCloseCode.SERVICE_RESTART, reason)

    # Who listens.

    def is_full(self, account_id: int, place: str) -> bool:
        return (
            len(self._connections) >= MOST
            or self._of_people[account_id] >= MOST_OF_ONE
            or self._of_places[place] >= MOST_OF_PLACE
        )

    def add(self, connection: Listener, place: str) -> None:
        self._connections[connection] = place
        self._of_people[connection.account_id] += 1
        self._of_places[place] += 1

    def remove(self, connection: Listener) -> None:
        place = self._connections.pop(connection, None)
        if place is None:
            return
        for channel in list(connection.channels):
            self.unsubscribe(connection, channel)
        _less(self._of_people, connection.account_id)
        _less(self._of_places, place)

    def subscribe(self, connection: Listener, wanted: Subscription) -> None:
        connection.channels[wanted.channel] = wanted.shown
        self._open.setdefault(wanted.channel, {})[connection] = wanted.shown

    def unsubscribe(self, connection: Listener, channel: Channel) -> None:
        connection.channels.pop(channel, None)
        listeners = self._open.get(channel)
        if listeners is not None:
            listeners.pop(connection, None)
            if not listeners:
                del self._open[channel]

    # What happens.

    def hear(self, event: object) -> None:
        """A listener for Database.listeners and for the bus: cheap for what concerns nobody here."""
        if isinstance(event, AccessEnded):
            if event.account_id in self._of_people:
                self._doubt.set()
        elif self._open and isinstance(event, _OURS):
            if len(self._waiting) < WAITING:
                self._waiting.append(event)
            else:
                self._lost += 1
            self._news.set()

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if self._lost:
                log.warning("%s events came too fast to be streamed", self._lost)
                self._lost = 0
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    await self._tell(batch)
                except Exception:  # the next batch is worth a try, whatever became of this one
                    log.exception("%s events were not streamed", len(batch))

    async def _tell(self, batch: Sequence[object]) -> None:
        """In their order, each loaded with the others of the batch."""
        now = datetime.now(UTC)
        found = await self._arrivals(batch, now)
        news = await self._notifications(batch, now)
        talks = await self._conversations(batch, now)
        followers = await self._followers(batch)
        for event in batch:
            if isinstance(event, Posted | Edited) and (arrival := found.get(event.post_id)):
                await self._post("update" if isinstance(event, Posted) else "status.update", arrival, now)
            elif isinstance(event, Notified) and (payload := news.get(event.notification_id)):
                await self._notify(event.account_id, Payload(payload))
            elif isinstance(event, Deleted):
                await self._delete(event, followers.get(event.author_id, _NOBODY))
            elif isinstance(event, Conversed) and (payload := talks.pop(event.conversation_id, None)):
                await self._spread(Channel("direct", event.account_id), "conversation", Payload(payload))
            elif isinstance(event, Announced):
                await self._announce(event, now)
            else:
                await self._plain(event)

    async def _arrivals(self, batch: Sequence[object], now: datetime) -> dict[int, Arrival]:
        new = {event.post_id for event in batch if isinstance(event, Posted)}
        changed = {event.post_id for event in batch if isinstance(event, Edited)}
        listeners = self._listeners()
        if not listeners or not (new or changed):
            return {}
        return await self._db.read(live.arrivals, new, changed, listeners, now)

    def _listeners(self) -> live.Listeners:
        public = {
            connection.account_id
            for channel, listeners in self._open.items()
            if channel.name in channels.OPEN
            for connection in listeners
        }
        return live.Listeners(self._at_home(), public, self._lists())

    def _at_home(self) -> list[int]:
        return [int(channel.of) for channel in self._open if channel.name == "user"]

    def _lists(self) -> dict[int, int]:
        """Those that are listened to, by their owners alone."""
        return {
            int(channel.of): next(iter(listeners)).account_id
            for channel, listeners in self._open.items()
            if channel.name == "list"
        }

    async def _followers(self, batch: Sequence[object]) -> dict[int, set[int]]:
        """Of those whose posts are gone."""
        gone = [event.author_id for event in batch if isinstance(event, Deleted)]
        if not gone:
            return {}
        return await self._db.read(live.followers, gone, {*self._at_home(), *self._lists().values()})

    def _is_told(self, account_id: int) -> bool:
        return Channel("user", account_id) in self._open or Channel("user:notification", account_id) in self._open

    async def _notifications(self, batch: Iterable[object], now: datetime) -> dict[int, bytes]:
        by_account: dict[int, list[int]] = {}
        for event in batch:
            if isinstance(event, Notified) and self._is_told(event.account_id):
                by_account.setdefault(event.account_id, []).append(event.notification_id)
        found: dict[int, bytes] = {}
        for account_id, ids in by_account.items():
            views = await self._db.read(notifications.load, account_id, ids)
            people = [one for view in views for one in told_of(view)]
            frame = await among(self._db, Frame(self._origin, now, account_id), people)
            for view in views:
                found[view.notification.id] = orjson.dumps(notification(view, frame))
        return found

    async def _conversations(self, batch: Iterable[object], now: datetime) -> dict[int, bytes]:
        by_account: dict[int, dict[int, None]] = {}
        for event in batch:
            if isinstance(event, Conversed) and Channel("direct", event.account_id) in self._open:
                by_account.setdefault(event.account_id, {})[event.conversation_id] = None
        found: dict[int, bytes] = {}
        for account_id, ids in by_account.items():
            views = await self._db.read(conversations.some, account_id, list(ids))
            people = [one for view in views for one in view.accounts]
            frame = await among(self._db, Frame(self._origin, now, account_id), people)
            for view in views:
                if view.last is not None:
                    found[view.conversation.id] = orjson.dumps(conversation(view, frame))
        return found

    async def _post(self, event: str, arrival: Arrival, now: datetime) -> None:
        parts = arrival.view.parts
        payload = _rendered(arrival, self._origin, now)
        for account_id in arrival.home:
            await self._spread(Channel("user", account_id), event, payload)
        for list_id in arrival.lists:
            await self._spread(Channel("list", list_id), event, payload)
        if parts.post.listed:
            for name in _public_streams(parts.post.local, with_media=bool(parts.media)):
                await self._spread(Channel(name), event, payload, arrival.kept_from)
        if parts.post.visibility == "public":
            for tag in parts.tags:
                for name in channels.TAGGED[: 1 + parts.post.local]:
                    await self._spread(Channel(name, tag.name), event, payload, arrival.kept_from)

    async def _notify(self, account_id: int, payload: Payload) -> None:
        await self._spread(Channel("user:notification", account_id), "notification", payload)
        await self._spread(Channel("user", account_id), "notification", payload, only_notified=True)

    async def _delete(self, event: Deleted, followers: Collection[int]) -> None:
        """Its text is gone, and with it who saw it: the id is told where it may have been."""
        payload = Payload(str(event.post_id).encode())
        readers = {event.author_id, *(event.addressed if event.visibility == "direct" else followers)}
        for account_id in readers:
            await self._spread(Channel("user", account_id), "delete", payload)
            if event.visibility == "direct":
                await self._spread(Channel("direct", account_id), "delete", payload)
        for list_id, owner in self._lists().items():
            if owner in readers and event.visibility != "direct":
                await self._spread(Channel("list", list_id), "delete", payload)
        if event.listed:
            for name in _public_streams(event.local, with_media=True):
                await self._spread(Channel(name), "delete", payload)
        if event.visibility == "public":
            for channel in [channel for channel in self._open if channel.name in channels.TAGGED]:
                await self._spread(channel, "delete", payload)

    async def _announce(self, event: Announced, now: datetime) -> None:
        view = await self._db.read(announcements.for_all, event.announcement_id, now)
        if view is not None:
            (full,) = await self._db.read(announcements.whole, self._origin, [view], None)
            told = announcement(full, Frame(self._origin, now, None))
            await self._everybody("announcement", Payload(orjson.dumps(told)))

    async def _plain(self, event: object) -> None:
        """What needs nothing from the database."""
        if isinstance(event, Tried):
            await self._spread(Channel(TRIAL, event.of), TRIAL, Payload(b"1"))
        elif isinstance(event, FiltersChanged):
            await self._spread(Channel("user", event.account_id), "filters_changed", Payload(None))
        elif isinstance(event, NotificationsMerged):
            for name in ("user", "user:notification"):
                channel = Channel(name, event.account_id)
                await self._spread(channel, "notifications_merged", Payload(b"1"), only_notified=True)
        elif isinstance(event, AnnouncementDeleted):
            await self._everybody("announcement.delete", Payload(str(event.announcement_id).encode()))
        elif isinstance(event, AnnouncementReacted):
            said = {"name": event.name, "count": event.count, "announcement_id": str(event.announcement_id)}
            await self._everybody("announcement.reaction", Payload(orjson.dumps(said)))

    async def _everybody(self, event: str, payload: Payload) -> None:
        for channel in [channel for channel in self._open if channel.name == "user"]:
            await self._spread(channel, event, payload)

    async def _spread(
        self,
        channel: Channel,
        event: str,
        payload: Payload,
        without: Collection[int] = _NOBODY,
        *,
        only_notified: bool = False,
    ) -> None:
        """To all who listen to `channel`.  Made into bytes once for all who call it the same."""
        listeners = self._open.get(channel)
        if not listeners:
            return
        frames: dict[tuple[type[Listener], Shown], bytes] = {}
        own = payload.own
        for number, (connection, shown) in enumerate(list(listeners.items()), 1):
            who = connection.account_id
            if who in without or (only_notified and not connection.notified):
                continue
            if who in own:
                connection.send(connection.frame(shown, event, own[who]))
                continue
            key = (type(connection), shown)
            frame = frames.get(key)
            if frame is None:
                frame = frames[key] = connection.frame(shown, event, payload.common)
            connection.send(frame)
            if number % PORTION == 0:
                await asyncio.sleep(0)

    # Who may still listen.

    async def _check(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK):
                    await self._doubt.wait()
            self._doubt.clear()
            try:
                await self.check()
            except Exception:  # the database is away: they listen to nothing meanwhile
                log.exception("whose tokens are still good is not known")
            await asyncio.sleep(SOON)

    async def check(self) -> None:
        """Ends the streams whose token was revoked, and those of people who may come in no more."""
        asked = {connection.bearer.token.id for connection in self._of_somebody()}
        if not asked:
            return
        alive = await self._db.read(apps.alive, list(asked))
        for connection in self._of_somebody():
            token = connection.bearer.token.id
            if token in asked and token not in alive:
                connection.end(WSCloseCode.POLICY_VIOLATION, "the access token is good for nothing any more")

    def _of_somebody(self) -> list[Listener]:
        return [connection for connection in self._connections if not isinstance(connection, Trial)]


def _rendered(arrival: Arrival, origin: Origin, now: datetime) -> Payload:
    def render(view: PostView, reader_id: int) -> bytes:
        return orjson.dumps(status(view, Frame(origin, now, reader_id)))

    own = {account_id: render(view, account_id) for account_id, view in arrival.own.items()}
    return Payload(render(arrival.view, 0), own)


def _public_streams(local: bool, *, with_media: bool) -> list[str]:
    names = ["public", "public:local" if local else "public:remote"]
    return [*names, *(f"{name}:media" for name in names)] if with_media else names


def _less(counter: Counter[_Key], key: _Key) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
