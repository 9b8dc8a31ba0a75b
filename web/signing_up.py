"""What the page and the API have in common when somebody makes an account."""

from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web
from sqlalchemy import Connection

from federation.keys import KeyPair, generate
from federation.origin import Origin
from social import addresses, apps, passwords, signups, users
from social.accounts import NewAccount
from social.errors import NotAllowed
from social.moderation import places
from social.secrets import sha256
from social.signups import Wanted
from store.tables import Account, Signup, Token
from web import client_address
from web.keys import CONFIG, DATABASE, ORIGIN
from web.limits import LIMITS, Limit
from web.pages.entry import in_pool

PLACE = Limit(5, 30, "sign-ups")
LETTERS = Limit(5, 30, "letters")


def count(request: web.Request, limit: Limit, address: str = "") -> None:
    """From there, and for that address, whether it is anybody's or not.  Raises: TooMany."""
    if request.app[CONFIG].rate_limits:
        request.app[LIMITS].hit(limit, client_address.network(request))
        if address:
            request.app[LIMITS].hit(limit, sha256(users.plain_login(address)).hex())


async def sign_up(
    request: web.Request, wanted: Wanted, app_id: int | None = None, token: tuple[str, str] | None = None
) -> tuple[Account, Token | None]:
    """token: a secret and its scopes, for the program by which it happens.

    Raises: NotAllowed while nobody may; Faulty, Invalid; TooMany.
    """
    config, db, now = request.app[CONFIG], request.app[DATABASE], datetime.now(UTC)
    if config.registrations == "closed":
        raise NotAllowed("This action is not allowed", why="registrations are closed")
    wanted = replace(wanted, username=wanted.username.strip().lower())
    count(request, PLACE)  # before a word on which addresses are known here
    held = await db.read(places.severities, client_address.address(request), now)
    if held & {places.NO_SIGN_UP, places.NO_ACCESS}:
        raise NotAllowed("This action is not allowed", why="the network is blocked")
    await db.read(signups.check, wanted)
    hashed = await in_pool(request, passwords.hash_password, wanted.password)
    keys = await in_pool(request, _new_keys)
    new = NewAccount(
        wanted.username, wanted.email, hashed, confirmed=False,
        approved=config.registrations == "open" and places.APPROVAL not in held,
        language=wanted.locale or None,
    )  # fmt: skip
    facts = Signup(0, app_id, wanted.reason, wanted.locale or None)
    return await db.write(
        _sign_up, request.app[ORIGIN], new, keys, facts, config.mails, token, client_address.kept(request), now
    )


def _sign_up(
    tx: Connection,
    origin: Origin,
    new: NewAccount,
    keys: list[KeyPair],
    facts: Signup,
    mails: bool,
    token: tuple[str, str] | None,
    ip: str,
    now: datetime,
) -> tuple[Account, Token | None]:
    account = signups.sign_up(tx, origin, new, keys, facts, mails, now)
    addresses.note(tx, account.id, ip, now)
    if token is None or facts.app_id is None:
        return account, None
    return account, apps.issue_token(tx, facts.app_id, account.id, token[1], sha256(token[0]), now)


def _new_keys() -> list[KeyPair]:
    return [generate("rsa"), generate("ed25519")]
