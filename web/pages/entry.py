"""Coming in and going out: the first run, signing in, signing out."""

import asyncio
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from math import ceil
from time import time
from typing import ParamSpec, TypeVar

from aiohttp import web
from sqlalchemy import Connection

from federation.keys import KeyPair, generate
from federation.origin import Origin
from social import accounts, instance, links, passwords, second_factor, sessions, users
from social.accounts import NewAccount
from social.errors import Invalid, NotAllowed, Refusal
from social.secrets import new_token, sha256
from social.users import SignIn
from store.tables import Account, Link
from web import auth, client_address, csrf, params
from web.keys import CONFIG, DATABASE, ORIGIN, POOL
from web.limits import LIMITS, SIGN_IN_ACCOUNT, SIGN_IN_PLACE, TooMany
from web.pages import addresses, frame
from web.params import Params, of_query

routes = web.RouteTableDef()

P = ParamSpec("P")
T = TypeVar("T")

_TOO_MANY = "Too many tries. Please wait {} minutes, then try again."


@routes.get("/login")
async def login(request: web.Request) -> web.Response:
    """again: also for one who is signed in, to come as another."""
    given = of_query(request)
    back = addresses.local(given.text("next"), "/home")
    if await frame.look(request) is not None and not given.flag("again"):
        return addresses.see_other(back)
    return _login_form(request, back)


@routes.post("/login")
async def signed_in(request: web.Request) -> web.Response:
    csrf.check_place(request)
    given = await params.read(request)
    name, password = given.text("login").strip(), given.text("password")
    back = addresses.local(given.text("next"), "/home")
    try:
        count_tries(request, users.plain_login(name))
        found = await _who(request, name, password)
    except TooMany as refused:
        return _login_form(request, back, name, says=_wait(refused), status=429, headers=_retry(refused))
    except Refusal as refusal:
        return _login_form(request, back, name, says=str(refusal), status=frame.status_of(refusal))
    if found.asks_code:
        pending = new_token()
        await request.app[DATABASE].write(
            links.add, found.account_id, links.SIGN_IN, sha256(pending), datetime.now(UTC)
        )
        return _code_form(request, back, pending)
    answer = addresses.see_other(back)
    await start_session(request, answer, found.account_id, found.password)
    return answer


@routes.post("/login/code")
async def with_code(request: web.Request) -> web.Response:
    """The second step, after a right password: `pending` proves the first."""
    csrf.check_place(request)
    given = await params.read(request)
    back, pending, now = addresses.local(given.text("next"), "/home"), given.text("pending"), datetime.now(UTC)
    link = await request.app[DATABASE].read(links.find, sha256(pending), links.SIGN_IN, now)
    if link is None:
        return _login_form(request, back, says="That took too long. Please start again.", status=403)
    try:
        count_tries(request, f"code {link.account_id}")
    except TooMany as refused:
        return _code_form(request, back, pending, says=_wait(refused), status=429, headers=_retry(refused))
    if not await request.app[DATABASE].write(_second_step, link, given.text("code"), now):
        return _code_form(request, back, pending, says="That code does not fit", status=403)
    answer = addresses.see_other(back)
    await start_session(request, answer, link.account_id)
    return answer


def _second_step(tx: Connection, link: Link, code: str, now: datetime) -> bool:
    standing = users.in_good_standing(tx, link.account_id)
    return standing is not None and second_factor.use(tx, link.account_id, code, now) and links.end(tx, link)


@routes.post("/logout")
async def logout(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    await request.app[DATABASE].write(sessions.end_session, signed.session.hash)
    answer = addresses.see_other("/")
    auth.forget(request, answer)
    return answer


def count_tries(request: web.Request, name: str) -> None:
    """Per place and per account, for guessing passwords must be slow either way.  Raises: TooMany."""
    if request.app[CONFIG].rate_limits:
        limits = request.app[LIMITS]
        limits.hit(SIGN_IN_PLACE, client_address.network(request))
        limits.hit(SIGN_IN_ACCOUNT, sha256(name).hex())


async def _who(request: web.Request, name: str, password: str) -> SignIn:
    """The account that signs in.  As long, and with the same words, for an unknown name.  Raises: NotAllowed."""
    facts = await request.app[DATABASE].read(users.sign_in_facts, name)
    hashed = facts.password if facts else passwords.NOBODY
    fits = await in_pool(request, passwords.verify, hashed, password)
    if facts is None or not fits:
        raise NotAllowed(users.WRONG)
    if facts.barred:
        raise NotAllowed(facts.barred)
    return facts


async def start_session(
    request: web.Request, answer: web.Response, account_id: int, password: str | None = None
) -> None:
    """A new session; the old one of this browser, if it has one, ends.  password: see social.sessions."""
    secret, old = new_token(), request.cookies.get(auth.cookie_name(request))
    await request.app[DATABASE].write(
        sessions.start_session,
        account_id,
        sha256(secret),
        new_token(),
        request.headers.get("User-Agent", ""),
        datetime.now(UTC),
        sha256(old) if old else None,
        client_address.kept(request),
        password,
    )
    auth.remember(request, answer, secret)


async def in_pool(request: web.Request, work: Callable[P, T], *given: P.args, **more: P.kwargs) -> T:
    """`work(*given)` in a thread: it takes long, and the loop must turn."""
    return await asyncio.get_running_loop().run_in_executor(request.app[POOL], partial(work, *given, **more))


def _login_form(
    request: web.Request,
    back: str,
    name: str = "",
    *,
    says: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> web.Response:
    # A sign-in on the way to /oauth/authorize may end, by redirects, at the program that asked.
    policy = frame.usual_policy(forms=not back.startswith("/oauth/"))
    more = {"Cache-Control": "no-store", **(headers or {})}
    return frame.show(
        request, "login.html", status=status, headers=more, policy=policy, back=back, name=name, says=says, noindex=True
    )


def _code_form(
    request: web.Request,
    back: str,
    pending: str,
    *,
    says: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> web.Response:
    policy = frame.usual_policy(forms=not back.startswith("/oauth/"))
    more = {"Cache-Control": "no-store", **(headers or {})}
    return frame.show(
        request, "login_code.html", status=status, headers=more, policy=policy, back=back, pending=pending, says=says,
        noindex=True,
    )  # fmt: skip


def _wait(refused: TooMany) -> str:
    return _TOO_MANY.format(max(1, ceil((refused.left.reset - time()) / 60)))


def _retry(refused: TooMany) -> dict[str, str]:
    return {"Retry-After": str(max(1, ceil(refused.left.reset - time())))}


# ---- first run


@routes.get("/setup")
async def setup(request: web.Request) -> web.Response:
    """While there is nobody: makes the owner.  Afterwards there is nothing here."""
    if await request.app[DATABASE].read(instance.has_people):
        return addresses.see_other("/login")
    return _setup_form(request, of_query(request))


@routes.post("/setup")
async def set_up(request: web.Request) -> web.Response:
    csrf.check_place(request)
    given = await params.read(request)
    try:
        count_tries(request, "setup")
        account = await _make_owner(request, given)
    except TooMany as refused:
        return _setup_form(request, given, says=_wait(refused), status=429)
    except (Invalid, NotAllowed) as refusal:
        if await request.app[DATABASE].read(instance.has_people):
            return addresses.see_other("/login")
        return _setup_form(request, given, says=str(refusal), status=frame.status_of(refusal))
    answer = addresses.see_other("/home")
    await start_session(request, answer, account.id)
    return answer


async def _make_owner(request: web.Request, given: Params) -> Account:
    """Raises: Invalid, NotAllowed."""
    wanted = request.app[CONFIG].setup_token
    if wanted and not hmac.compare_digest(wanted.encode(), given.text("token").strip().encode("utf-8", "replace")):
        raise NotAllowed(
            "That is not the setup token. It is in the log of the server, in a line that ends in /setup?token=…"
        )
    name, email = given.text("name").strip().removeprefix("@").lower(), given.text("email")
    accounts.check_username(name)
    users.clean_email(email)
    hashed = await in_pool(request, passwords.hash_password, given.text("password"))
    keys = await in_pool(request, _new_keys)
    new = NewAccount(name, email, hashed, "owner", given.text("display_name"))
    return await request.app[DATABASE].write(_create, request.app[ORIGIN], new, keys, datetime.now(UTC))


def _new_keys() -> list[KeyPair]:
    return [generate("rsa"), generate("ed25519")]


def _create(tx: Connection, origin: Origin, new: NewAccount, keys: list[KeyPair], now: datetime) -> Account:
    if instance.has_people(tx):
        raise NotAllowed("This server has an owner already")
    return accounts.create_local(tx, origin, new, keys, now)


def _setup_form(request: web.Request, given: Params, *, says: str = "", status: int = 200) -> web.Response:
    return frame.show(
        request,
        "setup.html",
        status=status,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        asks_token=bool(request.app[CONFIG].setup_token),
        token=given.text("token"),
        name=given.text("name"),
        email=given.text("email"),
        display_name=given.text("display_name"),
        says=says,
        noindex=True,
    )
