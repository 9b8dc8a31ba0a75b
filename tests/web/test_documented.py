"""What Mastodon's documentation says of entities and parameters, held against what our routes declare.

docs/mastodon-entities.tsv and docs/mastodon-parameters.tsv have its facts; what we lack on purpose is named here.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from web.api import routes as api
from web.api import shapes
from web.api.spec import SPECS

DOCS = Path(__file__).parents[2] / "docs"
# Where our name is another than `Admin::Account` without its colons.
NAMES = {
    "Account::Field": "AccountField",
    "Admin::Dimension::Data": "AdminDimensionData",
    "CredentialApplication": "ApplicationWithSecret",
    "Poll::Option": "PollOption",
    "Role": "CredentialAccountRole",
    "ShallowTag": "StatusTag",
    "Status::Mention": "StatusMention",
    "Status::Tag": "StatusTag",
    "V1::Instance": "InstanceV1",
    "V1::NotificationPolicy": "NotificationPolicyV1",
}
# Parts of others, or of what is not here: no year is told of, nothing is translated, nobody appeals.
NO_SHAPE = {
    "Announcement::Account", "Announcement::Status", "AnnualReport", "Appeal", "InstanceIcon", "Translation",
    "Translation::Attachment", "Translation::Poll", "Translation::Poll::Option", "WrappedAnnualReports",
}  # fmt: skip
NO_ATTRIBUTE = {
    ("Admin::Account", "invited_by_account_id"),  # nobody invites
    ("Admin::Measure", "human_value"),  # of files of other servers alone, which are not counted
    ("Status", "text"),  # of a DeletedStatus
}
NOT_ALWAYS = {
    ("Application", "vapid_key"),  # of the answer that makes one: it is deprecated
    ("CustomEmoji", "category"),  # as Mastodon has it
}
NO_PARAMETER = {
    ("POST", "/api/v1/accounts", "date_of_birth"),  # no age is asked for
    ("POST", "/api/v1/admin/accounts/{}/action", "warning_preset_id"),  # there are no presets
    ("POST", "/api/v1/admin/measures", "instance_media_attachments"),
    ("POST", "/api/v1/statuses/{}/translate", "lang"),
}


def rows(name: str) -> Iterator[list[str]]:
    for line in (DOCS / name).read_text().splitlines():
        if not line.startswith("#"):
            yield [*line.split("\t"), ""]


def inner(hint: Any) -> Any:
    """The TypedDict within a hint, if there is one."""
    if is_typeddict(hint):
        return hint
    return next((found for part in get_args(hint) if (found := inner(part))), None)


def lacks(shape: Any, path: str) -> bool:
    """Whatever is within a bare `dict` is not looked into."""
    for name in path.split("."):
        hints = get_type_hints(shape, include_extras=True)
        if name not in hints:
            return True
        shape = inner(hints[name])
        if shape is None:
            return False
    return False


def may_lack(shape: Any, path: str) -> bool:
    return get_origin(get_type_hints(shape, include_extras=True).get(path)) is NotRequired


def test_entities_have_all_that_the_documentation_says():
    no_shape, no_attribute, not_always = set(), set(), set()
    for entity, path, marks, *_ in rows("mastodon-entities.tsv"):
        shape = getattr(shapes, NAMES.get(entity, entity.replace(":", "")), None)
        if shape is None:
            no_shape.add(entity)
        elif lacks(shape, path):
            no_attribute.add((entity, path))
        elif "optional" not in marks and may_lack(shape, path):
            not_always.add((entity, path))
    assert (no_shape, no_attribute, not_always) == (NO_SHAPE, NO_ATTRIBUTE, NOT_ALWAYS)


def test_routes_take_all_that_the_documentation_says():
    there = {(one.method, re.sub(r"\{[^}]*\}", "{}", one.path)): SPECS[one.handler] for one in api.defined()}
    missing = set()
    for method, path, kind, parameter, *_ in rows("mastodon-parameters.tsv"):
        place, name = (method, re.sub(r":\w+", "{}", path)), parameter.split(".")[0]
        if place in there:
            spec = there[place]
            if name not in (spec.query if kind == "query" else spec.body):
                missing.add((*place, name))
    assert missing == NO_PARAMETER
