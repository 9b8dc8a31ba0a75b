"""Lists of those whom one follows.  Their feeds are social/timelines.py's.

Everything here is of one owner: every query carries his id, and what is another's is not found.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql  # SQLite has the same ON CONFLICT

from social import accounts as people
from social import timelines
from social.errors import Invalid, NotFound
from social.pages import Page
from social.paging import Paged, padded
from social.views import PostView
from store.ids import new_id
from store.rows import many, one
from store.tables import Account, AccountList, accounts, follows, home_entries, list_entries, list_members, lists, posts
from store.tables.base import Id

MOST: Final = 50  # lists of one owner, as on Mastodon
TITLE_LIMIT: Final = 256
POLICIES: Final = ("followed", "list", "none")

_OWNER, _LIST = bindparam("owner", type_=Id), bindparam("list", type_=Id)
_IDS = bindparam("ids", expanding=True, type_=Id)
_HIS = select(lists).where(lists.c.account_id == _OWNER)
_ALL = _HIS.order_by(lists.c.id)
_ONE = _HIS.where(lists.c.id == _LIST)
_COUNT = select(func.count()).where(lists.c.account_id == _OWNER)
_ADD = insert(lists)
_CHANGE = (
    update(lists)
    .where(lists.c.id == _LIST, lists.c.account_id == _OWNER)
    .values(title=bindparam("new_title"), replies_policy=bindparam("new_policy"), exclusive=bindparam("new_exclusive"))
)
_DELETE = delete(lists).where(lists.c.id == _LIST, lists.c.account_id == _OWNER)
_ADD_MEMBERS = postgresql.insert(list_members).on_conflict_do_nothing()
_IN_IT = select(list_members.c.account_id).where(list_members.c.list_id == _LIST, list_members.c.account_id.in_(_IDS))
_REMOVE = delete(list_members).where(list_members.c.list_id == _LIST, list_members.c.account_id.in_(_IDS))
_FOLLOWED = select(follows.c.target_id).where(follows.c.follower_id == _OWNER, follows.c.target_id.in_(_IDS))
_MEMBERS = Paged(
    select(list_members.c.id, accounts)
    .join_from(list_members, accounts, accounts.c.id == list_members.c.account_id)
    .where(list_members.c.list_id == _LIST, accounts.c.suspended_at.is_(None), accounts.c.deleted_at.is_(None)),
    list_members.c.id,
)
_WITH_MEMBER = (
    _ALL.join(list_members, list_members.c.list_id == lists.c.id)
    .where(list_members.c.account_id == bindparam("member", type_=Id))
)  # fmt: skip

_entry = home_entries.alias("entry")
_OUT_OF_HOME = delete(home_entries).where(
    home_entries.c.owner_id == _OWNER,
    home_entries.c.post_id.in_(
        select(_entry.c.post_id)
        .join(posts, posts.c.id == _entry.c.post_id)
        .join(list_members, list_members.c.account_id == posts.c.author_id)
        .where(_entry.c.owner_id == _OWNER, list_members.c.list_id == _LIST, list_members.c.follower_id.is_not(None))
    ),
)
_elsewhere = lists.alias("elsewhere")
_kept = exists().where(
    list_members.c.account_id == posts.c.author_id,
    list_members.c.follower_id == _OWNER,
    _elsewhere.c.id == list_members.c.list_id,
    _elsewhere.c.exclusive,
)
_BACK_HOME = (
    postgresql.insert(home_entries)
    .from_select(
        ["owner_id", "post_id"],
        select(_OWNER, list_entries.c.post_id)
        .join(posts, posts.c.id == list_entries.c.post_id)
        .where(list_entries.c.list_id == _LIST, ~_kept)
        .order_by(list_entries.c.post_id.desc())
        .limit(timelines.FILL),
    )
    .on_conflict_do_nothing()
)


@dataclass(frozen=True, slots=True)
class Member:
    """`id`: what the next page is asked for by."""

    id: int
    account: Account


def all_of(tx: Connection, owner_id: int) -> list[AccountList]:
    return many(tx, _ALL, AccountList, owner=owner_id)


def get(tx: Connection, owner_id: int, list_id: int) -> AccountList:
    """Raises: NotFound."""
    return one(tx, _ONE, AccountList, owner=owner_id, list=list_id) or _missing()


def create(
    tx: Connection, owner_id: int, title: str, replies_policy: str = "list", exclusive: bool = False
) -> AccountList:
    """Raises: Invalid."""
    people.hold(tx, owner_id)
    if (tx.scalar(_COUNT, {"owner": owner_id}) or 0) >= MOST:
        raise Invalid(f"Validation failed: You have reached the maximum of {MOST} lists")
    made = _checked(AccountList(new_id(), owner_id, title, replies_policy, exclusive))
    tx.execute(_ADD, asdict(made))
    return made


def change(
    tx: Connection,
    owner_id: int,
    list_id: int,
    title: str | None = None,
    replies_policy: str | None = None,
    exclusive: bool | None = None,
) -> AccountList:
    """None: stays as it is.  Members of a list that becomes exclusive leave the home feed.

    Raises: NotFound, Invalid.
    """
    old = get(tx, owner_id, list_id)
    wishes: dict[str, Any] = {"title": title, "replies_policy": replies_policy, "exclusive": exclusive}
    new = _checked(replace(old, **{name: value for name, value in wishes.items() if value is not None}))
    values = {"new_title": new.title, "new_policy": new.replies_policy, "new_exclusive": new.exclusive}
    tx.execute(_CHANGE, {"owner": owner_id, "list": list_id, **values})
    if new.exclusive != old.exclusive:
        tx.execute(_OUT_OF_HOME if new.exclusive else _BACK_HOME, {"owner": owner_id, "list": list_id})
    return new


def remove(tx: Connection, owner_id: int, list_id: int) -> None:
    """Raises: NotFound."""
    if get(tx, owner_id, list_id).exclusive:
        change(tx, owner_id, list_id, exclusive=False)
    tx.execute(_DELETE, {"owner": owner_id, "list": list_id})


def members_page(tx: Connection, owner_id: int, list_id: int, page: Page) -> list[Member]:
    """Those added last first.  Raises: NotFound."""
    get(tx, owner_id, list_id)
    return [Member(row[0], Account(*row[1:])) for row in _MEMBERS.rows(tx, page, list=list_id)]


def with_member(tx: Connection, owner_id: int, account_id: int) -> list[AccountList]:
    """His lists in which the account is."""
    return many(tx, _WITH_MEMBER, AccountList, owner=owner_id, member=account_id)


def add_members(tx: Connection, owner_id: int, list_id: int, ids: Sequence[int]) -> None:
    """All of them or none; their newest posts come into the feed.

    Raises: NotFound, when he does not follow one of them, nor asked to; Invalid, when one is in it already.
    """
    it, ids = get(tx, owner_id, list_id), list(dict.fromkeys(ids))
    if not ids:
        return
    asked = {"owner": owner_id, "list": list_id, "ids": padded(ids)}
    if not {*ids} <= {owner_id, *tx.scalars(_FOLLOWED, asked)}:
        raise NotFound("Record not found")
    if tx.scalars(_IN_IT, asked).all():
        raise Invalid("Validation failed: Account has already been taken")
    rows: list[dict[str, Any]] = [
        {
            "list_id": list_id,
            "account_id": account_id,
            "follower_id": None if account_id == owner_id else owner_id,
            "id": new_id(),
        }
        for account_id in ids
    ]
    tx.execute(_ADD_MEMBERS, rows)
    for account_id in ids:
        timelines.fill_list(tx, list_id, account_id)
    if it.exclusive:
        tx.execute(_OUT_OF_HOME, {"owner": owner_id, "list": list_id})


def remove_members(tx: Connection, owner_id: int, list_id: int, ids: Sequence[int]) -> None:
    """Those who are not in it do not matter.  Raises: NotFound, when there is no such list."""
    it = get(tx, owner_id, list_id)
    gone = tx.scalars(_IN_IT, {"list": list_id, "ids": padded(ids)}).all() if ids else []
    if not gone:
        return
    tx.execute(_REMOVE, {"list": list_id, "ids": padded(gone)})
    for account_id in gone:
        timelines.empty_list(tx, list_id, account_id)
        if it.exclusive and account_id != owner_id:
            timelines.fill(tx, owner_id, account_id)


def feed(tx: Connection, owner_id: int, list_id: int, page: Page) -> list[PostView]:
    """A page of what its members write.  Raises: NotFound."""
    get(tx, owner_id, list_id)
    return timelines.list_page(tx, owner_id, list_id, page)


def _checked(it: AccountList) -> AccountList:
    title = it.title.strip()
    if not title:
        raise Invalid("Validation failed: Title can't be blank")
    if len(title) > TITLE_LIMIT:
        raise Invalid(f"Validation failed: Title has at most {TITLE_LIMIT} characters")
    if it.replies_policy not in POLICIES:
        raise Invalid(f"Validation failed: replies_policy is one of {', '.join(POLICIES)}")
    return replace(it, title=title)


def _missing() -> AccountList:
    raise NotFound("Record not found")
