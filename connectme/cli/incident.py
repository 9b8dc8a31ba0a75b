"""`connectme incident …`: what members are told while something is wrong.  Needs neither server nor database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from connectme.cli.common import Context, as_json, emit, example, fail, passes, table
from connectme.settings import Settings
from connectme.watching import site_of
from ops import incidents, state, status
from ops.incidents import Incident

_WHEN = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])
_PART = click.Choice(list(incidents.COMPONENTS))
_IMPACT = click.Choice(incidents.IMPACTS[:-1])
parts_option = click.option("--component", "components", multiple=True, type=_PART, help="What it is about; several.")
impact_option = click.option("--impact", type=_IMPACT, help="How bad it is for members.")


@click.group()
def incident() -> None:
    """What the status page and the top of all pages say."""


@incident.command(
    "open", epilog=example('connectme incident open "Slow pages" --message "We look into it." --component web')
)
@click.argument("title")
@click.option("--message", required=True, help="The first thing to say.")
@impact_option
@click.option("--status", "stage", type=click.Choice(incidents.STAGES), default="investigating", show_default=True)
@parts_option
@as_json
@passes
def open_(
    context: Context, title: str, message: str, impact: str | None, stage: str, components: tuple[str, ...], *,
    as_json: bool,
) -> None:  # fmt: skip
    """Tell that something is wrong."""
    _do(
        context,
        lambda folder, now: incidents.open_(
            folder, title, message, now, impact=impact or "minor", components=components, status=stage
        ),
        as_json=as_json,
    )


@incident.command(epilog=example('connectme incident update 4f0c --status identified --message "The disk is full."'))
@click.argument("incident_id", metavar="ID")
@click.option("--message", required=True, help="What there is to say now.")
@click.option("--status", "stage", type=click.Choice([*incidents.STAGES, *incidents.PLANNED]))
@click.option("--title", help="Another title.")
@impact_option
@parts_option
@as_json
@passes
def update(
    context: Context, incident_id: str, message: str, stage: str | None, title: str | None, impact: str | None,
    components: tuple[str, ...], *, as_json: bool,
) -> None:  # fmt: skip
    """Say more about it.  One that an alert drafted is thereby published."""
    _do(
        context,
        lambda folder, now: incidents.update(
            folder, incident_id, message, now, status=stage, title=title, impact=impact, components=components or None
        ),
        as_json=as_json,
    )


@incident.command(epilog=example('connectme incident resolve 4f0c --message "All is well again."'))
@click.argument("incident_id", metavar="ID")
@click.option("--message", default="This is over.", show_default=True, help="The last thing to say.")
@as_json
@passes
def resolve(context: Context, incident_id: str, message: str, *, as_json: bool) -> None:
    """Tell that it is over."""
    _do(context, lambda folder, now: incidents.resolve(folder, incident_id, message, now), as_json=as_json)


@incident.command(epilog=example("connectme incident forget 4f0c"))
@click.argument("incident_id", metavar="ID")
@as_json
@passes
def forget(context: Context, incident_id: str, *, as_json: bool) -> None:
    """Throw a draft away that was nothing."""
    _do(context, lambda folder, now: incidents.forget(folder, incident_id, now), as_json=as_json)


@incident.command(
    epilog=example('connectme incident plan "A larger disk" --message "Ten minutes without pages."',
                   "    --begins 2026-12-01T22:00 --ends 2026-12-01T23:00")
)  # fmt: skip
@click.argument("title")
@click.option("--message", required=True, help="What is done, and what members will notice.")
@click.option("--begins", type=_WHEN, required=True, help="In UTC.")
@click.option("--ends", type=_WHEN, help="In UTC; by default an hour later.")
@parts_option
@as_json
@passes
def plan(
    context: Context, title: str, message: str, begins: datetime, ends: datetime | None, components: tuple[str, ...], *,
    as_json: bool,
) -> None:  # fmt: skip
    """Announce work ahead; while it lasts, alerts are quiet."""
    first = begins.replace(tzinfo=UTC)
    last = ends.replace(tzinfo=UTC) if ends else first + timedelta(hours=1)
    _do(
        context,
        lambda folder, now: incidents.plan(folder, title, message, first, last, now, components=components),
        as_json=as_json,
    )


@incident.command("list", epilog=example("connectme incident list", "connectme incident list --json"))
@as_json
@passes
def list_(context: Context, *, as_json: bool) -> None:
    """Those of the last year, the newest first; drafts, too."""
    found = incidents.all_of(state.folder(context.settings().data_dir))
    rows = [
        (one.id, "draft" if one.draft else one.status, one.impact, f"{one.created:%Y-%m-%d %H:%M}", one.title)
        for one in found
    ]
    emit([_facts(one) for one in found], lambda: table(rows, "ID", "STATUS", "IMPACT", "SINCE", "TITLE"), as_json)


def _do(context: Context, change: Callable[[Path, datetime], Incident], *, as_json: bool) -> None:
    settings, now = context.settings(), datetime.now(UTC)
    try:
        made = change(state.folder(settings.data_dir), now)
        _shown(settings, now)
    except incidents.Wrong as error:
        raise fail(str(error)) from error
    except OSError as error:
        folder = settings.data_dir / state.FOLDER
        raise fail(f"{folder} cannot be written ({error.strerror}); correct its rights, or make room") from error
    emit(_facts(made), f"{made.id}: {made.title} ({made.status})", as_json)


def _shown(settings: Settings, now: datetime) -> None:
    status.render(settings.data_dir, site_of(settings), now)


def _facts(one: Incident) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "status": one.status,
        "draft": one.draft,
        "impact": one.impact,
        "components": list(one.components),
        "created": one.created.isoformat(),
        "begins": one.begins.isoformat() if one.begins else None,
        "ends": one.ends.isoformat() if one.ends else None,
        "updates": [{"status": step.status, "says": step.says, "at": step.at.isoformat()} for step in one.updates],
    }
