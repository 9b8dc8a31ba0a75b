"""What doors may ask of the network: people and posts of other servers, fetched and stored."""

from typing import Protocol

from store.tables import Account


class Remote(Protocol):
    """Implemented by connectme/gather.py; doors get it from their application.

    Raises: NotFound when there is no such thing, Unavailable when its server does not answer, NotAllowed when its
    server is blocked here.
    """

    async def account(self, who: str, *, fresh: bool = False) -> Account:
        """The account with that handle (`bob@far.test`) or uri; fetched when unknown, stale, or asked for `fresh`."""

    async def post(self, uri: str) -> int:
        """The id of the post with that uri or url, fetched when unknown."""

    async def resolve(self, query: str) -> Account | int | None:
        """An account or the id of a post, for a handle, a uri or an address; None when `query` is none of them."""
