"""Who may show an account in a collection of his: what it says beforehand (FEP-7aa9), as the API names it.

People of ours say so with what they have said already, as with Mastodon: who does not want to be found is shown by
nobody, and who looks at his followers before he has them, only by those.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from federation.reading import PUBLIC
from social.quoting import UNSUPPORTED, Policy
from social.relationships import Relationship
from store.tables import Account

Verdict: TypeAlias = Literal["automatic", "manual", "denied", "unknown", "missing"]


class Standing(NamedTuple):
    """Does the one who asks follow the account, and it him?"""

    following: bool
    followed_by: bool


MAY: Final[tuple[Verdict, ...]] = ("automatic", "manual")


def policy(account: Account) -> Policy | None:
    """None: its server says nothing of it."""
    if not account.is_local:
        return account.feature_policy
    if not account.discoverable:
        return {"automatic": [], "manual": []}
    return {"automatic": ["followers" if account.locked else "public"], "manual": []}


def verdict(account: Account, viewer_id: int | None, stands: Relationship | Standing | None) -> Verdict:
    """What will come of it when the viewer shows the account.  stands: he to the account; None: as strangers."""
    rule = policy(account)
    if viewer_id is None or (account.is_local and not account.discoverable):
        return "denied"
    if viewer_id == account.id:
        return "automatic"
    if rule is None:
        return "missing"
    who = {"public"}
    if stands is not None:
        who |= {name for name, is_one in (("followers", stands.following), ("following", stands.followed_by)) if is_one}
    for kind in MAY:
        if not who.isdisjoint(rule[kind]):
            return kind
    return "unknown" if any(UNSUPPORTED in rule[kind] for kind in MAY) else "denied"


def depends(account: Account) -> bool:
    """Does it matter who is asking?"""
    rule = policy(account) or {}
    return any(name not in ("public", UNSUPPORTED) for names in rule.values() for name in names)


def told(
    rule: Mapping[str, Any] | None, uri: str, followers_uri: str | None, following_uri: str | None
) -> Policy | None:
    """What another server says with the `interactionPolicy` of an actor; None: nothing about being shown."""
    found = None if rule is None else rule.get("canFeature")
    if found is None:
        return None
    names = {PUBLIC: "public", followers_uri: "followers", following_uri: "following", uri: ""}
    return {
        "automatic": _named(found["automaticApproval"], names),
        "manual": _named(found["manualApproval"], names),
    }


def _named(uris: Sequence[str], names: Mapping[str | None, str]) -> list[str]:
    """The actor himself needs no mention."""
    return [name for name in dict.fromkeys(names.get(uri, UNSUPPORTED) for uri in uris) if name]
