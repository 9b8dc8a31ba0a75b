"""Who may quote a post: what its author says beforehand (FEP-044f), as the API names it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from federation.reading import PUBLIC
from social.errors import Invalid
from store.tables import Account, Post

Policy: TypeAlias = dict[str, list[str]]  # {"automatic": […], "manual": […]}
Verdict: TypeAlias = Literal["automatic", "manual", "denied", "unknown"]

NAMES: Final = ("public", "followers", "nobody")  # what our people may choose
UNSUPPORTED: Final = "unsupported_policy"


def checked(name: str) -> str:
    """Raises: Invalid, when it is none of NAMES."""
    if name not in NAMES:
        raise Invalid(f"Who may quote is one of {', '.join(NAMES)}")
    return name


def chosen(name: str, visibility: str) -> Policy:
    """What one of NAMES means for a post of ours; who writes for few is quoted by nobody."""
    if name == "nobody" or visibility not in ("public", "unlisted"):
        return {"automatic": [], "manual": []}
    return {"automatic": [name], "manual": []}


def told(rule: Mapping[str, Any] | None, author: Account) -> Policy | None:
    """What another server says with `interactionPolicy`; None: nothing about quotes."""
    found = None if rule is None else rule.get("canQuote")
    if found is None:
        return None
    return {
        "automatic": _named(found["automaticApproval"], author),
        "manual": _named(found["manualApproval"], author),
    }


def _named(uris: Sequence[str], author: Account) -> list[str]:
    """The author himself needs no mention."""
    names = {PUBLIC: "public", author.followers_uri: "followers", author.uri: ""}
    return [name for name in dict.fromkeys(names.get(uri, UNSUPPORTED) for uri in uris) if name]


def verdict(post: Post, viewer_id: int | None, *, follows: bool) -> Verdict:
    """What will come of it when the viewer, who may see the post, quotes it.  follows: he does its author."""
    if viewer_id is None:
        return "unknown"
    if viewer_id == post.author_id:
        return "denied" if post.visibility == "direct" else "automatic"
    if post.visibility not in ("public", "unlisted"):
        return "denied"
    policy = post.quote_policy
    if policy is None:  # a server that does not ask: there is nobody who could answer
        return "denied" if post.local else "automatic"
    kinds: tuple[tuple[str, Verdict], ...] = (("automatic", "automatic"), ("manual", "manual"))
    for kind, says in kinds:
        if "public" in policy[kind] or (follows and "followers" in policy[kind]):
            return says
    return "unknown" if any(UNSUPPORTED in policy[kind] for kind, _ in kinds) else "denied"
