"""Comments as a tree, cut where it becomes too deep or too long for one page.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from social.views import PostView

DEPTH: Final = 6  # on a narrow screen, more is a column of single letters


@dataclass(slots=True)
class Comment:
    """`hidden`: how many comments below are deeper than this page goes; `lost`: what it answers is on another page."""

    view: PostView
    depth: int
    answers: list["Comment"] = field(default_factory=list)
    hidden: int = 0
    lost: bool = False

    @property
    def size(self) -> int:
        """All comments below, those that are not shown included."""
        return self.hidden + sum(1 + answer.size for answer in self.answers)


def grow(root_id: int, found: Sequence[PostView], depth: int = DEPTH) -> list[Comment]:
    """The answers to `root_id`, with theirs.

    found: in the order of social.posts.threads: each after what it answers.
    """
    top: list[Comment] = []
    shown_at: dict[int, Comment] = {}  # the comment itself, or the one below which it is hidden
    for view in found:
        post = view.parts.post
        parent = None if post.reply_to_id is None else shown_at.get(post.reply_to_id)
        if parent is None:
            comment = Comment(view, 1, lost=post.reply_to_id != root_id)
            top.append(comment)
        elif parent.depth >= depth:
            parent.hidden += 1
            shown_at[post.id] = parent
            continue
        else:
            comment = Comment(view, parent.depth + 1)
            parent.answers.append(comment)
        shown_at[post.id] = comment
    return top
