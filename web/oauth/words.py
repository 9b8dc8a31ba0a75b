"""What scopes allow, in words for people."""

from typing import Final

_WHOLE: Final = {
    "read": "Read all that you can read here: posts, messages, notifications, lists and settings",
    "write": "Do all that you can do here: write, change and delete posts, follow, block, and change your profile",
    "follow": "See and change whom you follow, mute and block",
    "push": "Send notifications to your device",
    "profile": "See who you are: your name and profile",
    "admin:read": "Read everything that moderators can read",
    "admin:write": "Do everything that moderators can do",
}
_READ: Final = {
    "accounts": "Read profiles and your settings",
    "blocks": "See whom you block",
    "bookmarks": "See your bookmarks",
    "collections": "See your collections",
    "conversations": "Read your conversations",
    "favourites": "See what you liked",
    "filters": "See your filters",
    "follows": "See whom you follow",
    "lists": "See your lists",
    "mutes": "See whom you mute",
    "notifications": "Read your notifications",
    "search": "Search in your name",
    "statuses": "Read all posts that you can read, private ones too",
}
_WRITE: Final = {
    "accounts": "Change your profile and settings",
    "blocks": "Block people and servers",
    "bookmarks": "Change your bookmarks",
    "collections": "Change your collections",
    "conversations": "Mute and delete conversations",
    "favourites": "Like posts",
    "filters": "Change your filters",
    "follows": "Follow and unfollow people",
    "lists": "Change your lists",
    "media": "Upload pictures, sound and film",
    "mutes": "Mute people and conversations",
    "notifications": "Dismiss your notifications",
    "reports": "Report people and posts",
    "statuses": "Write, change, boost and delete posts",
}
_ADMIN: Final = {
    "accounts": "the accounts of everybody",
    "reports": "reports",
    "domain_allows": "allowed servers",
    "domain_blocks": "blocked servers",
    "ip_blocks": "blocked addresses",
    "email_domain_blocks": "blocked e-mail providers",
    "canonical_email_blocks": "blocked e-mail addresses",
}


def of(scopes: str) -> list[str]:
    """One sentence for each; what a wider scope says already is left out.

    >>> of("write:media push")
    ['Upload pictures, sound and film', 'Send notifications to your device']
    """
    asked = scopes.split()
    return [_word(scope) for scope in asked if scope in _WHOLE or scope.rpartition(":")[0] not in asked]


def _word(scope: str) -> str:
    if scope in _WHOLE:
        return _WHOLE[scope]
    above, _, noun = scope.rpartition(":")
    if above in ("read", "write"):
        return (_READ if above == "read" else _WRITE)[noun]
    return f"As a moderator, {'see' if above == 'admin:read' else 'change'} {_ADMIN[noun]}"
