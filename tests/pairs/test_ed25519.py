"""Two servers of this kind find out by themselves that they may sign with Ed25519, and understand each other still."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from connectme.demo import until
from tests.pairs.conftest import Pair
from tests.pairs.test_conversations import post

pytestmark = pytest.mark.pairs


def look(file: Path, query: str, *values: str) -> Any:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        return opened.execute(query, values).fetchone()[0]


async def test_two_servers_of_this_kind_sign_with_ed25519(fresh: Pair) -> None:
    alice, bob = await fresh.friends()
    letter = "What became of RSA?"
    await post(fresh.one, alice, letter)
    await until(lambda: fresh.other.seen(bob, letter), "bob sees the post")
    # The keys that letters of the other were checked with.
    used = "SELECT count(*) FROM cached_key WHERE id = ?"
    assert look(fresh.other.folder / "spool.db", used, f"{fresh.one.base}/users/{alice}#ed25519-key") == 1
    for here, there in ((fresh.one, fresh.other), (fresh.other, fresh.one)):
        known = "SELECT scheme FROM host WHERE succeeded_at IS NOT NULL AND name = ?"
        assert look(here.folder / "connectme.db", known, there.domain) == "ed25519"
