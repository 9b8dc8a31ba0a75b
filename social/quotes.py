"""Quotes: a post shows another, if that one's author agrees (FEP-044f).

    pending ── he agrees ──► accepted ── he changes his mind ──► revoked
        └───── he does not ──► rejected

Ours ask with a QuoteRequest and keep the QuoteAuthorization that comes back; those who ask us get one when the policy
of the post says so, at once or never.  Servers that know nothing of this say no policy: what quotes their posts is
shown.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from federation.reading import Note, QuoteAuthorization, same_origin
from outbox import documents, enqueue, parts
from social import accounts, domains, notifications, ties
from social.errors import NotAllowed, NotFound
from social.events import Edited
from social.pages import Page
from social.paging import Paged
from social.posts import find, sending
from social.quoting import checked, chosen, told, verdict
from social.visibility import VISIBILITIES, narrower, visible, wanted
from store import jobs
from store.events import announce
from store.ids import new_id
from store.rows import one
from store.tables import Account, Post, Quote, QuoteApproval, posts, quote_approvals, quotes
from store.tables.base import Id

VERIFY: Final = "verify_quote"  # the job that looks at the other servers

_POST = bindparam("post", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_URIS: BindParameter[list[str]] = bindparam("uris", expanding=True)
_ADD = insert(quotes).on_conflict_do_nothing()
_OF = select(quotes).where(quotes.c.post_id == _POST)
_HOLD = _OF.with_for_update()
# Anybody may claim an approval of others, or call so what is none: only what was accepted counts.
_ALLOWED_BY = (
    select(quotes.c.post_id)
    .join(posts, posts.c.id == quotes.c.quoted_id)
    .where(
        quotes.c.approval == bindparam("approval_uri"),
        quotes.c.state == "accepted",
        posts.c.author_id == bindparam("author", type_=Id),
    )
)
_CHANGE = (
    update(quotes)
    .where(quotes.c.post_id == _POST)
    .values(state=bindparam("becomes"), approval=bindparam("by"), quoted_id=bindparam("of", type_=Id))
)
_REMOVE = delete(quotes).where(quotes.c.post_id == _POST)
_COUNT = (
    update(posts)
    .where(posts.c.id == bindparam("quoted", type_=Id))
    .values(quotes_count=posts.c.quotes_count + bindparam("more"), version=posts.c.version + 1)
)
_QUOTING = (
    update(posts)
    .where(posts.c.id.in_(select(quotes.c.post_id).where(quotes.c.quoted_id.in_(_IDS))))
    .values(version=posts.c.version + 1)
    .returning(posts.c.id, posts.c.author_id)
)
_COUNTED = (
    select(quotes.c.quoted_id, func.count())
    .where(
        quotes.c.post_id.in_(_IDS),
        quotes.c.state == "accepted",
        quotes.c.quoted_id.is_not(None),
    )
    .group_by(quotes.c.quoted_id)
    .order_by(quotes.c.quoted_id)
)
_TOUCH = update(posts).where(posts.c.id == _POST).values(version=posts.c.version + 1)
_SET_POLICY = (
    update(posts)
    .where(posts.c.id == _POST)
    .values(quote_policy=bindparam("policy", type_=posts.c.quote_policy.type), version=posts.c.version + 1)
)
_APPROVE = insert(quote_approvals).on_conflict_do_nothing()
_APPROVAL = select(quote_approvals).where(quote_approvals.c.uri == bindparam("approval_uri"))
_APPROVAL_FOR = select(quote_approvals).where(
    quote_approvals.c.quoted_id == _POST, quote_approvals.c.quoting_uri == bindparam("quoting")
)
_REVOKE = (
    update(quote_approvals)
    .where(quote_approvals.c.uri == bindparam("approval_uri"))
    .values(revoked_at=bindparam("now_"))
)
_PAGE = Paged(
    select(quotes.c.post_id)
    .join(posts, posts.c.id == quotes.c.post_id)
    .where(quotes.c.quoted_id == _POST, quotes.c.state == "accepted", visible(), wanted()),
    quotes.c.post_id,
)
_QUOTERS = (
    select(posts.c.author_id, posts.c.id)
    .join(quotes, quotes.c.post_id == posts.c.id)
    .where(quotes.c.quoted_id == _POST, quotes.c.state == "accepted", posts.c.local)
    .limit(1_000)
)


def quotable(tx: Connection, author_id: int, quoted_id: int) -> Post:
    """The post that one of ours wants to quote.  Raises: NotFound; NotAllowed, when it is sure that he may not."""
    post = find.original(tx, quoted_id, author_id)
    follows = _follows(tx, author_id, post.author_id)
    if verdict(post, author_id, follows=follows) in ("denied", "unknown"):
        raise NotAllowed("The author of that post does not let it be quoted")
    return post


def placed(quoted: Post, visibility: str) -> str:
    """Who quotes his own private words speaks to no more people than they were for."""
    closed = quoted.visibility not in ("public", "unlisted")
    return narrower(visibility, quoted.visibility) if closed and visibility in VISIBILITIES else visibility


def add(tx: Connection, author: Account, post_id: int, post_uri: str, quoted: Post, now: datetime) -> None:
    """A new post of ours quotes `quoted`, which `quotable` found.  Posts of ours are approved at once."""
    approval = None
    if quoted.local and quoted.author_id != author.id:
        approval = _approve(tx, quoted, post_uri, author, now)
    certain = quoted.local or quoted.author_id == author.id or quoted.quote_policy is None
    row = Quote(post_id, quoted.id, quoted.uri, "accepted" if certain else "pending", approval, now)
    tx.execute(_ADD, asdict(row))
    if certain:
        _counted(tx, row, author.id, quoted, now)


def request(tx: Connection, author: Account, post_id: int, now: datetime) -> None:
    """Asks the author on the other server, once the post is stored."""
    row = of(tx, post_id)
    if row is None or row.state != "pending" or row.quoted_id is None:
        return
    loaded = parts.load(tx, [post_id])[post_id]
    quoted = find.by_id(tx, row.quoted_id)
    asked = documents.quote_request(author, loaded, quoted.uri, accounts.by_id(tx, quoted.author_id).uri)
    enqueue.to_accounts(tx, author, asked, [quoted.author_id], now=now)


def of(tx: Connection, post_id: int) -> Quote | None:
    return one(tx, _OF, Quote, post=post_id)


def _hold(tx: Connection, post_id: int) -> Quote | None:
    """`of` for who will change it: a quote counts once, and once no more."""
    return one(tx, _HOLD, Quote, post=post_id)


def page(tx: Connection, author_id: int, post_id: int, page_: Page) -> list[int]:
    """The ids of what quotes a post of his.  Raises: NotFound, when it is not."""
    return _PAGE(tx, page_, post=find.own(tx, post_id, author_id).id, viewer=author_id)


def set_policy(tx: Connection, author_id: int, post_id: int, name: str, now: datetime) -> None:
    """Who may quote it from now on; other servers are told.  Raises: NotFound, Invalid."""
    post = find.own(tx, post_id, author_id)
    policy = chosen(checked(name), post.visibility)
    if policy != post.quote_policy:
        tx.execute(_SET_POLICY, {"post": post.id, "policy": policy})
        _update(tx, post.id, now)


def revoke(tx: Connection, author_id: int, post_id: int, quoting_id: int, now: datetime) -> None:
    """He no longer wants his post to be quoted by that one.  Raises: NotFound."""
    quoted, row = find.own(tx, post_id, author_id), _hold(tx, quoting_id)
    if row is None or row.quoted_id != quoted.id or row.state != "accepted":
        raise NotFound("No such quote", why=f"{quoting_id} of {post_id}")
    author = accounts.by_id(tx, author_id)
    quoting = find.by_id(tx, quoting_id)
    _end(tx, row, "revoked", now)
    if row.approval is not None:
        tx.execute(_REVOKE, {"approval_uri": row.approval, "now_": now})
        approved = documents.quote_authorization(author, row.approval, quoting.uri, quoted.uri)
        gone = documents.delete_approval(author, approved, accounts.by_id(tx, quoting.author_id).uri)
        enqueue.to_followers(tx, author, gone, also=[quoting.author_id], now=now)


# ---- what others say


def receive_request(
    tx: Connection, actor: Account, request_uri: str, quoted_uri: str, quoting_uri: str, now: datetime
) -> bool:
    """`actor` asks to quote a post of ours: he is answered at once.  Returns: may he?

    Raises: NotFound, when there is no such post, or none that he may see.
    """
    quoted = find.original(tx, find.by_uri(tx, quoted_uri).id, actor.id)
    if not quoted.local or not same_origin(quoting_uri, actor.uri):
        raise NotFound("No such post here", why=quoted_uri)
    author = accounts.by_id(tx, quoted.author_id)
    follows = _follows(tx, actor.id, author.id)
    allowed = verdict(quoted, actor.id, follows=follows) == "automatic" and not quoted.local_only
    allowed = allowed and not domains.shuns(tx, author.id, actor)
    approval = _approve(tx, quoted, quoting_uri, actor, now) if allowed else None
    asked = documents.asked_to_quote(actor, request_uri, quoted.uri, quoting_uri)
    answer = documents.answered(author, asked, new_id(), approval)
    enqueue.to_accounts(tx, author, answer, [actor.id], now=now)
    post = find.find_by_uri(tx, quoting_uri)
    if approval is not None and post is not None and post.author_id == actor.id:
        settle(tx, post.id, quoted, approval, now)
    return approval is not None


def receive_answer(
    tx: Connection,
    actor: Account,
    request_uri: str | None,
    quoting_uri: str | None,
    approval: str | None,
    now: datetime,
) -> None:
    """The author of what we quote agrees (`approval` is where he says so), or does not (None).

    Raises: NotFound, when nobody asked him.
    """
    uri = quoting_uri or (request_uri or "").removesuffix(documents.QUOTE_REQUEST)
    post = find.by_uri(tx, uri)
    row = _hold(tx, post.id)
    if row is None or row.quoted_id is None or not post.local or find.by_id(tx, row.quoted_id).author_id != actor.id:
        raise NotFound("Nobody asked for that", why=uri)
    if approval is None:
        _end(tx, row, "revoked" if row.state == "accepted" else "rejected", now)
    elif row.state == "pending" and same_origin(approval, actor.uri):
        settle(tx, post.id, find.by_id(tx, row.quoted_id), approval, now)
    else:
        return
    _update(tx, post.id, now)


def receive_revocation(tx: Connection, actor: Account, approval: str, now: datetime) -> None:
    """The author of a quoted post takes `approval` back, if it is one."""
    for post_id in tx.scalars(_ALLOWED_BY, {"approval_uri": approval, "author": actor.id}).all():
        row = _hold(tx, post_id)
        if row is not None and row.state == "accepted":
            _end(tx, row, "revoked", now)
            if find.by_id(tx, post_id).local:
                _update(tx, post_id, now)


@dataclass(frozen=True, slots=True)
class Claim:
    """A post of another server says that it quotes something, and who allowed it."""

    post_id: int
    post_uri: str
    author_id: int
    quoted_uri: str
    approval: str | None


def receive(tx: Connection, claims: Sequence[Claim], look_for: frozenset[int], now: datetime) -> None:
    """Keeps what new posts quote; what is not certain is looked at later, for the authors in `look_for`."""
    if not claims:
        return
    there = {post.uri: post for post in find.by_uris(tx, list({claim.quoted_uri for claim in claims})).values()}
    for claim in claims:
        quoted = there.get(claim.quoted_uri)
        row = Quote(claim.post_id, quoted.id if quoted else None, claim.quoted_uri, "pending", claim.approval, now)
        tx.execute(_ADD, asdict(row))
        if quoted is not None and is_certain(tx, claim, quoted):
            settle(tx, claim.post_id, quoted, claim.approval, now)
        elif claim.author_id in look_for and not (quoted and quoted.local):
            jobs.ask(tx, VERIFY, claim.post_uri, {"post_id": claim.post_id}, now)


def receive_change(tx: Connection, post: Post, author: Account, note: Note, now: datetime) -> None:
    """What another server now says about who may quote its post, and about what that one quotes."""
    policy = told(note.interaction_policy, author)
    if policy != post.quote_policy:
        tx.execute(_SET_POLICY, {"post": post.id, "policy": policy})
    quoted_uri, approval = note.quote if note.quote != note.id else None, note.quote_authorization
    row = _hold(tx, post.id)
    same = row.quoted_uri if row else None
    if (same, row.approval if row else None) == (quoted_uri, approval):
        return
    if row is not None:
        _end(tx, row, "revoked", now)
        tx.execute(_REMOVE, {"post": post.id})
    if quoted_uri is not None:
        claim = Claim(post.id, post.uri, post.author_id, quoted_uri, approval)
        receive(tx, [claim], frozenset({post.author_id}), now)
        tx.execute(_TOUCH, {"post": post.id})


def is_certain(tx: Connection, claim: Claim, quoted: Post) -> bool:
    """Is there nothing to ask another server?  Posts of ours are quoted with our approval, or not at all."""
    if quoted.author_id == claim.author_id:
        return True
    if quoted.visibility not in ("public", "unlisted"):
        return False
    if not quoted.local:
        return claim.approval is None and quoted.quote_policy is None
    found = one(tx, _APPROVAL, QuoteApproval, approval_uri=claim.approval or "")
    return (
        found is not None
        and found.revoked_at is None
        and (found.quoted_id, found.quoting_uri) == (quoted.id, claim.post_uri)
        and found.account_id == claim.author_id  # who asked, and not a neighbour whom nobody asked about
    )


def claim_of(tx: Connection, post_id: int) -> Claim | None:
    """What still has to be looked at; None: nothing."""
    row = of(tx, post_id)
    if row is None or row.state != "pending":
        return None
    post = find.by_id(tx, post_id)
    return Claim(post.id, post.uri, post.author_id, row.quoted_uri, row.approval)


def verified(tx: Connection, claim: Claim, quoted_id: int, said: QuoteAuthorization | None, now: datetime) -> bool:
    """What became of a claim, now that the quoted post is here.  said: by whoever lives at `claim.approval`."""
    quoted = find.by_id(tx, quoted_id)
    author = accounts.by_id(tx, quoted.author_id)
    tx.execute(_CHANGE, {"post": claim.post_id, "becomes": "pending", "by": claim.approval, "of": quoted.id})
    agreed = (
        said is not None
        and claim.approval is not None
        and same_origin(claim.approval, author.uri)
        and said == QuoteAuthorization(author.uri, claim.post_uri, quoted.uri)
    )
    if agreed or is_certain(tx, claim, quoted):
        settle(tx, claim.post_id, quoted, claim.approval, now)
    return agreed


def settle(tx: Connection, post_id: int, quoted: Post, approval: str | None, now: datetime) -> None:
    """It is allowed.  A second time is harmless."""
    row = _hold(tx, post_id)
    if row is None or row.state == "accepted":
        return
    tx.execute(_CHANGE, {"post": post_id, "becomes": "accepted", "by": approval, "of": quoted.id})
    tx.execute(_TOUCH, {"post": post_id})
    post = find.by_id(tx, post_id)
    _counted(tx, row, post.author_id, quoted, now)
    announce(tx, Edited(post_id, post.author_id))


def approval(tx: Connection, uri: str) -> tuple[QuoteApproval, Post]:
    """What our side says at that address.  Raises: NotFound, when it was never said, or was taken back."""
    found = one(tx, _APPROVAL, QuoteApproval, approval_uri=uri)
    if found is None or found.revoked_at is not None:
        raise NotFound("No such approval", why=uri)
    return found, find.by_id(tx, found.quoted_id)


def quoters(tx: Connection, post_id: int) -> list[tuple[int, int]]:
    """Those of ours whose posts quote it: (author, post)."""
    return [(row[0], row[1]) for row in tx.execute(_QUOTERS, {"post": post_id})]


def forget(tx: Connection, ids: Sequence[int]) -> None:
    """These posts go: what they quote is quoted by fewer, and what quotes them looks different."""
    for post_id, author_id in tx.execute(_QUOTING, {"ids": ids}).all():
        announce(tx, Edited(post_id, author_id))
    counted = tx.execute(_COUNTED, {"ids": ids}).all()
    if counted:
        tx.execute(_COUNT, [{"quoted": row[0], "more": -row[1]} for row in counted])


def _follows(tx: Connection, follower_id: int, target_id: int) -> bool:
    row = ties.find(tx, follower_id, target_id)
    return row is not None and row.accepted


def _approve(tx: Connection, quoted: Post, quoting_uri: str, by: Account, now: datetime) -> str | None:
    """The address of our approval; None, when it was given before, and taken back, or to another."""
    author = accounts.by_id(tx, quoted.author_id)
    uri = f"{author.uri}/quote_authorizations/{new_id()}"
    tx.execute(_APPROVE, asdict(QuoteApproval(uri, quoted.id, quoting_uri, by.id, now, None)))
    found = one(tx, _APPROVAL_FOR, QuoteApproval, post=quoted.id, quoting=quoting_uri)
    return found.uri if found is not None and found.revoked_at is None and found.account_id == by.id else None


def _counted(tx: Connection, row: Quote, by: int, quoted: Post, now: datetime) -> None:
    tx.execute(_COUNT, {"quoted": quoted.id, "more": 1})
    if quoted.local:
        notifications.notify(tx, quoted.author_id, "quote", by, row.post_id, now)


def _end(tx: Connection, row: Quote, state: str, now: datetime) -> None:  # noqa: ARG001
    if row.state == "accepted" and row.quoted_id is not None:
        tx.execute(_COUNT, {"quoted": row.quoted_id, "more": -1})
    tx.execute(_CHANGE, {"post": row.post_id, "becomes": state, "by": None, "of": row.quoted_id})
    tx.execute(_TOUCH, {"post": row.post_id})
    announce(tx, Edited(row.post_id, find.by_id(tx, row.post_id).author_id))


def _update(tx: Connection, post_id: int, now: datetime) -> None:
    """Other servers get the post as it is now; nothing, when it was deleted at the same moment."""
    if loaded := parts.load(tx, [post_id]).get(post_id):
        sending.changed(tx, loaded, documents.update(loaded, now), now)
