"""Accounts say which parts of their profiles are shown, and whether their whole server is limited.

Why: programs show all of it wherever an account is shown, so it belongs to the row that is loaded with each; other
     servers say the first of theirs in their documents.
Locks: account, for a moment: columns with a default are added.  Accounts of limited servers are written once.
Back: what was chosen before is still among the settings of each person, what was chosen since is lost.
"""

import sqlalchemy as sa
from alembic import op

from store.tables.base import Id, Json

revision = "0021"
down_revision = "0020"

_SHOWN = ("show_media", "show_media_replies", "show_featured")
_account = sa.table(
    "account",
    sa.column("id", Id),
    sa.column("host", sa.Text),
    *(sa.column(name, sa.Boolean) for name in (*_SHOWN, "host_limited")),
)
_user = sa.table("user", sa.column("account_id", Id), sa.column("settings", Json))
_policy = sa.table("host_policy", sa.column("host", sa.Text), sa.column("level", sa.Text))


def upgrade() -> None:
    for name in _SHOWN:
        op.add_column("account", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("account", sa.Column("host_limited", sa.Boolean(), nullable=False, server_default=sa.false()))
    _take_settings()
    _limit()


def downgrade() -> None:
    for name in ("host_limited", *_SHOWN):
        op.drop_column("account", name)


def _take_settings() -> None:
    for account_id, settings in op.get_bind().execute(sa.select(_user.c.account_id, _user.c.settings)).all():
        hidden = {name: False for name in _SHOWN if settings.get(name) is False}
        if hidden:
            op.execute(sa.update(_account).where(_account.c.id == account_id).values(hidden))


def _limit() -> None:
    tx = op.get_bind()
    levels = dict(tx.execute(sa.select(_policy.c.host, _policy.c.level)).all())
    if "limit" not in levels.values():
        return
    hosts = tx.scalars(sa.select(_account.c.host).where(_account.c.host.is_not(None)).distinct()).all()
    for host in hosts:
        if next((levels[name] for name in _upwards(host) if name in levels), "") == "limit":
            op.execute(sa.update(_account).where(_account.c.host == host).values(host_limited=True))


def _upwards(host: str) -> list[str]:
    """The names whose policies hold for `host`, the nearest first."""
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    labels = [name] if name.startswith("[") else name.split(".")
    return [host, *(".".join(labels[at:]) for at in range(len(labels)))]
