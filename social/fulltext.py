"""Finding posts by their words (social/words.py says which): what is in the index, and who may find it.

In the index is what our people wrote, liked, boosted, keep, or are mentioned in, and public posts of those who let
themselves be found (`indexable`).  Everybody finds the latter; the former only who wrote, liked … it.  Who may not see
a post never finds it: the rules are asked again with each search, so that no change of mind waits for the index.

Whatever happens to a post, `ask` is told its id; the worker brings the index up to date a moment later (`work`).
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    column,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.sanitise import plain
from social.visibility import VIEWER, visible, wanted
from social.words import Query, Term, words
from store.ids import NODE_BITS, SEQUENCE_BITS
from store.prepared import Change, Prepared, padded
from store.tables import accounts, bookmarks, likes, media, mentions, polls, post_tags, posts, users
from store.tables.base import Id
from store.tables.search import INDEX, unindexed

AT_ONCE: Final = 50  # posts in one transaction
MANY: Final = 10_000
NEWEST: Final = 5_000  # posts that are looked at when no word says which
_POSITIONS: Final = 16_383  # of a tsvector
_ID_BITS: Final = NODE_BITS + SEQUENCE_BITS

_UNHEARD: Final = "qwzxjv"

_IDS = bindparam("ids", expanding=True, type_=Id)
_WAITING = select(func.count(), func.min(column("post_id", Id))).select_from(
    select(unindexed.c.post_id).order_by(unindexed.c.post_id).limit(MANY).subquery()
)
_ASK = Change(insert(unindexed).on_conflict_do_nothing())
_SOME = Prepared(select(unindexed.c.post_id).limit(AT_ONCE).with_for_update(skip_locked=True))
_ANY = Prepared(select(unindexed.c.post_id).limit(1))
_DONE = Change(delete(unindexed).where(unindexed.c.post_id.in_(_IDS)))
_index = table(INDEX, column("rowid", Id), column("words"))
_FORGET = Change(delete(_index).where(_index.c.rowid.in_(_IDS)))
_author, _boost = accounts.alias("author"), posts.alias("boost")


def _of(account: Any) -> ColumnElement[bool]:
    """Did `account` write, like, keep, boost the post, or is he mentioned in it?"""
    return or_(
        posts.c.author_id == account,
        exists().where(likes.c.post_id == posts.c.id, likes.c.account_id == account),
        exists().where(bookmarks.c.post_id == posts.c.id, bookmarks.c.account_id == account),
        exists().where(mentions.c.post_id == posts.c.id, mentions.c.account_id == account),
        exists().where(_boost.c.boost_of_id == posts.c.id, _boost.c.author_id == account),
    )


_PUBLIC = and_(posts.c.visibility == "public", _author.c.indexable, _author.c.silenced_at.is_(None))
_FOUND_BY_SOMEBODY = Prepared(
    select(
        posts.c.id,
        posts.c.title,
        posts.c.summary,
        posts.c.html,
        or_(exists().where(media.c.post_id == posts.c.id), exists().where(post_tags.c.post_id == posts.c.id)),
        posts.c.kind == "Question",
    )
    .join(_author, _author.c.id == posts.c.author_id)
    .where(
        posts.c.id.in_(_IDS),
        posts.c.boost_of_id.is_(None),
        or_(posts.c.local, _PUBLIC, exists().where(_of(users.c.account_id))),
    )
)
_BESIDE = Prepared(  # hashtags: those that are not in the text
    union_all(
        select(media.c.post_id, media.c.description).where(media.c.post_id.in_(_IDS)),
        select(post_tags.c.post_id, post_tags.c.shown).where(post_tags.c.post_id.in_(_IDS)),
    )
)
_OPTIONS = Prepared(select(polls.c.post_id, polls.c.options).where(polls.c.post_id.in_(_IDS)))
_REINDEX = (
    insert(unindexed)
    .from_select(
        ["post_id"],
        select(posts.c.id)
        .where(posts.c.id > bindparam("after", type_=Id))
        .order_by(posts.c.id)
        .limit(bindparam("most")),
    )
    .on_conflict_do_nothing()
)
_LAST: Select[Any] = select(func.max(column("id"))).select_from(
    select(posts.c.id)
    .where(posts.c.id > bindparam("after", type_=Id))
    .order_by(posts.c.id)
    .limit(bindparam("most"))
    .subquery()
)
_INSERT: Final = {
    "sqlite": text("INSERT INTO post_words (rowid, words) VALUES (:id, :words)"),
    "postgresql": text("INSERT INTO post_words (rowid, words) VALUES (:id, CAST(CAST(:words AS text) AS tsvector))"),
}
_MATCH: Final = {
    "sqlite": literal_column(INDEX).op("MATCH")(bindparam("match")),
    "postgresql": text("words @@ CAST(CAST(:match AS text) AS tsquery)"),
}


def ask(tx: Connection, ids: Sequence[int]) -> None:
    """These posts are new, changed, deleted, or somebody's now."""
    _ASK.each(tx, [{"post_id": number} for number in dict.fromkeys(ids)])


def waits(tx: Connection) -> bool:
    """Is there work?  Asked often, for nothing."""
    return bool(_ANY.rows(tx))


def answers(tx: Connection) -> None:
    """Looks a word up.  Raises: SQLAlchemyError, when the index is not there, or broken."""
    match = {"sqlite": f'"{_UNHEARD}"', "postgresql": f"'{_UNHEARD}'"}[tx.dialect.name]
    asked: Select[Any] = select(_index.c.rowid).where(*_words(tx)).limit(1)
    tx.execute(asked, {"match": match}).all()


def waiting(tx: Connection) -> tuple[int, int | None]:
    """How many posts are not in the index yet, counted as far as MANY, and the first of them."""
    number, first = tx.execute(_WAITING).one()
    return number, first


def work(tx: Connection) -> int:
    """Brings the index up to date with some of the posts that `ask` was told; returns how many."""
    waiting = [row[0] for row in _SOME.rows(tx)]
    if not waiting:
        return 0
    ids = padded(waiting)
    _FORGET.run(tx, ids=ids)
    found = {number: words("\n".join(said)) for number, said in _said(tx, ids).items()}
    rows = [{"id": number, "words": _document(tx, said)} for number, said in found.items() if said]
    if rows:
        tx.execute(_INSERT[tx.dialect.name], rows)
    _DONE.run(tx, ids=ids)
    return len(waiting)


def reindex(tx: Connection, after: int, most: int) -> int | None:
    """Asks for the next `most` posts after that id; returns the last of them, None when there are no more."""
    last: int | None = tx.scalar(_LAST, {"after": after, "most": most})
    if last is not None:
        tx.execute(_REINDEX, {"after": after, "most": most})
    return last


def _said(tx: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """The texts of those of `ids` that somebody may find."""
    rows = _FOUND_BY_SOMEBODY.rows(tx, ids=ids)
    said = {number: [title, summary, plain(html)] for number, title, summary, html, _, _ in rows}
    if more := [row[0] for row in rows if row[4]]:
        for number, beside in _BESIDE.rows(tx, ids=padded(more)):
            said[number].append(beside)
    if asking := [row[0] for row in rows if row[5]]:
        for number, options in _OPTIONS.typed(tx, ids=padded(asking)):
            said[number] += [option["title"] for option in options]
    return said


def _document(tx: Connection, said: Sequence[str]) -> str:
    """PostgreSQL gets places with the words, so that its own idea of what a word is never matters."""
    if tx.dialect.name == "sqlite":
        return " ".join(said)
    return " ".join(f"'{word}':{place}" for place, word in enumerate(said[:_POSITIONS], 1))


def find(
    tx: Connection,
    viewer_id: int,
    query: Query,
    *,
    limit: int,
    offset: int = 0,
    author_id: int | None = None,
    below: int | None = None,
    above: int | None = None,
) -> list[int]:
    """The ids of what the viewer finds, newest first.

    author_id: only of this account; below and above: ids.
    """
    if query.is_empty and author_id is None:
        return []
    asked = select(_index.c.rowid).join(posts, posts.c.id == _index.c.rowid)
    asked = asked.join(_author, _author.c.id == posts.c.author_id)
    asked = asked.where(*_where(tx, query, author_id), visible(), wanted(), _within(query))
    if below is not None:
        asked = asked.where(_index.c.rowid < below)
    if above is not None:
        asked = asked.where(_index.c.rowid > above)
    asked = asked.order_by(_index.c.rowid.desc()).limit(limit).offset(offset)
    return list(tx.scalars(asked, {"viewer": viewer_id, **_matches(tx, query)}))


def _within(query: Query) -> ColumnElement[bool]:
    mine = _of(VIEWER)
    if query.within == "library":
        return mine
    return _PUBLIC if query.within == "public" else or_(mine, _PUBLIC)


def _matches(tx: Connection, query: Query) -> dict[str, str]:
    return {"match": _match(tx, query.terms)} if query.has_words else {}


def _words(tx: Connection) -> list[Any]:
    return [_MATCH[tx.dialect.name]]


def _where(tx: Connection, query: Query, author_id: int | None) -> list[Any]:
    clauses: list[Any] = []
    if query.has_words:
        clauses += _words(tx)
    else:  # nothing that an index could tell
        newest: Select[Any] = select(_index.c.rowid).order_by(_index.c.rowid.desc()).limit(NEWEST)
        clauses.append(_index.c.rowid.in_(newest))
    if author_id is not None:
        clauses.append(posts.c.author_id == author_id)
    clauses += [_by(handle) for handle in query.by]
    clauses += [_has(what) if wanted_ else ~_has(what) for what, wanted_ in query.has]
    clauses += [_is(what) if wanted_ else ~_is(what) for what, wanted_ in query.kinds]
    if query.language is not None:
        clauses.append(or_(posts.c.language == query.language, posts.c.language.startswith(f"{query.language}-")))
    if query.since is not None:
        clauses.append(posts.c.id >= query.since << _ID_BITS)
    if query.until is not None:
        clauses.append(posts.c.id < query.until << _ID_BITS)
    return clauses


def _by(handle: str) -> ColumnElement[bool]:
    return posts.c.author_id == VIEWER if handle == "me" else _author.c.handle == handle


def _has(what: str) -> ColumnElement[bool]:
    if what == "poll":
        return exists().where(polls.c.post_id == posts.c.id)
    if what == "link":  # long links are written in three parts, by Mastodon and by us
        return posts.c.html.contains('class="invisible"')
    there = exists().where(media.c.post_id == posts.c.id)
    return there if what == "media" else there.where(media.c.kind == what)


def _is(what: str) -> ColumnElement[bool]:
    return posts.c.reply_to_uri.is_not(None) if what == "reply" else posts.c.sensitive


def _match(tx: Connection, terms: Sequence[Term]) -> str:
    """In the language of the engine.  Words are letters and digits alone: there is nothing to escape."""
    write = _sqlite if tx.dialect.name == "sqlite" else _postgresql
    return write([term for term in terms if term.wanted], [term for term in terms if not term.wanted])


def _sqlite(wanted_terms: Sequence[Term], unwanted: Sequence[Term]) -> str:
    def one(term: Term) -> str:
        return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'

    match = f"({' AND '.join(one(term) for term in wanted_terms)})"
    return f"{match} NOT ({' OR '.join(one(term) for term in unwanted)})" if unwanted else match


def _postgresql(wanted_terms: Sequence[Term], unwanted: Sequence[Term]) -> str:
    def one(term: Term) -> str:
        *first, last = (f"'{word}'" for word in term.words)
        return f"({' <-> '.join([*first, last + (':*' if term.prefix else '')])})"

    return " & ".join([*(one(term) for term in wanted_terms), *(f"!{one(term)}" for term in unwanted)])
