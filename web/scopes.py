"""What programs may do: https://docs.joinmastodon.org/api/oauth-scopes/"""

from social.errors import Invalid

_NOUNS = {
    "read": "accounts blocks bookmarks conversations favourites filters follows lists mutes notifications search "
    "statuses",
    "write": "accounts blocks bookmarks conversations favourites filters follows lists media mutes notifications "
    "reports statuses",
}
SCOPES = frozenset(
    {"profile", "read", "write", "follow", "push"}
    | {f"{verb}:{noun}" for verb, nouns in _NOUNS.items() for noun in nouns.split()}
)
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
    """
    scopes = granted.split()
    verb, _, noun = wanted.partition(":")
    return wanted in scopes or verb in scopes or ("follow" in scopes and noun in _FOLLOW)


def within(wanted: str, granted: str) -> bool:
    """Is every scope of `wanted` allowed by `granted`?"""
    return all(allows(granted, scope) for scope in wanted.split())
