"""What units ask the network for, because they may not wait: job kind → function.

An errand returns when it is done.  It raises Unavailable or Unreachable when it should be tried again, and other
refusals when there is nothing to be had: see connectme.worker.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection

from connectme.backfilling import ON_ITS_WAY, Backfilling
from connectme.collecting import Collecting
from connectme.conversations import Conversations
from connectme.gather import BUDGET, Gatherer, known_post
from connectme.importing import Importer
from connectme.previews import Previewer
from connectme.repair import Repairing
from connectme.verifying import Verifier
from federation.client import Budget
from federation.errors import Gone
from federation.reading import JSON, Note, read_collection, read_quote_authorization, same_origin, types
from federation.reading.values import is_web
from outbox import documents, enqueue, synchronisation
from social import (
    accounts,
    backfills,
    boosts,
    cards,
    domains,
    follows,
    imports,
    moves,
    pins,
    polls,
    purge,
    quotes,
    undone,
)
from social.accounts import naming, verification
from social.errors import NotAllowed, NotFound, Unavailable
from social.posts import find, receive
from social.posts.delete import receive_delete
from store import jobs
from store.database import Database
from store.ids import new_id
from store.tables import Account, Job

log = logging.getLogger(__name__)

PAGES = 3  # of a collection of replies
REPLIES = 20  # that are fetched of one collection
FOLLOWERS = 100_000  # in one list: more than a document of a megabyte holds, and who is cut off would end to follow
UNKNOWN = 20  # followers of whom we know nothing, told so in one go (FEP-8fcf)

Errand: TypeAlias = Callable[[Job], Awaitable[None]]


class Errands:
    """`table[job.kind]` does it."""

    def __init__(self, db: Database, gatherer: Gatherer) -> None:
        previewer = Previewer(db, gatherer)
        self._db = db
        self._gatherer = gatherer
        self._now = gatherer.now
        self.table: Mapping[str, Errand] = {
            "fetch_post": self._fetch_post,
            "fetch_restored": self._fetch_restored,
            "fetch_announced": self._fetch_announced,
            pins.FETCH: self._fetch_pinned,
            pins.LOOK: self._fetch_featured,
            backfills.JOB: Backfilling(db, gatherer).fetch,
            "fetch_account": self._fetch_account,
            "fetch_replies": self._fetch_replies,
            cards.FETCH: previewer.fetch,
            cards.CREDIT: previewer.credit,
            "fetch_thread": Conversations(db, gatherer).fetch,
            verification.VERIFY: Verifier(db, gatherer.client, gatherer.is_ours, gatherer.now).verify,
            "check_deleted": self._check_deleted,
            quotes.VERIFY: self._verify_quote,
            "verify_move": self._verify_move,
            "carry_followers": self._carry_followers,
            "purge_account": self._purge_account,
            naming.JOB: self._name_mentioned,
            "leave_domain": self._leave_domain,
            imports.JOB: Importer(db, gatherer).read_in,
            "send_results": self._send_results,
            "synchronise_followers": self._synchronise_followers,
            **Collecting(db, gatherer).table,
            **Repairing(db, gatherer, self.synchronise).table,
        }

    async def _fetch_post(self, job: Job) -> None:
        """A post that turns out to be gone goes here, too."""
        address, fresh = job.payload["uri"], bool(job.payload.get("fresh"))
        known = await self._db.read(known_post, address)
        if known is not None and not fresh:
            await self._db.write(receive.join, known, self._now())
        elif not self._gatherer.is_ours(address):
            try:
                await self._gatherer.fetch_post(address, depth=int(job.payload.get("depth", 0)), fresh=fresh)
            except NotFound as error:
                if isinstance(error.__cause__, Gone):
                    await self._gone(address, error.__cause__)
                raise

    async def _fetch_restored(self, job: Job) -> None:
        """A post whose deletion was taken back: it is here again when its own server has it."""
        address = job.payload["uri"]
        note = await self._gatherer.note(address, Budget(BUDGET))
        if await self._db.write(undone.take, note.id, note.author):
            await self._gatherer.fetch_post(note.id)

    async def _fetch_announced(self, job: Job) -> None:
        """The boost of a post that was not here."""
        await self._db.write(boosts.finish, await self._gatherer.post(job.payload["uri"]), job.payload, self._now())

    async def _fetch_pinned(self, job: Job) -> None:
        await self._db.write(pins.finish, await self._gatherer.post(job.payload["uri"]), job.payload, self._now())

    async def _fetch_featured(self, job: Job) -> None:
        """What an account pinned, as its own server lists it."""
        account = await self._db.read(accounts.find_by_uri, job.payload["account"])
        if account is None or account.is_gone or account.featured_uri is None:
            return
        budget, found = Budget(2 * BUDGET), []
        listed = await self._names(account.featured_uri, budget, pins.MOST_REMOTE)
        for address in [one for one in listed if same_origin(one, account.uri)][: pins.MOST_REMOTE]:
            known = await self._db.read(known_post, address)
            try:
                if known is None:
                    quiet = self._now() - ON_ITS_WAY
                    known = await self._gatherer.fetch_post(
                        address, depth=receive.DEEPEST, budget=budget, quiet_before=quiet
                    )
                found.append(known)
            except (NotFound, NotAllowed, Unavailable) as error:
                log.info("pinned by %s: %s %s", account.uri, error, error.why)
        await self._db.write(pins.replace, account, found, self._now())

    async def _fetch_account(self, job: Job) -> None:
        await self._gatherer.account(job.payload["uri"], fresh=bool(job.payload.get("fresh", True)))

    async def _fetch_replies(self, job: Job) -> None:
        """Answers to a post, as its server lists them: some pages, some posts of them."""
        budget = Budget(2 * BUDGET)
        note: Note = await self._gatherer.note(job.payload["uri"], budget)
        if note.replies is None:
            return
        for address in await self._items(note.replies, budget):
            try:
                await self._gatherer.fetch_post(address, budget=budget)
            except (NotFound, NotAllowed, Unavailable) as error:
                log.info("an answer to %s: %s %s", note.id, error, error.why)
                if budget.left <= 0:
                    return

    async def _items(self, address: str, budget: Budget) -> list[str]:
        """Those in a collection that are of other servers, and not here."""
        found = await self._names(address, budget, REPLIES)
        return await self._db.read(_unknown_posts, [one for one in found if not self._gatherer.is_ours(one)][:REPLIES])

    async def _names(self, address: str, budget: Budget, most: int) -> list[str]:
        """The ids in the first pages of a collection, until there are enough."""
        found: dict[str, None] = {}
        page: str | JSON | None = address
        for _ in range(PAGES + 1):
            if page is None or len(found) >= most:
                break
            document = await self._gatherer.document(page, budget) if isinstance(page, str) else page
            collection = read_collection(document)
            names = (item if isinstance(item, str) else item.get("id") for item in collection.items)
            found |= dict.fromkeys(name for name in names if isinstance(name, str) and is_web(name))
            page = collection.next if collection.is_page or collection.first is None else collection.first
        return list(found)

    async def _check_deleted(self, job: Job) -> None:
        """Somebody says that it is no more: the word of its own server counts."""
        address = job.payload["uri"]
        if self._gatherer.is_ours(address):
            return
        try:
            document = await self._gatherer.document(address, Budget(BUDGET))
        except Gone as error:
            await self._gone(address, error)
            return
        if "Tombstone" in types(document):
            await self._db.write(_gone, address, self._now(), certain=True)

    async def _gone(self, address: str, error: Gone) -> None:
        # 410 is said on purpose; 404 also by who may not show it to us.
        await self._db.write(_gone, address, self._now(), certain=str(error).endswith(" 410"))

    async def _verify_quote(self, job: Job) -> None:
        """The quoted post is fetched, and what its author says about being quoted."""
        claim = await self._db.read(quotes.claim_of, job.payload["post_id"])
        if claim is None or self._gatherer.is_ours(claim.quoted_uri):
            return
        quoted_id = await self._db.read(known_post, claim.quoted_uri)
        if quoted_id is None:
            quoted_id = await self._gatherer.fetch_post(claim.quoted_uri, depth=1)  # what it quotes stays unknown
        approved = None
        if claim.approval is not None:
            approved = read_quote_authorization(await self._gatherer.document(claim.approval, Budget(BUDGET)))
        await self._db.write(quotes.verified, claim, quoted_id, approved, self._now())

    async def _verify_move(self, job: Job) -> None:
        """The new account is looked at as it is now: it has to name the old one."""
        new = await self._gatherer.account(job.payload["target"], fresh=True)
        await self._db.write(_move, job.payload["actor"], new, self._now())

    async def _carry_followers(self, job: Job) -> None:
        old, new = job.payload["account_id"], job.payload["target_id"]
        while await self._db.write(moves.carry, old, new, self._now()):
            pass

    async def _purge_account(self, job: Job) -> None:
        while await self._db.write(purge.step, job.payload["account_id"]):
            pass

    async def _name_mentioned(self, job: Job) -> None:
        below: int | None = job.payload["below"]
        while below is not None:
            below = await self._db.write(naming.step, job.payload["account_id"], below)

    async def _leave_domain(self, job: Job) -> None:
        """Whoever follows one of ours from a domain that he does not want."""
        while await self._db.write(_lose_followers, job.payload["account_id"], job.payload["domain"], self._now()):
            pass

    async def _send_results(self, job: Job) -> None:
        await self._db.write(_send_results, job, self._now())

    async def _synchronise_followers(self, job: Job) -> None:
        """Their list of our people who follow `actor`, against ours (FEP-8fcf)."""
        actor = await self._db.read(accounts.find_by_uri, job.payload["actor"])
        if actor is not None and not actor.is_gone:
            await self.synchronise(actor, job.payload["url"], Budget(BUDGET))

    async def synchronise(self, actor: Account, address: str, budget: Budget, *, guessed: bool = False) -> None:
        """address: of the list, on the actor's own host.  guessed: they never named it, so what has nobody of ours
        may be anything, and ends no follow.  Raises: FederationError, NotFound, NotAllowed."""
        collection = read_collection(await self._gatherer.document(address, budget), FOLLOWERS)
        is_whole = collection.first is None and collection.next is None  # a part of the list would end follows
        if is_whole and (collection.items or not collection.total):
            names = [one for one in collection.items if isinstance(one, str) and self._gatherer.is_ours(one)]
            if names or not guessed:
                await self._db.write(_synchronise, actor, names, self._now())


def _unknown_posts(tx: Connection, addresses: list[str]) -> list[str]:
    return [address for address in addresses if find.find_by_uri(tx, address) is None]


def _gone(tx: Connection, address: str, now: datetime, *, certain: bool) -> None:
    """certain: otherwise an account stays, and a post that not everybody may see."""
    post = find.find_by_uri(tx, address)
    if post is not None and not post.local and (certain or post.visibility in ("public", "unlisted")):
        receive_delete(tx, accounts.by_id(tx, post.author_id), address, now)
    account = accounts.find_by_uri(tx, address) if certain else None
    if account is not None and not account.is_local:
        accounts.forget(tx, account, now)


def _send_results(tx: Connection, job: Job, now: datetime) -> None:
    """Done before it looks: who votes meanwhile asks for it again."""
    jobs.done(tx, [job.id])
    polls.send_results(tx, job.payload["post_id"], now)


def _move(tx: Connection, actor_uri: str, new: Account, now: datetime) -> None:
    moves.receive_move(tx, accounts.by_uri(tx, actor_uri), new, now)


def _lose_followers(tx: Connection, account_id: int, domain: str, now: datetime) -> bool:
    """Some; were there any?"""
    found = domains.followers(tx, account_id, domain)
    for follower_id in found:
        follows.remove_follower(tx, account_id, follower_id, now)
    return bool(found)


def _synchronise(tx: Connection, actor: Account, listed: list[str], now: datetime) -> None:
    ours = synchronisation.local_followers(tx, actor.id)
    found = synchronisation.compare(ours, listed)
    names = {one.follower_id: one.uri for one in ours}
    for follower in found.gone:
        follows.rejected(tx, actor, uri=None, follower=names[follower])
    for follower in found.accepted:
        follows.accepted(tx, actor, uri=None, follower=names[follower])
    for name in found.unknown[:UNKNOWN]:
        person = accounts.find_by_uri(tx, name)
        if person is not None and person.is_local:
            undo = documents.undo(documents.follow(person, actor, f"{name}#follows/{new_id()}"))
            enqueue.to_accounts(tx, person, undo, [actor.id], now=now)
