"""Run by alembic, inside the transaction that migrations.upgrade was given."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

import migrations
from store.tables import metadata
from store.tables.base import Instant, Json


def _write(kind: str, thing: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Our own column types by their short names; script.py.mako imports them."""
    if kind == "type":
        if isinstance(thing, Instant | Json):
            return type(thing).__name__
        if type(thing).__name__ == "BigInteger":
            return "Id"
    return False


context.configure(
    connection=context.config.attributes["tx"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_write,
    include_name=migrations.is_ours,
)
context.run_migrations()
