"""The feeds of hashtags, read from the index of tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, Text, bindparam, exists, func, literal, or_, select

from social import views
from social.pages import Page
from social.paging import Paged, padded
from social.views import PostView
from social.visibility import heard, visible, wanted
from store.tables import media, post_tags, posts

MORE: Final = 4  # hashtags in each of `any`, `all` and `none`, as on Mastodon

_also = post_tags.alias("also_tagged")
_TAG = bindparam("tag", type_=Text)
_ALL: BindParameter[list[str]] = bindparam("all", expanding=True)
_NONE: BindParameter[list[str]] = bindparam("none", expanding=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which public posts: with `name` or one of `any`, with all of `all` and none of `none`.  Names are normalised."""

    name: str
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    local_only: bool = False
    remote_only: bool = False
    only_media: bool = False


def _flag(name: str) -> ColumnElement[bool]:
    return bindparam(name) == literal(1)  # a number: no engine needs to guess its type


_TAGGED = (
    select(post_tags.c.post_id)
    .join(posts, posts.c.id == post_tags.c.post_id)
    .where(
        post_tags.c.name == _TAG,
        posts.c.visibility == "public",
        or_(~_flag("local"), posts.c.local),
        or_(~_flag("remote"), ~posts.c.local),
        or_(~_flag("media"), exists().where(media.c.post_id == posts.c.id)),
        visible(),
        wanted(),
        heard(posts.c.author_id),
    )
)
_how_many = (
    select(func.count()).where(_also.c.post_id == posts.c.id, _also.c.name.in_(_ALL)).correlate(posts).scalar_subquery()
)
_PAGE = Paged(_TAGGED, post_tags.c.post_id)
_NARROW = Paged(
    _TAGGED.where(
        _how_many == bindparam("needed"),
        ~exists().where(_also.c.post_id == posts.c.id, _also.c.name.in_(_NONE)),
    ),
    post_tags.c.post_id,
)


def page(tx: Connection, viewer_id: int | None, asked: Asked, page: Page) -> list[PostView]:
    """Public posts, comments among them, newest first; a query for each name of which one is enough."""
    names = dict.fromkeys((asked.name, *asked.any[:MORE]))
    found = {post_id for name in names for post_id in _ids(tx, viewer_id, name, asked, page)}
    nearest = sorted(found, reverse=page.min_id is None)[: page.limit]
    return views.posts(tx, sorted(nearest, reverse=True), viewer_id)


def _ids(tx: Connection, viewer_id: int | None, name: str, asked: Asked, page: Page) -> Sequence[int]:
    values: dict[str, Any] = {
        "viewer": viewer_id,
        "tag": name,
        "local": int(asked.local_only),
        "remote": int(asked.remote_only),
        "media": int(asked.only_media),
    }
    needed = list(dict.fromkeys(asked.all[:MORE]))
    if not needed and not asked.none:
        return _PAGE(tx, page, **values)
    narrow = {"all": padded(needed), "needed": len(needed), "none": padded(asked.none[:MORE])}
    return _NARROW(tx, page, **values, **narrow)
