"""Which files of the store the database names: `connectme media check` compares."""

from sqlalchemy import Connection, select

from federation.origin import Origin
from social import emojis
from social.media import uploads
from store.tables import accounts

_PORTRAITS = select(accounts.c.avatar_url, accounts.c.header_url).where(accounts.c.host.is_(None))


def names(tx: Connection, origin: Origin) -> set[str]:
    """Of uploads, avatars, headers and emoji."""
    place = uploads.address(origin, "")
    shown = [url for row in tx.execute(_PORTRAITS) for url in row if url is not None]
    pictures = set(emojis.files(emojis.all_of(tx)))
    return uploads.all_names(tx) | pictures | {url.removeprefix(place) for url in shown if url.startswith(place)}
