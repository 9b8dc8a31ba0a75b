"""Filters as their owner keeps them.  Every query carries his id: what is another's is not found."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final, NoReturn

from sqlalchemy import Connection, bindparam, delete, insert, update

from social.errors import Invalid, NotFound
from social.events import FiltersChanged
from social.filters.loading import Kept, load
from social.posts import find
from store.events import announce
from store.ids import new_id
from store.tables import Filter, FilterKeyword, FilterPost, filter_keywords, filter_posts, filters
from store.tables.base import Id, Instant

CONTEXTS: Final = ("home", "notifications", "public", "thread", "account")
ACTIONS: Final = ("warn", "hide", "blur")
MOST: Final = 100  # filters of one person
MOST_IN_ONE: Final = 200  # keywords in a filter, and posts
MOST_KEYWORDS: Final = 1_000  # of one person: each is looked for in all that he is shown
TITLE_LIMIT: Final = 256
KEYWORD_LIMIT: Final = 512

_WHICH = bindparam("which", type_=Id)
_ADD = insert(filters)
_CHANGE = (
    update(filters)
    .where(filters.c.id == _WHICH)
    .values(
        title=bindparam("new_title"),
        contexts=bindparam("new_contexts", type_=filters.c.contexts.type),
        action=bindparam("new_action"),
        expires_at=bindparam("new_expires", type_=Instant),
    )
)
_REMOVE = delete(filters).where(filters.c.id == _WHICH)
_ADD_KEYWORD = insert(filter_keywords)
_CHANGE_KEYWORD = (
    update(filter_keywords)
    .where(filter_keywords.c.id == _WHICH)
    .values(keyword=bindparam("new_keyword"), whole_word=bindparam("new_whole"))
)
_REMOVE_KEYWORD = delete(filter_keywords).where(filter_keywords.c.id == _WHICH)
_ADD_POST = insert(filter_posts)
_REMOVE_POST = delete(filter_posts).where(filter_posts.c.id == _WHICH)


@dataclass(frozen=True, slots=True)
class KeywordChange:
    """A new keyword (id None), or what becomes of one that is there.  None: stays as it is."""

    id: int | None = None
    keyword: str | None = None
    whole_word: bool | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What is None stays as it is; `expires_at` counts only with `expiry`."""

    title: str | None = None
    contexts: tuple[str, ...] | None = None
    action: str | None = None
    expiry: bool = False
    expires_at: datetime | None = None
    keywords: Sequence[KeywordChange] = ()


def all_of(tx: Connection, owner_id: int) -> tuple[Kept, ...]:
    return load(tx, owner_id)


def get(tx: Connection, owner_id: int, filter_id: int) -> Kept:
    """Raises: NotFound."""
    return next((kept for kept in load(tx, owner_id) if kept.filter.id == filter_id), None) or _missing()


def create(tx: Connection, owner_id: int, wishes: Changes) -> Kept:
    """Raises: Invalid; NotFound, for keywords with an id."""
    if len(load(tx, owner_id)) >= MOST:
        raise Invalid(f"Validation failed: You have reached the maximum of {MOST} filters")
    made = _checked(_changed(Filter(new_id(), owner_id, "", [], "warn", None), wishes))
    tx.execute(_ADD, asdict(made))
    return _finish(tx, Kept(made), wishes.keywords)


def change(tx: Connection, owner_id: int, filter_id: int, wishes: Changes) -> Kept:
    """Raises: NotFound, also for a keyword that is not in it; Invalid."""
    kept = get(tx, owner_id, filter_id)
    new = _checked(_changed(kept.filter, wishes))
    values = {
        "new_title": new.title,
        "new_contexts": new.contexts,
        "new_action": new.action,
        "new_expires": new.expires_at,
    }
    tx.execute(_CHANGE, {"which": filter_id, **values})
    return _finish(tx, kept, wishes.keywords)


def remove(tx: Connection, owner_id: int, filter_id: int) -> None:
    """Raises: NotFound."""
    get(tx, owner_id, filter_id)
    tx.execute(_REMOVE, {"which": filter_id})
    announce(tx, FiltersChanged(owner_id))


def keyword(tx: Connection, owner_id: int, keyword_id: int) -> tuple[Kept, FilterKeyword]:
    """Raises: NotFound."""
    found = ((kept, one) for kept in load(tx, owner_id) for one in kept.keywords if one.id == keyword_id)
    return next(found, None) or _missing()


def add_keyword(tx: Connection, owner_id: int, filter_id: int, word: str, whole_word: bool) -> FilterKeyword:
    """Raises: NotFound, Invalid."""
    kept = change(tx, owner_id, filter_id, Changes(keywords=[KeywordChange(None, word, whole_word)]))
    return kept.keywords[-1]


def change_keyword(
    tx: Connection, owner_id: int, keyword_id: int, word: str | None, whole_word: bool | None
) -> FilterKeyword:
    """Raises: NotFound, Invalid."""
    kept, _ = keyword(tx, owner_id, keyword_id)
    change(tx, owner_id, kept.filter.id, Changes(keywords=[KeywordChange(keyword_id, word, whole_word)]))
    return keyword(tx, owner_id, keyword_id)[1]


def remove_keyword(tx: Connection, owner_id: int, keyword_id: int) -> None:
    """Raises: NotFound."""
    kept, _ = keyword(tx, owner_id, keyword_id)
    change(tx, owner_id, kept.filter.id, Changes(keywords=[KeywordChange(keyword_id, gone=True)]))


def post(tx: Connection, owner_id: int, number: int) -> FilterPost:
    """Raises: NotFound."""
    found = (one for kept in load(tx, owner_id) for one in kept.posts if one.id == number)
    return next(found, None) or _missing()


def add_post(tx: Connection, owner_id: int, filter_id: int, post_id: int) -> FilterPost:
    """Raises: NotFound, also for a post that he may not see; Invalid."""
    kept, shown = get(tx, owner_id, filter_id), find.visible(tx, post_id, owner_id)
    if any(one.post_id == shown.id for one in kept.posts):
        raise Invalid("Validation failed: Status has already been taken")
    if len(kept.posts) >= MOST_IN_ONE:
        raise Invalid(f"Validation failed: A filter has at most {MOST_IN_ONE} posts")
    made = FilterPost(new_id(), filter_id, shown.id)
    tx.execute(_ADD_POST, asdict(made))
    announce(tx, FiltersChanged(owner_id))
    return made


def remove_post(tx: Connection, owner_id: int, number: int) -> None:
    """Raises: NotFound."""
    tx.execute(_REMOVE_POST, {"which": post(tx, owner_id, number).id})
    announce(tx, FiltersChanged(owner_id))


def _changed(it: Filter, wishes: Changes) -> Filter:
    return replace(
        it,
        title=it.title if wishes.title is None else wishes.title.strip(),
        contexts=it.contexts if wishes.contexts is None else list(dict.fromkeys(wishes.contexts)),
        action=wishes.action or it.action,
        expires_at=wishes.expires_at if wishes.expiry else it.expires_at,
    )


def _checked(it: Filter) -> Filter:
    if not it.title:
        raise Invalid("Validation failed: Title can't be blank")
    if len(it.title) > TITLE_LIMIT:
        raise Invalid(f"Validation failed: Title has at most {TITLE_LIMIT} characters")
    if not it.contexts or not {*it.contexts} <= {*CONTEXTS}:
        raise Invalid("Validation failed: Context None or invalid context supplied")
    if it.action not in ACTIONS:
        raise Invalid(f"Validation failed: filter_action is one of {', '.join(ACTIONS)}")
    return it


def _finish(tx: Connection, kept: Kept, changes: Sequence[KeywordChange]) -> Kept:
    """Changes the keywords, tells, and reads the whole again.  Raises: NotFound, Invalid."""
    there = {one.id: one for one in kept.keywords}
    for wish in changes:
        if wish.id is not None and wish.id not in there:
            raise NotFound("Record not found")
        old = there.get(wish.id or 0)
        if wish.gone:
            if old is not None:
                tx.execute(_REMOVE_KEYWORD, {"which": old.id})
        elif old is not None:
            word = old.keyword if wish.keyword is None else _word(wish.keyword)
            whole = old.whole_word if wish.whole_word is None else wish.whole_word
            tx.execute(_CHANGE_KEYWORD, {"which": old.id, "new_keyword": word, "new_whole": whole})
        else:
            whole = True if wish.whole_word is None else wish.whole_word
            tx.execute(_ADD_KEYWORD, asdict(FilterKeyword(new_id(), kept.filter.id, _word(wish.keyword or ""), whole)))
    announce(tx, FiltersChanged(kept.filter.account_id))
    everything = load(tx, kept.filter.account_id)
    now_there = next(one for one in everything if one.filter.id == kept.filter.id)
    if sum(len(one.keywords) for one in everything) > MOST_KEYWORDS:
        raise Invalid(f"Validation failed: You have reached the maximum of {MOST_KEYWORDS} keywords")
    if len(now_there.keywords) > MOST_IN_ONE:
        raise Invalid(f"Validation failed: A filter has at most {MOST_IN_ONE} keywords")
    return now_there


def _word(word: str) -> str:
    word = word.strip()
    if not word:
        raise Invalid("Validation failed: Keyword can't be blank")
    if len(word) > KEYWORD_LIMIT:
        raise Invalid(f"Validation failed: Keyword has at most {KEYWORD_LIMIT} characters")
    return word


def _missing() -> NoReturn:
    raise NotFound("Record not found")
