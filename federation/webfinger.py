"""WebFinger: from a handle to an actor (RFC 7033, FEP-4adb).  JRD alone; nothing here reads XML."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from yarl import URL

from federation.answers import is_activity
from federation.client import Budget, Client
from federation.errors import Forged, Malformed, Unreachable
from federation.handles import parse_handle

ACCEPT: Final = "application/jrd+json, application/json"


@dataclass(frozen=True, slots=True)
class Fingered:
    """`handle` is `name@domain` as the domain itself spells it, the domain in lower case and punycode."""

    handle: str
    actor_uri: str


async def finger(
    client: Client, handle: str, budget: Budget, *, scheme: Literal["https", "http"] | None = None
) -> Fingered:
    """Asks the domain of `handle` for its actor.  `scheme`: for labs; otherwise found out.

    A subject on another domain counts only if that domain names the same actor, under the same subject.
    Raises: Malformed (no handle, no usable answer), Gone, Refused, Forged, Unreachable.
    """
    asked = parse_handle(handle)
    if asked is None:
        raise Malformed("handle", handle)
    first = await _ask(client, asked, budget, scheme)
    subject = parse_handle(first.handle)
    if subject is None or subject[1] == asked[1]:
        return first
    second = await _ask(client, subject, budget, scheme)
    if (second.handle.lower(), second.actor_uri) != (first.handle.lower(), first.actor_uri):
        raise Forged(f"{asked[1]} says {first.handle} is {first.actor_uri}, {subject[1]} does not")
    return second


async def _ask(
    client: Client, asked: tuple[str, str], budget: Budget, scheme: Literal["https", "http"] | None
) -> Fingered:
    document = await _document(client, asked, budget, scheme)
    href = _actor(document.get("links"))
    if href is None:
        raise Malformed("links", "no ActivityPub actor among them")
    client.guard.check_url(href)
    subject = document.get("subject")
    # Some leave it out, some name a web address: then it is the one that was asked for.
    name, domain = (parse_handle(subject) if isinstance(subject, str) else None) or asked
    return Fingered(f"{name}@{domain}", href)


async def _document(
    client: Client, asked: tuple[str, str], budget: Budget, scheme: Literal["https", "http"] | None
) -> dict[str, Any]:
    name, domain = asked
    *earlier, last = _schemes(client, domain) if scheme is None else (scheme,)
    query = URL.build(path="/.well-known/webfinger", query={"resource": f"acct:{name}@{domain}"})
    for each in earlier:
        try:
            return (await client.fetch_json(f"{each}://{domain}{query}", budget, ACCEPT)).document
        except Unreachable:
            continue
    return (await client.fetch_json(f"{last}://{domain}{query}", budget, ACCEPT)).document


def _schemes(client: Client, domain: str) -> tuple[str, ...]:
    if not client.guard.allow_http:
        return ("https",)
    return ("http", "https") if ":" in domain else ("https", "http")


def _actor(links: object) -> str | None:
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        kind, href = link.get("type"), link.get("href")
        if isinstance(kind, str) and isinstance(href, str) and is_activity(kind):
            return href
    return None
