"""/admin/site: the rules of this server, and what it says of itself, of privacy and of its terms."""

from datetime import date, datetime
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from social import site
from social.errors import Invalid
from social.moderation import audit
from social.moderation.sanctions import Staff
from store.tables import Rule, SiteText
from web.keys import DATABASE
from web.pages import addresses, frame
from web.pages.admin.common import acts, do, looks

routes = web.RouteTableDef()

HERE: Final = "/admin/site"
_TITLES: Final = {site.ABOUT: "About this server", site.PRIVACY: "Privacy policy", site.TERMS: "Terms of service"}


@routes.get(HERE)
async def words(request: web.Request) -> web.Response:
    await looks(request, "admin")
    return await _show(request)


async def _show(request: web.Request, says: str = "", **typed: Any) -> web.Response:
    """typed: of a form that comes back, by the names of its fields."""
    rules, texts = await request.app[DATABASE].read(_said)
    return frame.show(
        request, "admin_site.html", status=422 if says else 200, says=says, rules=rules, texts=texts, titles=_TITLES,
        single=(site.ABOUT, site.PRIVACY), terms=site.TERMS, limits=(site.RULE_LIMIT, site.HINT_LIMIT),
        typed={"text": "", "hint": "", "name": "", "source": "", "effective": "", **typed},
    )  # fmt: skip


def _said(tx: Connection) -> tuple[list[Rule], list[SiteText]]:
    return site.all_rules(tx), site.all_texts(tx)


@routes.post(HERE + "/rules")
async def add_rule(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    text, hint = given.text("text"), given.text("hint")
    try:
        await do(request, by, _add_rule, text, hint)
    except Invalid as refusal:
        return await _show(request, str(refusal), text=text, hint=hint)
    return addresses.see_other(f"{HERE}#rules")


def _add_rule(tx: Connection, by: Staff, text: str, hint: str, now: datetime) -> None:
    made = site.add_rule(tx, text, hint)
    audit.note(tx, by.account, "add", "rule", made.text, now)


@routes.post(HERE + "/rules/{id:[0-9]+}/{act:change|remove}")
async def act_on_rule(request: web.Request) -> web.Response:
    by, given = await acts(request, "admin")
    number = frame.number(request, "There is no such rule")
    try:
        if request.match_info["act"] == "remove":
            await do(request, by, _drop_rule, number)
        else:
            await do(request, by, _change_rule, number, given.text("text"), given.text("hint"))
    except Invalid as refusal:
        return await _show(request, str(refusal))
    return addresses.see_other(f"{HERE}#rules")


def _change_rule(tx: Connection, by: Staff, number: int, text: str, hint: str, now: datetime) -> None:
    made = site.change_rule(tx, number, text, hint)
    audit.note(tx, by.account, "change", "rule", made.text, now)


def _drop_rule(tx: Connection, by: Staff, number: int, now: datetime) -> None:
    gone = site.drop_rule(tx, number)
    audit.note(tx, by.account, "remove", "rule", gone.text, now)


@routes.post(f"{HERE}/texts/{{name:{'|'.join(site.NAMES)}}}")
async def say(request: web.Request) -> web.Response:
    """Nothing: it is said no more."""
    by, given = await acts(request, "admin")
    name, source, effective = request.match_info["name"], given.text("source"), given.text("effective").strip()
    try:
        if source.strip():
            await do(request, by, _set_text, name, source, _day(effective) if name == site.TERMS else None)
        else:
            await do(request, by, _unset_text, name, effective)
    except Invalid as refusal:
        return await _show(request, str(refusal), name=name, source=source, effective=effective)
    return addresses.see_other(f"{HERE}#{name}")


def _set_text(tx: Connection, by: Staff, name: str, source: str, effective: date | None, now: datetime) -> None:
    made = site.set_text(tx, name, source, now, effective)
    audit.note(tx, by.account, "set", "text", f"{name} {made.effective}".strip(), now)


def _unset_text(tx: Connection, by: Staff, name: str, effective: str, now: datetime) -> None:
    """What is not there any more needs no word."""
    if site.unset_text(tx, name, effective):
        audit.note(tx, by.account, "remove", "text", f"{name} {effective}".strip(), now)


def _day(text: str) -> date | None:
    """None: today.  Raises: Invalid."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid("A day is written like 2027-01-31") from error
