"""NodeInfo: which software another server says to run (NodeInfo 2.1, FEP-f1d5); good for statistics and quirks."""

from dataclasses import dataclass
from typing import Any, Final

from federation.answers import cleaned
from federation.client import Budget, Client
from federation.errors import Forged, Gone, Malformed, Refused

ACCEPT: Final = "application/json"
LONGEST: Final = 100  # characters of a name or version

_RELATION: Final = "http://nodeinfo.diaspora.software/ns/schema/"
_VERSIONS: Final = ("2.1", "2.0", "2.2", "1.1", "1.0")  # the best understood first


@dataclass(frozen=True, slots=True)
class Software:
    """`name` is in lower case."""

    name: str
    version: str


async def software(client: Client, host: str, budget: Budget) -> Software | None:
    """What `host` (`host:port` in labs) says to run; None when it does not say, or not so that we understand.

    Raises: Unreachable.
    """
    scheme = "http" if client.guard.allow_http and ":" in host else "https"
    try:
        index = await client.fetch_json(f"{scheme}://{host}/.well-known/nodeinfo", budget, ACCEPT)
        href = _best(index.document.get("links"))
        if href is None:
            return None
        return _read((await client.fetch_json(href, budget, ACCEPT)).document)
    except (Forged, Gone, Malformed, Refused):
        return None


def _best(links: object) -> str | None:
    found: dict[str, str] = {}
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict):
            continue
        relation, href = link.get("rel"), link.get("href")
        if isinstance(relation, str) and isinstance(href, str) and relation.startswith(_RELATION):
            found.setdefault(relation.removeprefix(_RELATION), href)
    return next((found[version] for version in _VERSIONS if version in found), None)


def _read(document: dict[str, Any]) -> Software | None:
    told = document.get("software")
    if not isinstance(told, dict):
        return None
    name, version = told.get("name"), told.get("version")
    if not isinstance(name, str) or not (name := cleaned(name)[:LONGEST].lower()):
        return None
    return Software(name, cleaned(version)[:LONGEST] if isinstance(version, str) else "")
