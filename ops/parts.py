"""What the tables of a database consist of, as words: what has to be there can be compared with what is.  Light.

    post              a table                       ix_post_author_id   an index: without it the server is slow
    post.author_id    a column                      uq_post_boost       one that also forbids, for some of the rows
    account(handle)   no two rows have these alike

Without any of these but `ix_…` the server would do harm: it does not start.  One question on PostgreSQL, four
quick ones on SQLite, so that each start can ask.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from ops.doctor.words import ill, well
from ops.findings import Finding

SQLITE: Final = (  # virtual tables, which have no page, would read what may be damaged
    "SELECT name FROM sqlite_master WHERE type IN ('table', 'index')",
    (
        "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.rootpage > 0"
    ),
    (
        "SELECT m.name || '(' || (SELECT group_concat(name, ', ') FROM"
        " (SELECT name FROM pragma_index_info(i.name) ORDER BY name)) || ')'"
        " FROM sqlite_master m, pragma_index_list(m.name) i"
        " WHERE m.type = 'table' AND m.rootpage > 0 AND i.\"unique\" AND NOT i.partial AND i.origin != 'pk'"
    ),
    (
        "SELECT name || '(' || keys || ')' FROM (SELECT m.name AS name, (SELECT group_concat(name, ', ') FROM"
        " (SELECT name FROM pragma_table_info(m.name) WHERE pk ORDER BY name)) AS keys"
        " FROM sqlite_master m WHERE m.type = 'table' AND m.rootpage > 0) WHERE keys IS NOT NULL"
    ),
)
POSTGRESQL: Final = (
    "WITH t AS (SELECT oid, relname::text AS name, relkind FROM pg_class"
    " WHERE relnamespace = current_schema()::text::regnamespace)"
    " SELECT name FROM t WHERE relkind IN ('r', 'p', 'i')"
    " UNION ALL SELECT t.name || '.' || a.attname FROM t JOIN pg_attribute a ON a.attrelid = t.oid"
    " WHERE relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
    " UNION ALL SELECT t.name || '(' || (SELECT string_agg(a.attname, ', ' ORDER BY a.attname COLLATE \"C\")"
    " FROM pg_attribute a WHERE a.attrelid = i.indexrelid) || ')' FROM t JOIN pg_index i ON i.indrelid = t.oid"
    " WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL"
)


def is_needed(part: str) -> bool:
    """
    >>> [part for part in ("post", "post.id", "post(id)", "uq_post_boost", "ix_post_author_id") if not is_needed(part)]
    ['ix_post_author_id']
    """
    return not part.startswith("ix_")


def needed(wanted: Iterable[str], there: Collection[str]) -> list[str]:
    """What is missing that the server does not work without; of a table that is not there nothing more is said."""
    lost = [part for part in wanted if part not in there and is_needed(part)]
    return [part for part in lost if (at := _table(part)) == part or at in there or at not in lost]


def judged(wanted: Collection[str], there: Collection[str]) -> Iterator[Finding]:
    indexes = [part for part in wanted if part not in there and not is_needed(part)]
    lost = needed(wanted, there)
    if lost:
        yield missing("schema.needed", lost)
    if indexes:
        yield missing("schema.parts", indexes)
    if not lost and not indexes:
        yield well("schema.parts", f"{len(wanted)} tables, columns and indexes")


def missing(check: str, parts: Collection[str]) -> Finding:
    names = ", ".join(list(parts)[:8]) + (" …" if len(parts) > 8 else "")
    return ill(check, "error", f"missing: {', '.join(parts)}", number=len(parts), names=names)


def _table(part: str) -> str:
    """
    >>> _table("post.id"), _table("post(id)"), _table("post")
    ('post', 'post', 'post')
    """
    return part.partition("(")[0].partition(".")[0]
