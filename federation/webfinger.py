"""WebFinger: from a handle to an actor (RFC 7033, FEP-4adb).

A domain that has no WebFinger may name another place for it in its host-meta (RFC 6415), as the guides of Pleroma and
Akkoma tell their admins.  That is XML, of which only the one address is looked for: nothing here parses XML.
"""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any, Final, Literal

from yarl import URL

from federation.answers import is_activity, is_page
from federation.client import Budget, Client
from federation.errors import FederationError, Forged, Gone, Malformed, Unreachable
from federation.handles import parse_handle
from federation.parsing import parse_object

ACCEPT: Final = "application/jrd+json, application/json"
ACCEPT_HOST_META: Final = "application/xrd+xml, application/xml, text/xml"

_HOST_META_READ: Final = 1 << 16  # bytes
_LINK = re.compile(r"<Link\s([^<>]{1,4096})>")
_ATTRIBUTE = re.compile(r"\b(rel|template)\s{0,8}=\s{0,8}[\"']([^\"']*)[\"']")


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
    resource = f"acct:{name}@{domain}"
    for each in earlier:
        try:
            return await _at(client, f"{each}://{domain}", resource, budget)
        except Unreachable:
            continue
    return await _at(client, f"{last}://{domain}", resource, budget)


async def _at(client: Client, root: str, resource: str, budget: Budget) -> dict[str, Any]:
    standard = f"{root}{URL.build(path='/.well-known/webfinger', query={'resource': resource})}"
    try:
        return await _jrd(client, standard, budget)
    except (Gone, Malformed):
        try:
            elsewhere = await _named_by_host_meta(client, root, resource, budget)
        except FederationError:
            elsewhere = None
        if elsewhere in (None, standard):
            raise
    return await _jrd(client, elsewhere, budget)


async def _jrd(client: Client, address: str, budget: Budget) -> dict[str, Any]:
    """Whatever it is called but a page: where it is a mere file, its media type is anybody's guess."""
    media_type, body = await client.fetch_file(address, budget, ACCEPT)
    if is_page(media_type):
        raise Malformed("Content-Type", media_type)
    return parse_object(body)


async def _named_by_host_meta(client: Client, root: str, resource: str, budget: Budget) -> str | None:
    """Where to ask for `resource`, if the domain says it."""
    _, body = await client.fetch_file(f"{root}/.well-known/host-meta", budget, ACCEPT_HOST_META)
    for link in _LINK.findall(body[:_HOST_META_READ].decode(errors="replace")):
        said = dict(_ATTRIBUTE.findall(link))
        template = unescape(said.get("template", ""))
        if said.get("rel") == "lrdd" and "{uri}" in template:
            return template.replace("{uri}", str(URL.build(query={"resource": resource})).partition("=")[2])
    return None


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
