"""Accounts made by a program: https://docs.joinmastodon.org/methods/accounts/#create and /methods/emails/"""

from datetime import UTC, datetime

from aiohttp import web

from federation.reading.values import language
from social import signups
from social.apps import Bearer
from social.errors import Faulty, NotAllowed
from social.secrets import new_token
from social.signups import Wanted
from web import auth, params, signing_up
from web.api import shapes
from web.api.answers import answer, faults
from web.api.spec import spec
from web.auth import Caller
from web.keys import CONFIG, DATABASE
from web.limits import TooMany, too_many

routes = web.RouteTableDef()


@routes.post("/api/v1/accounts")
@spec(
    answers=shapes.Token,
    body={"username": str, "email": str, "password": str, "agreement": bool, "locale": str, "reason": str},
)
@auth.program
async def create(request: web.Request, found: Bearer) -> web.Response:
    """By the token of a program alone.  The answer is a token of the person, good when the address is confirmed."""
    auth.check_scopes(found, ("write:accounts",))
    if found.account is not None:
        raise NotAllowed("This action is not allowed", why="by a token of a person")
    given, secret = await params.read(request), new_token()
    wanted = Wanted(
        given.text("username"),
        given.text("email"),
        given.text("password"),
        given.flag("agreement"),
        given.text("reason"),
        language(given.text("locale")) or "",
    )
    try:
        _, token = await signing_up.sign_up(request, wanted, found.app.id, (secret, found.token.scopes))
    except Faulty as faulty:
        return faults(faulty)
    except TooMany as refused:
        return too_many(request, refused)
    if token is None:
        raise RuntimeError("a program signed somebody up and got no token")
    made: shapes.Token = {
        "access_token": secret,
        "token_type": "Bearer",
        "scope": token.scopes,
        "created_at": int(token.created_at.timestamp()),
    }
    return answer(made)


@routes.post("/api/v1/emails/confirmations")
@spec(body={"email": str})
@auth.newcomer("write:accounts")
async def confirmations(request: web.Request, caller: Caller) -> web.Response:
    """The letter once more, perhaps to another address; only by the program with which the account was made."""
    db, address = request.app[DATABASE], (await params.read(request)).text("email")
    facts = await db.read(signups.of, caller.account.id)
    if facts is None or facts.app_id != caller.app.id:
        raise NotAllowed("This method is only available to the application the user originally signed-up with")
    if caller.user.confirmed_at is not None:
        raise NotAllowed("This method is only available while the e-mail is awaiting confirmation")
    try:
        signing_up.count(request, signing_up.LETTERS)
    except TooMany as refused:
        return too_many(request, refused)
    if request.app[CONFIG].mails:
        await db.write(signups.again_to, caller.account.id, address, datetime.now(UTC))
    return answer({})


@routes.get("/api/v1/emails/check_confirmation")
@spec(answers=bool)
@auth.newcomer("read:accounts", "profile", "write:accounts")
async def check_confirmation(request: web.Request, caller: Caller) -> web.Response:  # noqa: ARG001
    return answer(caller.user.confirmed_at is not None)
