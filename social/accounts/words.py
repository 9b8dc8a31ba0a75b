"""The words by which people are found: of their names, and their handles whole.  social/search.py looks them up."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, delete
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same ON CONFLICT

from social.words import words
from store.prepared import Change
from store.tables import Account, account_words
from store.tables.base import Id

MOST: Final = 12  # of one account

_ADD = Change(insert(account_words).on_conflict_do_nothing())
_REMOVE = Change(
    delete(account_words).where(
        account_words.c.account_id == bindparam("account_id", type_=Id), account_words.c.word == bindparam("word")
    )
)


def of(account: Account) -> list[str]:
    """
    >>> from tests.people import remote
    >>> of(remote("John_Doe", "far.test", display_name="Ænima, the 2nd"))
    ['2nd', 'doe', 'john', 'john_doe@far.test', 'the', 'ænima']
    """
    parts = words(f"{account.display_name} {account.handle.partition('@')[0]}")
    return sorted({account.handle, *parts[:MOST]})


def add(tx: Connection, accounts: Iterable[Account]) -> None:
    """They are new."""
    _ADD.each(tx, [{"word": word, "account_id": account.id} for account in accounts for word in of(account)])


def change(tx: Connection, before: Account, account: Account) -> None:
    """He is called otherwise now, or is not."""
    if (before.handle, before.display_name) == (account.handle, account.display_name):
        return
    old, new = set(of(before)), set(of(account))
    _REMOVE.each(tx, [{"word": word, "account_id": account.id} for word in sorted(old - new)])
    _ADD.each(tx, [{"word": word, "account_id": account.id} for word in sorted(new - old)])
