"""Mastodon.py against a running server, each answer held against two descriptions.

The library's own of what it returns (its types: what must be there, and of which kind), and ours (web/api/shapes, as
the route declares them).  What fits both, clients read.
"""

import asyncio
import inspect
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from types import NoneType
from typing import Any, ForwardRef, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import requests
from mastodon import Mastodon, return_types
from mastodon.types_base import AttribAccessDict, MaybeSnowflakeIdType, NonPaginatableList, PaginatableList
from requests.adapters import HTTPAdapter

from tests.people import OURS
from tests.web.site import Site
from web.api.routes import defined
from web.api.spec import SPECS

# Ours alone: this library passes over it.
OUR_OWN = {
    "Context.completeness", "NodeinfoMetadata.upstream", "ScheduledStatusParams.local_only", "Status.local_only",
}  # fmt: skip
# Mastodon gives it too, the library does not know it.
UNKNOWN = {
    "AdminDimensionData.human_value", "AdminDimensionData.unit", "AdminEmailDomainBlock.allow_with_approval",
    "InstanceThumbnailVersions.@1x", "PreviewCard.id", "PreviewCard.requires_review", "Report.rule_ids", "Status.text",
    "Collection.items", "Report.collection_ids",
    "Tag.last_status_at", "Tag.listable", "Tag.statuses_count",
} | {
    f"WebPushSubscriptionAlerts.{name}"
    for name in (
        "severed_relationships", "moderation_warning", "admin.sign_up", "admin.report", "added_to_collection",
        "collection_update",
    )
}  # fmt: skip
# Of Mastodon 4.6, whose version we do not claim: some of collections, and what a profile shows.
OF_4_6 = {
    "InstanceAccountConfiguration.max_avatar_description_length",
    "InstanceAccountConfiguration.max_header_description_length",
    "Status.tagged_collections",
}
# What a server may not have: texts about itself, a word on its picture; and what is known of ours alone.
NULLABLE = {"ExtendedDescription.updated_at", "InstanceThumbnail.description"} | {
    f"AdminAccount.{name}" for name in ("email", "role", "locale")
}
# The library means an Admin::Account there; and what a part of the server is, is not always a number.
MISTYPED = {"AdminReport.account", "AdminReport.target_account", "AdminDimensionData.value"}
# Texts that are numbers, as Mastodon has it.
NUMBERS = {
    "Activity.statuses", "Activity.logins", "Activity.registrations", "AdminCohort.value", "AdminMeasureData.value",
    "AdminEmailDomainBlockHistory.accounts", "AdminEmailDomainBlockHistory.uses", "TrendingLinkHistory.accounts",
    "TrendingLinkHistory.uses",
}  # fmt: skip
# Not within a FilterResult.
OF_A_FILTER = {"FilterV2.keywords", "FilterV2.statuses"}
# The library has one type for the program of a post and for what verify_credentials says of it.
OF_A_PROGRAM = {f"Application.{name}" for name in ("id", "vapid_key", "redirect_uri", "redirect_uris", "scopes")}
# The library's names for them are others: a dictionary has `items` already.
MISNAMED = {"Report.rules_ids", "Collection.collection_items"}
NOT_ALWAYS = OF_4_6 | OF_A_PROGRAM | OF_A_FILTER | NULLABLE | MISNAMED
# Methods that say something else of their answers than Mastodon's documents do, or look into them themselves.
OTHERWISE = {"admin_accounts_v1", "admin_delete_canonical_email_block", "create_account"}

_HINTS: dict[type, dict[str, Any]] = {}
_ROUTES = [
    (route.method, re.compile(re.sub(r"\{\w+(:[^}]*)?\}", "[^/]+", route.path) + "/?"), SPECS[route.handler])
    for route in sorted(defined(), key=lambda route: "{" in route.path)
]


class Here(HTTPAdapter):
    """The way to our own name, which no other resolver knows: to loopback."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        request.headers["Host"] = "ours.test"
        request.url = (request.url or "").replace(OURS, self._address, 1)
        return super().send(request, *args, **more)


class Library:
    """Calls of Mastodon.py, which blocks, in a thread."""

    def __init__(self, site: Site, token: str | None = None, **more: Any) -> None:
        self.session = requests.Session()
        self.session.mount(OURS, Here(str(site.http.make_url("")).rstrip("/")))
        self.session.hooks["response"].append(self._hear)
        self.heard: list[requests.Response] = []
        self.wrong: list[str] = []
        self._more = {"access_token": token, "api_base_url": OURS, "ratelimit_method": "throw", **more}
        self._made: Mastodon | None = None

    async def __call__(self, name: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(self._call, name, args, more)

    @property
    def mastodon(self) -> Mastodon:
        if self._made is None:
            self._made = Mastodon(session=self.session, **self._more)
        return self._made

    def _hear(self, response: requests.Response, *args: Any, **more: Any) -> None:
        self.heard.append(response)

    def _call(self, name: str, args: tuple[Any, ...], more: dict[str, Any]) -> Any:
        method = getattr(self.mastodon, name)
        self.heard.clear()
        found = method(*args, **more)
        for response in self.heard:
            self.wrong += [f"{name}: {fault}" for fault in _against_ours(response)]
        if self.heard and self.heard[-1].content:
            told = inspect.signature(method).return_annotation
            if told not in (str, int, bool) and name not in OTHERWISE:  # taken out of what was heard, or put together
                self.wrong += [f"{name}: {fault}" for fault in faults(self.heard[-1].json(), told)]
        assert not self.wrong, "\n".join(dict.fromkeys(self.wrong))
        return found


def ids(found: Iterable[Any]) -> list[str]:
    """The library has a type of its own for ids."""
    return [str(one.id) for one in found]


def _against_ours(response: requests.Response) -> Iterator[str]:
    """Does the answer have the shape that its route declares, and nothing besides?"""
    method, path = response.request.method, requests.utils.urlparse(response.url).path
    spec = next((spec for verb, pattern, spec in _ROUTES if verb == method and pattern.fullmatch(path)), None)
    if spec is None or spec.answers is None or not response.ok:
        return
    said, trouble = response.json(), []
    for kind in spec.answers if isinstance(spec.answers, tuple) else (spec.answers,):
        try:
            if msgspec.to_builtins(msgspec.convert(said, kind, strict=True)) == said:
                return
            trouble.append("has more than it declares")
        except msgspec.ValidationError as error:
            trouble.append(str(error))
    yield f"{method} {path} {' or '.join(trouble)}"


def faults(value: Any, kind: Any, place: str = "") -> Iterator[str]:
    """What is not as the library's type says."""
    if isinstance(kind, ForwardRef):
        kind = getattr(return_types, kind.__forward_arg__)
    inner = get_args(kind)
    if kind in (None, Any, inspect.Signature.empty) or isinstance(kind, str | TypeVar):
        return
    if get_origin(kind) is Union:
        if value is None and NoneType in inner:
            return
        tries = [list(faults(value, one, place)) for one in inner if one is not NoneType]
        yield from min(tries, key=len)
    elif (origin := get_origin(kind) or kind) in (list, tuple, NonPaginatableList, PaginatableList):
        yield from _in_list(value, inner, place)
    elif issubclass(origin, AttribAccessDict):
        yield from _in_entity(value, origin, place)
    elif issubclass(origin, dict):
        if not isinstance(value, dict):
            yield f"{place} is {value!r}, no object"
    elif not _fits(value, origin):
        yield f"{place} is {value!r}, no {origin.__name__}"


def _in_list(value: Any, inner: tuple[Any, ...], place: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place} is {value!r}, no list"
        return
    for one in value:
        yield from faults(one, inner[0], place) if inner else ()


def _in_entity(value: Any, kind: type, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place or kind.__name__} is {value!r}, no {kind.__name__}"
        return
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind, vars(return_types))
    value = {name.replace(":", "_"): inner for name, inner in value.items()}  # Preferences have such names
    hints = {name: hint for name, hint in _HINTS[kind].items() if not name.startswith("_")}
    for name, hint in hints.items():
        here = f"{kind.__name__}.{name}"
        if name in value and not (value[name] is None and here in NULLABLE):
            said = int(value[name]) if here in NUMBERS else value[name]
            yield from faults(said, Any if here in MISTYPED else hint, here)
        elif not (get_origin(hint) is Union and NoneType in get_args(hint)) and here not in NOT_ALWAYS:
            yield f"{here} is missing"
    for name in value:
        if hints and name not in hints and (here := f"{kind.__name__}.{name}") not in OUR_OWN | UNKNOWN:
            yield f"{here} is unknown: {value[name]!r}"


def _fits(value: Any, kind: type) -> bool:
    if kind is datetime:
        try:
            return isinstance(value, str) and (value.isdecimal() or bool(datetime.fromisoformat(value)))
        except ValueError:
            return False
    if kind is MaybeSnowflakeIdType:
        return isinstance(value, str) and value.isdecimal()
    if kind in (int, bool):
        return type(value) is kind
    return isinstance(value, (int, float) if kind is float else kind)
