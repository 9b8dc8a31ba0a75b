"""What programs may do: https://docs.joinmastodon.org/api/oauth-scopes/"""

from typing import Final

from social.errors import Invalid

_NOUNS = {
    "read": "accounts blocks bookmarks collections conversations favourites filters follows lists mutes notifications "
    "search statuses",
    "write": "accounts blocks bookmarks collections conversations favourites filters follows lists media mutes "
    "notifications reports statuses",
    "admin:read": "accounts reports domain_allows domain_blocks ip_blocks email_domain_blocks canonical_email_blocks",
    "admin:write": "accounts reports domain_allows domain_blocks ip_blocks email_domain_blocks canonical_email_blocks",
}
ALL: Final = (
    "profile",
    *(scope for verb, nouns in _NOUNS.items() for scope in (verb, *(f"{verb}:{noun}" for noun in nouns.split()))),
    "follow",
    "push",
)
SCOPES = frozenset(ALL)
STAFF: Final = ("moderator", "admin", "owner")  # who may use `admin:…`
_FOLLOW = {"follows", "blocks", "mutes"}


def checked(scopes: str) -> str:
    """The same scopes, each once, one blank between.  Raises: Invalid, for one that does not exist.

    >>> checked("read  write:statuses read")
    'read write:statuses'
    """
    asked = dict.fromkeys(scopes.split())
    unknown = [scope for scope in asked if scope not in SCOPES]
    if unknown or not asked:
        raise Invalid(
            f"There is no scope {(unknown or [scopes])[0][:80]!r}; see docs.joinmastodon.org/api/oauth-scopes"
        )
    return " ".join(asked)


def allows(granted: str, wanted: str) -> bool:
    """`follow` is the old name for reading and writing follows, blocks, mutes.

    >>> allows("read", "read:statuses"), allows("read:statuses", "read"), allows("follow", "write:blocks")
    (True, False, True)
    >>> allows("admin:read", "admin:read:accounts"), allows("admin:read", "admin:write:accounts")
    (True, False)
    """
    scopes = granted.split()
    above, _, noun = wanted.rpartition(":")
    return (
        wanted in scopes or above in scopes or ("follow" in scopes and above in ("read", "write") and noun in _FOLLOW)
    )


def within(wanted: str, granted: str) -> bool:
    """Is every scope of `wanted` allowed by `granted`?"""
    return all(allows(granted, scope) for scope in wanted.split())


def of_role(scopes: str, role: str) -> str:
    """What of `scopes` one of that role can hand on.

    >>> of_role("read admin:read", "member"), of_role("read admin:read", "moderator")
    ('read', 'read admin:read')
    """
    return " ".join(scope for scope in scopes.split() if role in STAFF or not scope.startswith("admin:"))
