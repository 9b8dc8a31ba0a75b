"""Wakes programs (Web Push): what social/push.py asked for, sealed for each and sent to its push service."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from federation.client import Client
from federation.errors import Refused, Unreachable
from federation.origin import Origin
from federation.webpush import Recipient, VapidKey, seal
from social import push, pushed
from store import jobs
from store.database import Database
from store.tables import Job, PushSubscription

log = logging.getLogger(__name__)

TTL: Final = "172800"  # seconds for which a push service keeps what it cannot deliver yet
_LATER: Final = (408, 425, 429)
_GONE: Final = (404, 410)
_SERVER_ERROR: Final = 500
_LONGEST: Final = 3_600.0  # seconds that a push service may let us wait


class Pusher:
    """`table[job.kind]` does it.  contact: where the people of push services can write to."""

    def __init__(
        self,
        db: Database,
        client: Client,
        origin: Origin,
        key: VapidKey,
        contact: str,
        now: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._client = client
        self._origin = origin
        self._key = key
        self._contact = contact
        self._now = now
        self.table: Mapping[str, Callable[[Job], Awaitable[None]]] = {"push": self._push, "push_one": self._again}

    async def _push(self, job: Job) -> None:
        """To all programs of one person at once; those that do not answer get a job of their own."""
        number = int(job.payload["notification_id"])
        found = await self._db.read(pushed.load, number)
        if found is None or not found.programs:
            return
        text = pushed.message(found.view, self._origin)
        waits = await asyncio.gather(*(self._send(one, text) for one in found.programs))
        later = [(one, wait) for one, wait in zip(found.programs, waits, strict=True) if wait is not None]
        if later:
            await self._db.write(_ask_again, number, later, self._now())

    async def _again(self, job: Job) -> None:
        """To one program, as long as it wants it.  Raises: Unreachable."""
        found = await self._db.read(pushed.load, int(job.payload["notification_id"]))
        programs = [one for one in found.programs if one.id == job.payload["subscription_id"]] if found else []
        for one in programs:
            if found and await self._send(one, pushed.message(found.view, self._origin)) is not None:
                raise Unreachable(one.endpoint[:80], "takes no push now")

    async def _send(self, to: PushSubscription, text: bytes) -> float | None:
        """Seconds after which it is worth another try; None: there is no more to do."""
        proof = self._key.proof(to.endpoint, self._contact, self._now().timestamp())
        sealed = seal(text, Recipient(to.p256dh, to.auth, to.standard), self._key, proof)
        try:
            answer = await self._client.push(
                to.endpoint, sealed.body, {**sealed.headers, "TTL": TTL, "Urgency": "normal"}
            )
        except Unreachable as error:
            log.info("push: %s", error)
            return jobs.FIRST.total_seconds()
        except Refused as error:
            log.info("push: %s", error)
            return None
        if answer.status in _GONE:
            await self._db.write(push.forget, to.id)
        elif answer.status in _LATER or answer.status >= _SERVER_ERROR:
            return min(max(answer.retry_after or 0.0, jobs.FIRST.total_seconds()), _LONGEST)
        elif answer.reason:
            log.warning("push: a push service answered %s: %s", answer.status, answer.reason)
        return None


def _ask_again(
    tx: Connection, notification_id: int, later: Sequence[tuple[PushSubscription, float]], now: datetime
) -> None:
    for one, wait in later:
        payload = {"notification_id": notification_id, "subscription_id": one.id}
        jobs.ask(tx, "push_one", f"{notification_id} {one.id}", payload, now, now + timedelta(seconds=wait))
