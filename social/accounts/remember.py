"""Remote accounts: stored at first sight, refreshed ever after.

Whoever calls this has made sure that the document is the actor's own (federation.actors): here it is believed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.errors import Malformed
from federation.keys import load_public
from federation.reading import Actor, Key, host_of
from outbox import outcomes
from social.accounts import find, naming, verification, words
from social.collections import consent
from social.errors import NotAllowed
from social.moderation import hosts
from social.sanitise import html
from store.ids import new_id
from store.prepared import Change, Prepared, padded
from store.rows import many
from store.tables import (
    INSTANCE_ACTOR_ID,
    Account,
    HostPolicy,
    account_keys,
    accounts,
    blank_account,
)
from store.tables.base import Id

_AROUND = Prepared(
    select(accounts).where(
        or_(
            accounts.c.uri == bindparam("uri"),
            accounts.c.handle == bindparam("handle"),
            accounts.c.id == INSTANCE_ACTOR_ID,
        )
    )
)
_AMONG = Prepared(
    select(accounts).where(
        or_(
            accounts.c.uri.in_(bindparam("uris", expanding=True)),
            accounts.c.handle.in_(bindparam("handles", expanding=True)),
            accounts.c.id == INSTANCE_ACTOR_ID,
        )
    )
)
_KEPT = {  # what is ours to say, or was said once and for all
    "id",
    "uri",
    "created_at",
    "suspended_at",
    "moved_at",
    "silenced_at",
    "sensitized_at",
    "host_limited",
    "followers_count",
    "following_count",
    "posts_count",
    "last_post_at",
    "version",
}
_NAMED = ("username", "domain", "url")  # what posts that mention somebody say of him
_INSERT = insert(accounts)
_ADD = Change(insert(accounts))
_STORE = _INSERT.on_conflict_do_update(
    index_elements=["uri"],
    set_={name: _INSERT.excluded[name] for name in Account.__slots__ if name not in _KEPT}
    | {"version": accounts.c.version + 1},
    where=accounts.c.host.is_not(None),
).returning(*accounts.c)
_MAKE_WAY = (
    update(accounts)
    .where(accounts.c.id == bindparam("other", type_=Id), accounts.c.host.is_not(None))
    .values(handle=bindparam("unique"), fetched_at=None)
)
_OLD_KEYS = delete(account_keys).where(
    account_keys.c.account_id == bindparam("account", type_=Id),
    account_keys.c.id.not_in(bindparam("ids", expanding=True)),
)
_INSERT_KEY = insert(account_keys)
_STORE_KEYS = Change(
    _INSERT_KEY.on_conflict_do_update(
        index_elements=["id"],
        set_={name: _INSERT_KEY.excluded[name] for name in ("kind", "public", "created_at")},
        where=account_keys.c.account_id == _INSERT_KEY.excluded.account_id,  # nobody's key is overwritten by another
    )
)


def remember(tx: Connection, actor: Actor, handle: str, now: datetime, *, served: bool = True) -> Account:
    """The account of a remote actor as its document says now.

    handle: confirmed by WebFinger (`bob@far.test`).  Another account that has it gives way: handles move to new
            actors when servers are made anew, and the newest answer is the one that was checked.
    now:    when the document was given; what is known since then stays.
    served: its own server gave the document.  Only then does a deleted account come back; a document that came
            inside an activity (Update) does not bring it.

    Raises: NotAllowed, for an actor that lives at our own address (an account of ours is never touched), or calls
            itself what nobody can.
    """
    wanted = find.normalise_handle(handle)
    if wanted is None or "@" not in wanted:
        raise NotAllowed("That account cannot be remembered", why=handle[:300])
    host, around = host_of(actor.id), many(tx, _AROUND, Account, uri=actor.id, handle=wanted)
    if any(row.is_local and (row.uri == actor.id or host_of(row.uri) == host) for row in around):
        raise NotAllowed("That account is ours", why=actor.id)
    known = next((row for row in around if row.uri == actor.id), None)
    if known is not None and ((known.deleted_at is not None and not served) or _is_newer(known, now)):
        return known
    for row in around:
        if row.handle == wanted and row is not known:
            tx.execute(_MAKE_WAY, {"other": row.id, "unique": f"{wanted}#{row.id}"})
    is_asked = known is None or actor.avatar or actor.header or actor.emojis
    values = _columns(actor, wanted, now, hosts.holding(tx, [host]).get(host) if is_asked else None)
    values["fields"] = verification.kept(known.fields if known else (), values["fields"])
    stored = tx.execute(_STORE, values).one_or_none()
    if stored is None:
        return find.by_uri(tx, actor.id)
    account = Account(*stored)
    _store_keys(tx, account, actor.keys, now, new=known is None)
    if known is None:
        words.add(tx, [account])
    else:
        _follow_up(tx, known, account, now)
    if actor.implements:
        outcomes.learn(tx, host, actor.implements)
    return account


def _follow_up(tx: Connection, before: Account, account: Account, now: datetime) -> None:
    if any(getattr(before, name) != getattr(account, name) for name in _NAMED):
        naming.say_anew(tx, account.id, now)
    words.change(tx, before, account)
    if before.fields != account.fields:
        verification.ask_if_followed(tx, account, now)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Whom nobody here knows, not even by his handle: what `remember` would make of him, not stored yet."""

    columns: dict[str, Any]
    account: Account
    actor: Actor
    at: datetime


class Around:
    """The accounts that have some uris, or some handles."""

    def __init__(self, tx: Connection, uris: Collection[str], handles: Collection[str]) -> None:
        wanted = [name for handle in handles if (name := find.normalise_handle(handle))]
        found = many(tx, _AMONG, Account, uris=padded(list(uris)), handles=padded(wanted or [""]))
        self._by_uri = {account.uri: account for account in found}
        self._handles = {account.handle for account in found}
        self._our_hosts = {host_of(account.uri) for account in found if account.is_local}
        self._held = hosts.holding(tx, set(map(host_of, uris))) if handles else {}

    def get(self, uri: str) -> Account | None:
        return self._by_uri.get(uri)

    def newcomer(self, actor: Actor, handle: str, at: datetime) -> Newcomer | None:
        """None: he is no newcomer, or not acceptable; `remember` will say which.  Each handle once."""
        wanted = find.normalise_handle(handle)
        if wanted is None or "@" not in wanted or wanted in self._handles:
            return None
        if actor.id in self._by_uri or host_of(actor.id) in self._our_hosts:
            return None
        self._handles.add(wanted)
        columns = _columns(actor, wanted, at, self._held.get(host_of(actor.id)))
        return Newcomer(columns, Account(**columns), actor, at)


def add(tx: Connection, newcomers: Sequence[Newcomer]) -> None:
    """Stores them, in three statements for all; further ones for what their servers say to know."""
    if not newcomers:
        return
    _ADD.each(tx, [one.columns for one in newcomers])
    words.add(tx, [one.account for one in newcomers])
    keys = [row for one in newcomers for key in one.actor.keys if (row := _key(one.account, key, one.at))]
    _STORE_KEYS.each(tx, keys)
    for host, implements in sorted({(host_of(one.actor.id), one.actor.implements) for one in newcomers}):
        if implements:
            outcomes.learn(tx, host, implements)


def _columns(actor: Actor, handle: str, now: datetime, policy: HostPolicy | None) -> dict[str, Any]:
    """policy: what holds for the actor's host."""
    name, _, domain = handle.partition("@")
    bare = policy is not None and policy.reject_media
    avatar, header, emojis = (None, None, ()) if bare else (actor.avatar, actor.header, actor.emojis)
    return blank_account(
        id=new_id(),
        uri=actor.id,
        handle=handle,
        username=actor.username if actor.username.lower() == name else name,
        domain=domain,
        host=host_of(actor.id),
        kind=actor.kind,
        display_name=actor.name,
        note=html(actor.summary_html),
        url=actor.url or actor.id,
        inbox=actor.inbox,
        shared_inbox=actor.shared_inbox,
        outbox=actor.outbox,
        followers_uri=actor.followers,
        following_uri=actor.following,
        featured_uri=actor.featured,
        locked=actor.locked,
        discoverable=actor.discoverable,
        indexable=actor.indexable,
        avatar_url=avatar.url if avatar else None,
        avatar_alt=avatar.description if avatar else "",
        header_url=header.url if header else None,
        header_alt=header.description if header else "",
        fields=[{"name": field.name, "value": html(field.value_html)} for field in actor.fields],
        emojis=[{"shortcode": emoji.shortcode, "url": emoji.url} for emoji in emojis],
        also_known_as=list(actor.also_known_as),
        moved_to=actor.moved_to if actor.moved_to != actor.id else None,
        memorial=actor.memorial,
        collections_uri=actor.collections,
        attribution_domains=list(actor.attribution_domains),
        feature_policy=consent.told(actor.interaction_policy, actor.id, actor.followers, actor.following),
        show_media=actor.show_media,
        show_media_replies=actor.show_media_replies,
        show_featured=actor.show_featured,
        host_limited=policy is not None and policy.level == hosts.LIMIT,
        # Fetched or kept before the block, which suspended all who were known.
        suspended_at=policy.created_at if policy is not None and policy.level == hosts.BLOCK else None,
        created_at=min(actor.published or now, now),
        fetched_at=now,
    )


def _is_newer(known: Account, now: datetime) -> bool:
    """Is what we know from after `now`: the document waited meanwhile?"""
    return known.fetched_at is not None and known.fetched_at > now


def _store_keys(tx: Connection, account: Account, keys: tuple[Key, ...], now: datetime, *, new: bool) -> None:
    """Those of the document instead of what we had: that is how keys are rotated, and stolen ones withdrawn."""
    rows = [row for key in keys if (row := _key(account, key, now))]
    if not rows:
        return  # a document without keys takes back nothing: some servers leave them out of an Update
    if not new:
        tx.execute(_OLD_KEYS, {"account": account.id, "ids": [row["id"] for row in rows]})
    _STORE_KEYS.each(tx, rows)


def _key(account: Account, key: Key, now: datetime) -> dict[str, Any] | None:
    """None: no key that we could check anything with."""
    try:
        kind = load_public(key.id, key.owner, key.material).kind
    except Malformed:
        return None
    return {
        "id": key.id,
        "account_id": account.id,
        "kind": kind,
        "public": key.material,
        "private": None,
        "created_at": now,
    }
