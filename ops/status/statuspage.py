"""The same as JSON, in the shapes of Atlassian's Statuspage (API v2), which many tools read.

https://status.atlassian.com/api names the fields: summary, status, components, incidents, scheduled maintenances.
"""

from datetime import datetime
from typing import Any

from ops.incidents import COMPONENTS, Incident, Update
from ops.status.board import Board, Component


def documents(board: Board) -> dict[str, dict[str, Any]]:
    """By the name of the file, without `.json`."""
    page = _page(board)
    status = {"indicator": board.indicator, "description": board.says}
    components = [_component(board, one, place) for place, one in enumerate(board.components, 1)]
    by_id = {one["id"]: one for one in components}
    current, planned, past = (
        [_incident(one, by_id, board) for one in some] for some in (board.current, board.planned, board.past)
    )
    unplanned = [one for one in past if "scheduled_for" not in one]
    work = [one for one in past if "scheduled_for" in one]
    running = [one for one in planned if one["status"] in ("in_progress", "verifying")]
    return {
        "summary": {
            "page": page,
            "components": components,
            "incidents": current,
            "scheduled_maintenances": planned,
            "status": status,
        },
        "status": {"page": page, "status": status},
        "components": {"page": page, "components": components},
        "incidents": {"page": page, "incidents": [*current, *unplanned]},
        "incidents/unresolved": {"page": page, "incidents": current},
        "scheduled-maintenances": {"page": page, "scheduled_maintenances": [*planned, *work]},
        "scheduled-maintenances/upcoming": {
            "page": page,
            "scheduled_maintenances": [one for one in planned if one["status"] == "scheduled"],
        },
        "scheduled-maintenances/active": {"page": page, "scheduled_maintenances": running},
    }


def _page(board: Board) -> dict[str, Any]:
    return {
        "id": board.site.domain,
        "name": board.site.title,
        "url": f"{board.site.base_url}/status",
        "time_zone": "Etc/UTC",
        "updated_at": _at(board.now),
    }


def _component(board: Board, one: Component, place: int) -> dict[str, Any]:
    known = next((n for n, share in enumerate(one.days) if share is not None), len(one.days) - 1)
    begun = board.first_day.toordinal() + known
    return {
        "id": one.id,
        "name": one.name,
        "status": one.status,
        "created_at": f"{datetime.fromordinal(begun):%Y-%m-%d}T00:00:00.000Z",
        "updated_at": _at(board.now),
        "position": place,
        "description": None,
        "showcase": True,
        "start_date": f"{datetime.fromordinal(begun):%Y-%m-%d}",
        "group_id": None,
        "page_id": board.site.domain,
        "group": False,
        "only_show_if_degraded": False,
    }


def _incident(one: Incident, components: dict[str, Any], board: Board) -> dict[str, Any]:
    reached = {update.status: update.at for update in reversed(one.updates)}  # the first of each
    resolved = reached.get("resolved") or reached.get("completed")
    planned = {"scheduled_for": _at(one.begins), "scheduled_until": _at(one.ends)} if one.is_planned else {}
    return {
        "id": one.id,
        "name": one.title,
        "status": one.status,
        "created_at": _at(one.created),
        "updated_at": _at(one.updates[-1].at),
        "monitoring_at": _at(reached.get("monitoring")),
        "resolved_at": _at(resolved),
        "impact": one.impact,
        "shortlink": f"{board.site.base_url}/status#{one.id}",
        "started_at": _at(one.begins or one.created),
        "page_id": board.site.domain,
        "incident_updates": [_update(one, update) for update in reversed(one.updates)],
        "components": [components[part] for part in one.components if part in components],
        **planned,
    }


def _update(one: Incident, update: Update) -> dict[str, Any]:
    at = _at(update.at)
    affected = [
        {"code": part, "name": COMPONENTS[part], "old_status": "operational", "new_status": "operational"}
        for part in one.components
        if part in COMPONENTS
    ]
    return {
        "id": update.id,
        "status": update.status,
        "body": update.says,
        "incident_id": one.id,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": affected or None,
        "deliver_notifications": False,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
