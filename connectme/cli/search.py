"""`connectme search …`: the index of words by which posts are found."""

import click

from connectme.cli.common import Context, as_json, emit, example, passes
from connectme.cli.database import with_database
from social import fulltext
from store.database import Database

AT_ONCE = 1_000  # posts in one transaction


@click.group()
def search() -> None:
    """The index of words by which posts are found."""


@search.command(epilog=example("connectme search reindex"))
@as_json
@passes
def reindex(context: Context, *, as_json: bool) -> None:
    """Look at every post again; the server does it in the background, and searches go on meanwhile."""
    rounds = with_database(context.settings(), _ask_for_all)
    emit({"rounds": rounds}, "every post is looked at again; the worker of the server does it", as_json)


async def _ask_for_all(db: Database) -> int:
    last, rounds = 0, 0
    while (reached := await db.write(fulltext.reindex, last, AT_ONCE)) is not None:
        last, rounds = reached, rounds + 1
    return rounds
