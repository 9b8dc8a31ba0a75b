"""What all pages share: who looks at them, templates, headers, and forms that come back."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection

from federation.reading.values import find_host
from social import announcements, notifications, preferences, sessions
from social.announcements import AnnouncementView
from social.errors import NotFound, Refusal
from social.media import uploads
from social.moderation.people import STAFF
from social.pages import Page
from social.sessions import SignedIn
from social.views import PostView
from store.tables import Account
from web import auth, client_address, csrf, params
from web.auth import SESSION
from web.errors import STATUS
from web.keys import CONFIG, DATABASE, KEEPER, ORIGIN
from web.pages import addresses, markup, unwanted
from web.params import Params
from web.uploads import Form, received

TEMPLATES = web.AppKey("TEMPLATES", Environment)
UNREAD = web.RequestKey("UNREAD", int)
ANNOUNCED = web.RequestKey[list[AnnouncementView]]("ANNOUNCED")
FOLDER: Final = Path(__file__).parent.parent

VISIBILITY_WORDS: Final = {
    "public": "Everyone",
    "unlisted": "Everyone, kept out of public lists",
    "private": "Followers",
    "direct": "Only people mentioned",
}
QUOTE_WORDS: Final = {
    "pending": "A post is quoted here; its author has not agreed to it yet.",
    "rejected": "The author of the post that is quoted here did not agree to it.",
    "revoked": "The author of the post that was quoted here no longer agrees to it.",
    "deleted": "The post that was quoted here is gone.",
    "blocked_account": "A post of somebody whom you block or mute is quoted here.",
}
RUNS: Final = ("owner", "admin")  # roles of those who run the server
_TOO_LARGE: Final = "That is more than this server takes at once. Please go back, and choose something smaller."
_KIND: Final = {401: "Please sign in", 403: "Not allowed", 404: "Not found", 410: "Gone", 413: "Too large",
                421: "Another name",
    422: "That did not work", 429: "Too many tries", 503: "Not available"}  # fmt: skip


def prepare(app: web.Application) -> None:
    """Makes the templates; once, before the application runs."""
    versions = {
        file.name: sha256(file.read_bytes()).hexdigest()[:12]
        for file in (FOLDER / "static").iterdir()
        if file.is_file()
    }

    def static(name: str) -> str:
        return f"/static/{name}?v={versions[name]}"

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(
        static=static,
        account_path=addresses.of_account,
        acct_path=addresses.of_acct,
        post_path=addresses.of_post,
        tag_path=addresses.of_tag,
        ago=markup.ago,
        in_time=markup.in_time,
        words=markup.words,
        rich=lambda html, account: markup.rich(html, account, app[ORIGIN]),
        fact=lambda html, account: markup.fact(html, account, app[ORIGIN]),
        safe=markup.safe_html,
        line=lambda text, emojis=None: markup.line(text, emojis, app[ORIGIN]),
        file_address=lambda name: uploads.address(app[ORIGIN], name),
        visibility_words=VISIBILITY_WORDS,
        quote_words=QUOTE_WORDS,
        verdict=unwanted.verdict,
    )
    environment.filters.update(
        web=markup.web_address,
        shown=lambda address: markup.shown_address(address, app[ORIGIN]),
        plain=markup.plain,
        coded=markup.coded,
        host=find_host,
        iso=markup.iso,
        in_full=markup.in_full,
        day=markup.day,
        short=markup.short,
    )
    app[TEMPLATES] = environment


async def look(request: web.Request) -> SignedIn | None:
    """Who looks at the page, if he is signed in."""
    signed = await auth.session(request)
    if signed is not None:
        now = datetime.now(UTC)
        if not sessions.is_fresh(signed, now):
            await request.app[DATABASE].write(sessions.seen, signed, now, client_address.kept(request))
        request[UNREAD], request[ANNOUNCED] = await request.app[DATABASE].read(_news, signed.account.id, now)
    return signed


def _news(tx: Connection, account_id: int, now: datetime) -> tuple[int, list[AnnouncementView]]:
    return notifications.unread(tx, account_id), announcements.unread(tx, account_id, now)


async def member(request: web.Request) -> SignedIn:
    """Whoever looks, or the way to the sign-in page and back."""
    signed = await look(request)
    if signed is None:
        back = request.path_qs if request.method == "GET" else "/home"
        raise web.HTTPSeeOther(addresses.with_query("/login", next=addresses.local(back)))
    return signed


async def posted(request: web.Request) -> tuple[SignedIn, Params]:
    """A form of somebody who is signed in.  Raises: NotAllowed, for one that is not from our pages."""
    signed = await member(request)
    given = await params.read(request)
    csrf.check(request, given.text(csrf.FIELD), signed)
    return signed, given


@asynccontextmanager
async def posted_files(
    request: web.Request, limits: Mapping[str, int], *, keeps: bool = False
) -> AsyncIterator[tuple[SignedIn, Form]]:
    """A form with files, as `posted`.

    keeps: it comes back with what was typed whatever is wrong; so the caller asks for the token, and for `too_large`.
    """
    signed = await member(request)
    csrf.check_place(request)  # before anything is received
    async with received(request, limits, passes_over=keeps) as form:
        if not keeps:
            csrf.check(request, form.params.text(csrf.FIELD), signed)
        yield signed, form


def viewer_id(signed: SignedIn | None) -> int | None:
    return None if signed is None else signed.account.id


def show(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    policy: str | None = None,
    **values: Any,
) -> web.Response:
    """The page.  `policy`: a Content-Security-Policy other than the usual."""
    signed = request.get(SESSION)
    context = {
        "me": signed.account if signed else None,
        "user": signed.user if signed else None,
        "csrf": csrf.shown(signed.session.csrf) if signed else "",
        "reads": preferences.of(signed.user) if signed else preferences.Preferences(),
        "unread": request.get(UNREAD, 0),
        **_told(request, signed),
        "runs": signed is not None and signed.user.role in RUNS,
        "moderates": signed is not None and signed.user.role in STAFF,
        "config": request.app[CONFIG],
        "origin": request.app[ORIGIN],
        "here": addresses.local(request.path_qs),
        "path": request.path,
        "now": datetime.now(UTC),
        "noindex": False,
        "place": "",  # which filters count: home, public, thread, account, notifications
        **values,
    }
    text = request.app[TEMPLATES].get_template(template).render(context)
    common = {
        "Content-Security-Policy": policy or usual_policy(),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
        "Vary": "Accept, Cookie",
        "Cache-Control": "private, no-store" if signed or status != 200 else "public, max-age=15",
    }
    if context["noindex"]:
        common["X-Robots-Tag"] = "noindex"
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers={**common, **(headers or {})}
    )


def _told(request: web.Request, signed: SignedIn | None) -> dict[str, Any]:
    """Incidents and work that goes on stand on all pages; what is planned can be put away by members."""
    keeper, now = request.app.get(KEEPER), datetime.now(UTC)
    banners = keeper.banners(now) if keeper else ()
    if signed is not None:
        banners = [one for one in banners if not one.is_ahead(now)]
    said = {one.announced_as for one in banners}
    announced = [view for view in request.get(ANNOUNCED, []) if view.announcement.id not in said]
    return {"banners": banners, "announced": announced}


def usual_policy(*, forms: bool = True) -> str:
    """forms=False: where a form leads, through redirects, to a program of the reader (OAuth)."""
    return (
        "default-src 'none'; style-src 'self'; manifest-src 'self'; img-src 'self' data:; media-src 'self'; "
        + ("form-action 'self'; " if forms else "")
        + "base-uri 'none'; frame-ancestors 'none'"
    )


def show_error(request: web.Request, status: int, text: str, *, kept: str = "") -> web.Response:
    """A page that says what is wrong.  A Render of web.errors.  kept: what somebody wrote, so that he can have it."""
    text = _TOO_LARGE if status == 413 else text
    headers = {"Retry-After": "60"} if status in (429, 503) else {}
    title = _KIND.get(status, "Something went wrong")
    away = status == 503
    for_admins = away and request.path.startswith("/admin/")  # no session can be checked: words for all, facts for none
    return show(
        request, "error.html", status=status, headers=headers, title=title, says=text, noindex=True,
        away=away, for_admins=for_admins, kept=kept,
    )  # fmt: skip


def status_of(refusal: Refusal) -> int:
    return STATUS[type(refusal)]


def number(request: web.Request, missing: str, name: str = "id") -> int:
    """Of the address.  Raises: NotFound, with `missing`."""
    found = params.as_id(request.match_info[name])
    if found is None:
        raise NotFound(missing)
    return found


def older(request: web.Request, cursors: list[int], page: Page) -> str | None:
    """The address of the next part of a list, if there may be one."""
    if not cursors or len(cursors) < page.limit:
        return None
    kept = {name: value for name, value in request.query.items() if name not in ("max_id", "min_id")}
    return addresses.with_query(request.path, **{**kept, "max_id": min(cursors)})


def cursors(found: list[PostView]) -> list[int]:
    return [view.parts.post.id for view in found]


def is_own(signed: SignedIn | None, account: Account) -> bool:
    return signed is not None and signed.account.id == account.id
