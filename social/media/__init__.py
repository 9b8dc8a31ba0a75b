"""Files that people of ours upload: theirs until a post has them, then the post's."""

from social.media.attaching import FREE, GONE, MOST, attach, hold, orphan, release

__all__ = ["FREE", "GONE", "MOST", "attach", "hold", "orphan", "release"]
