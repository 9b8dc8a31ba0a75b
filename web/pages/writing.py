"""Writing: new posts, comments, and changes of one's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from social import preferences, views
from social.errors import Invalid, NotAllowed, NotFound, Refusal, Unavailable
from social.media import MOST, uploads
from social.media.kinds import PICTURE_LIMIT
from social.posts import delete, drafts, edit
from social.posts.drafts import LONGEST, MOST_OPTIONS, Draft, FileChange, PollDraft
from social.secrets import new_token
from social.views import PostView
from social.visibility import OPEN, VISIBILITIES, narrower
from store.tables import Account, Media, User
from web import composing, csrf, params
from web.keys import DATABASE, ORIGIN
from web.languages import LANGUAGES
from web.pages import addresses, frame, later
from web.params import Params, as_id, of_query
from web.uploads import Form, keep

routes = web.RouteTableDef()

OPTIONS: Final = 4  # offered by the form
FILES: Final = dict.fromkeys((f"file{number}" for number in range(MOST)), PICTURE_LIMIT)
_NEW_ALTS: Final = tuple(f"alt{number}" for number in range(MOST))
_STALE: Final = "This page was out of date, so nothing was posted yet. Please look at it, and send it once more."
_AGAIN: Final = " Please choose the files again: a browser does not give them a second time."
DURATIONS: Final = ((300, "5 minutes"), (3600, "1 hour"), (21600, "6 hours"), (86400, "1 day"), (259200, "3 days"),
                    (604800, "7 days"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds: as it starts, or as somebody left it."""

    text: str = ""
    summary: str = ""
    visibility: str = "public"
    visibilities: tuple[str, ...] = VISIBILITIES
    language: str = ""
    sensitive: bool = False
    options: tuple[str, ...] = ()
    duration: int = 86400
    multiple: bool = False
    reply_to_id: int | None = None
    quoted_id: int | None = None
    key: str = ""  # the same form sent twice makes one post
    most: int = LONGEST
    at: str = ""  # when it is to be posted; empty: now
    alts: Mapping[str, str] = field(default_factory=dict)  # what is to be seen in files, by fields of the form


def blank(user: User) -> Typed:
    return Typed(
        visibility=user.default_visibility,
        language=user.default_language or "",
        sensitive=user.default_sensitive,
        key=new_token(),
    )


def answering(user: User, me: Account, parent: PostView) -> Typed:
    """Mentions everybody who is in the conversation, and is for no more people than its parent."""
    post = parent.parts.post
    people = [] if parent.parts.author.id == me.id else [parent.parts.author.acct]
    people += [m.acct for m in parent.parts.mentions if m.id != me.id and not m.silent and m.acct not in people]
    visibility = narrower(user.default_visibility, post.visibility)
    offered = VISIBILITIES if post.visibility in OPEN else VISIBILITIES[VISIBILITIES.index(post.visibility) :]
    return replace(
        blank(user),
        text="".join(f"@{acct} " for acct in people),
        summary=post.summary,
        visibility=visibility,
        visibilities=offered,
        language=user.default_language or post.language or "",
        reply_to_id=post.id,
    )


@routes.get("/share")  # for buttons of other sites, and for telephones: see static.py
@routes.get("/compose")
async def compose(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    asked = of_query(request)
    parent = await _parent(request, signed.account.id, asked.id("reply_to"))
    quoted = await _parent(request, signed.account.id, asked.id("quote"))
    typed = blank(signed.user) if parent is None else answering(signed.user, signed.account, parent)
    if quoted is not None:
        typed = replace(typed, quoted_id=quoted.parts.post.id)
    if words := "\n".join(filter(None, map(asked.text, ("title", "text", "url"))))[:LONGEST]:
        typed = replace(typed, text=typed.text + words)
    return _form(request, typed, parent, quoted=quoted)


@routes.post("/compose")
async def publish(request: web.Request) -> web.Response:
    """Nobody loses what he wrote, be he signed out, be the page old, a file too large, or what he answers deleted."""
    try:
        return await _publish(request)
    except web.HTTPSeeOther:
        return await _signed_out(request)


async def _signed_out(request: web.Request) -> web.Response:
    csrf.check_place(request)
    try:
        words = (await params.read(request)).text("text")
    except (Refusal, web.HTTPException):  # with files, that are not for strangers
        words = ""
    return frame.show_error(request, 401, "You were signed out meanwhile, so nothing was posted.", kept=words)


async def _publish(request: web.Request) -> web.Response:
    async with frame.posted_files(request, FILES, keeps=True) as (signed, form):
        given = form.params
        typed = _typed(given, _NEW_ALTS)
        try:
            parent = await _parent(request, signed.account.id, given.id("reply_to"))
            quoted = await _parent(request, signed.account.id, given.id("quote"))
        except NotFound as gone:
            typed = replace(typed, reply_to_id=None, quoted_id=None)
            return _form(request, typed, None, says=f"{gone}. Sent as it is, this is a post of its own.", status=404)
        if parent is not None:
            typed = replace(typed, visibilities=answering(signed.user, signed.account, parent).visibilities)
        if not csrf.fits(given.text(csrf.FIELD), signed):
            return _form(request, typed, parent, quoted=quoted, says=_STALE, status=403)
        try:
            now = datetime.now(UTC)
            draft = _quotable(_draft(typed, now), signed.user)
            draft = drafts.check(draft, now, may_be_empty=bool(form.files or form.too_large))
            if attached := await _attached(request, signed.account.id, form):
                draft = replace(draft, media_ids=attached)
            if typed.at:
                return await _later(request, signed.account, draft, typed)
            post_id = await composing.write(request.app, signed.account, draft, typed.key or None)
        except (Invalid, NotAllowed, Unavailable) as refusal:
            says = f"{refusal}.{_AGAIN}" if form.files or form.too_large else str(refusal)
            return _form(request, typed, parent, quoted=quoted, says=says)
    if parent is None:
        return addresses.see_other(f"{addresses.of_account(signed.account)}/{post_id}")
    return addresses.see_other(f"{addresses.of_post(parent.parts.author, parent.parts.post)}#p{post_id}")


async def _later(request: web.Request, author: Account, draft: Draft, typed: Typed) -> web.Response:
    """Raises: Refusal."""
    if draft.quoted_id is not None:
        raise Invalid("A post that quotes another cannot wait: post it now")
    await composing.schedule(request.app, author, draft, later.moment(typed.at), typed.key or None)
    return addresses.see_other(later.HERE)


@routes.get("/posts/{id:[0-9]+}/edit")
async def change(request: web.Request) -> web.Response:
    signed = await frame.member(request)
    view = await _own(request, signed.account.id)
    post = view.parts.post
    typed = Typed(
        text=post.source or "",
        summary=post.summary,
        visibility=post.visibility,
        language=post.language or "",
        sensitive=post.sensitive and not post.summary,  # a warning folds by itself
        alts={alt_of(it): it.description for it in view.parts.media},
    )
    return _form(request, typed, None, edits=view)


@routes.post("/posts/{id:[0-9]+}/edit")
async def changed(request: web.Request) -> web.Response:
    signed, given = await frame.posted(request)
    view = await _own(request, signed.account.id)
    typed, now = _typed(given, map(alt_of, view.parts.media)), datetime.now(UTC)
    await composing.meet(request.app, typed.text)
    files = tuple(FileChange(it.id, typed.alts[alt_of(it)]) for it in view.parts.media if alt_of(it) in given)
    draft = replace(_draft(typed, now), poll=None, visibility=view.parts.post.visibility, file_changes=files)
    try:
        await request.app[DATABASE].write(
            edit.edit, request.app[ORIGIN], signed.account.id, view.parts.post.id, draft, now
        )
    except Invalid as refusal:
        return _form(request, typed, None, edits=view, says=str(refusal))
    return addresses.see_other(addresses.of_post(signed.account, view.parts.post))


@routes.get("/posts/{id:[0-9]+}/delete")
async def sure(request: web.Request) -> web.Response:
    """Asks first: other servers cannot be told to bring a post back."""
    signed = await frame.member(request)
    return frame.show(request, "delete.html", view=await _own(request, signed.account.id))


@routes.post("/posts/{id:[0-9]+}/delete")
async def deleted(request: web.Request) -> web.Response:
    signed, _ = await frame.posted(request)
    view = await _own(request, signed.account.id)
    await request.app[DATABASE].write(delete.delete, signed.account.id, view.parts.post.id, datetime.now(UTC))
    return addresses.see_other(addresses.of_account(signed.account))


def _form(
    request: web.Request,
    typed: Typed,
    parent: PostView | None,
    *,
    quoted: PostView | None = None,
    edits: PostView | None = None,
    says: str = "",
    status: int = 422,
) -> web.Response:
    """The form alone on a page: to begin, and to correct what could not be posted."""
    status = status if says else 200
    shown: dict[str, Any] = {"typed": typed, "parent": parent, "quoted": quoted, "edits": edits, "says": says}
    return frame.show(request, "compose.html", status=status, **shown, **choices())


def choices() -> dict[str, Any]:
    """What the form offers."""
    return {
        "languages": LANGUAGES,
        "durations": DURATIONS,
        "options": OPTIONS,
        "files": MOST,
        "most_bytes": PICTURE_LIMIT,
        "alt_of": alt_of,
    }


def alt_of(file: Media) -> str:
    """The field of the form with what is to be seen or heard in a file that the post has."""
    return f"alt-{file.id}"


def _typed(given: Params, alts: Iterable[str]) -> Typed:
    visibility = given.text("visibility", "public")
    return Typed(
        text=given.text("text"),
        summary=given.text("summary"),
        visibility=visibility if visibility in VISIBILITIES else "public",
        language=given.text("language"),
        sensitive=given.flag("sensitive"),
        options=tuple(given.many("option")[:MOST_OPTIONS]),
        duration=given.number("duration") or 86400,
        multiple=given.flag("multiple"),
        reply_to_id=given.id("reply_to"),
        quoted_id=given.id("quote"),
        key=given.text("key"),
        at=given.text("at").strip(),
        alts={name: given.text(name) for name in alts},
    )


def _quotable(draft: Draft, user: User) -> Draft:
    return replace(draft, quote_policy=preferences.of(user).quote_policy)


def _draft(typed: Typed, now: datetime) -> Draft:
    options = tuple(option for option in typed.options if option.strip())
    seconds = max(0, min(typed.duration, 366 * 86400))
    poll = PollDraft(options, now + timedelta(seconds=seconds), typed.multiple) if options else None
    return Draft(
        text=typed.text,
        visibility=typed.visibility,
        summary=typed.summary,
        sensitive=typed.sensitive,
        language=typed.language or None,
        reply_to_id=typed.reply_to_id,
        quoted_id=typed.quoted_id,
        poll=poll,
    )


async def _attached(request: web.Request, account_id: int, form: Form) -> tuple[int, ...]:
    """The files of the form, kept; whatever happens to the post, they are removed after a day if it has them not.

    Raises: Invalid, Unavailable.
    """
    if form.too_large:
        raise Invalid(f"A file may have {PICTURE_LIMIT >> 20} MB here")
    found = []
    for number in range(MOST):
        if file := form.files.get(f"file{number}"):
            said = uploads.said(form.params.text(f"alt{number}"), None)
            found.append((await keep(request.app, account_id, file, said, later=False)).id)
    return tuple(found)


async def _parent(request: web.Request, reader_id: int, post_id: int | None) -> PostView | None:
    """What is answered, or quoted.  Raises: NotFound."""
    if post_id is None:
        return None
    found = await request.app[DATABASE].read(views.post, post_id, reader_id)
    if found is None:
        raise NotFound("The post that you answer or quote is not here any more")
    return found.boost_of or found


async def _own(request: web.Request, account_id: int) -> PostView:
    """Raises: NotFound, for posts of others too."""
    post_id = as_id(request.match_info["id"])
    found = None if post_id is None else await request.app[DATABASE].read(views.post, post_id, account_id)
    if found is None or found.parts.author.id != account_id or found.boost_of is not None:
        raise NotFound("There is no such post of yours")
    return found
