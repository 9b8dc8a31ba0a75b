"""`connectme doctor`: is this server fit to run, and if not, what to do."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from connectme import logging, schema
from connectme.cli.common import Context, as_json, emit, example, fail, passes
from connectme.settings import Settings, SettingsError
from ops import findings
from ops.doctor import whole
from ops.doctor.case import Case
from ops.doctor.words import ill, well
from ops.findings import Finding

if TYPE_CHECKING:
    from ops.doctor.services import Stores

MARKS = {"ok": "ok", "notice": "note", "warning": "WARNING", "error": "ERROR"}


@click.command(epilog=example("connectme doctor", "connectme doctor --offline", "connectme doctor --fix"))
@click.option("--fix", is_flag=True, help="Repair what can be repaired without risk, also while the server runs.")
@click.option("--all", "everything", is_flag=True, help="Also list what is well.")
@click.option("--offline", is_flag=True, help="Ask nothing of the network: names, certificate, mail server, buckets.")
@as_json
@passes
def doctor(context: Context, *, fix: bool, offline: bool, everything: bool, as_json: bool) -> None:
    """Look for all that can be wrong, and say what to do.  Exit status 0: fit to run, 1: something is wrong.

    Needs neither the server nor a database that works; writes nothing without --fix.  With the network it takes some
    seconds, without (--offline) at most two.
    """
    try:
        settings = context.settings()
    except SettingsError as error:
        found = [ill("settings.read", "error", str(problem)) for problem in error.problems]
        _tell(found, {}, everything=everything, as_json=as_json)
        return
    logging.set_up(settings, "command", least="error")
    found, done = asyncio.run(_examine(settings, fix=fix, offline=offline))
    _tell(
        [*found, well("settings.read", "connectme settings shows them")], done, everything=everything, as_json=as_json
    )


async def _examine(settings: Settings, *, fix: bool, offline: bool) -> tuple[list[Finding], dict[str, str]]:
    newest, now = schema.newest(), datetime.now(UTC)
    found, told = await whole.look(settings, newest, now), list[Finding]()
    if not offline:
        from ops.doctor import network  # noqa: PLC0415  brings the network along

        told = await network.look(Case(settings, newest, now), buckets(settings))
        found = whole.arranged([*found, *told])
    if not fix or not any(one.fixable for one in found):
        return found, {}
    from ops.doctor import fixing  # noqa: PLC0415  most runs repair nothing

    done = await fixing.fix(Case(settings, newest, now), found)
    return whole.arranged([*await whole.look(settings, newest, now), *told]), done


def buckets(settings: Settings) -> "Stores":
    """Those that the settings name, each with what opens it."""
    from store.bucket import Bucket, Place  # noqa: PLC0415  most servers have none

    named = {"MEDIA_STORE": settings.bucket, "BACKUP_STORE": settings.backup_bucket}
    keys = (settings.s3_endpoint, settings.s3_region, settings.s3_access_key_id, settings.s3_secret_access_key)
    return {name: partial(Bucket, Place(*place, *keys)) for name, place in named.items() if place}


def _tell(found: list[Finding], done: dict[str, str], *, everything: bool, as_json: bool) -> None:
    """Raises: ClickException, with the number of errors."""
    wrong = findings.errors(found)
    facts = {"fit": not wrong, "findings": whole.facts(found), "fixed": done}
    emit(facts, lambda: words(found, done, everything=everything), as_json)
    if wrong:
        things = "thing is" if len(wrong) == 1 else "things are"
        raise fail(f"{len(wrong)} {things} wrong: {', '.join(one.id for one in wrong)}")


def words(found: list[Finding], done: dict[str, str], *, everything: bool) -> str:
    lines = [f"fixed    {name}: {what}" for name, what in done.items()]
    for one in found:
        if one.severity == "ok" and not everything:
            continue
        lines.append(f"{MARKS[one.severity]:<8} {one.id}: {one.says}")
        lines += [f"         seen: {one.evidence}"] if one.evidence else []
        lines += [f"         do:   {one.remedy}"] if one.remedy else []
        lines += ["         or:   connectme doctor --fix"] if one.fixable else []
    well_ones = sum(one.severity == "ok" for one in found)
    return "\n".join([*lines, f"{well_ones} of {len(found)} findings are well"])
