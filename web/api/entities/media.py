"""MediaAttachment: https://docs.joinmastodon.org/entities/MediaAttachment/"""

from typing import Any

from federation.origin import Origin
from store.tables import Media
from web.api import shapes


def media_attachment(it: Media, origin: Origin) -> shapes.MediaAttachment:
    """Files of other servers are shown through our proxy; `remote_url` is where they are."""
    ours = it.account_id is not None
    preview = it.preview_url or (it.url if it.kind == "image" else None)
    return {
        "id": str(it.id),
        "type": it.kind,
        "url": origin.proxied(it.url) if it.url else None,
        "preview_url": origin.proxied(preview) if preview else None,
        "remote_url": None if ours else it.url,
        "preview_remote_url": None if ours else it.preview_url,
        "text_url": None,
        "meta": _meta(it),
        "description": it.description or None,
        "blurhash": it.blurhash,
    }


def _meta(it: Media) -> dict[str, Any]:
    """Sizes, with which clients leave room before the picture is there; and how long a film or sound is."""
    meta: dict[str, Any] = {}
    if it.duration is not None:
        meta["length"] = _clock(it.duration)
        meta["duration"] = it.duration
    if original := _size(it.width, it.height):
        if it.duration is not None:
            meta |= original
            if it.frame_rate:
                meta["fps"] = round(it.frame_rate)
        meta["original"] = original
    if it.duration is not None:
        meta["original"] = {"duration": it.duration, "bitrate": it.bitrate, **meta.get("original", {})}
        if it.frame_rate:
            meta["original"]["frame_rate"] = f"{round(it.frame_rate * 1000)}/1000"
    if small := _size(it.preview_width, it.preview_height):
        meta["small"] = small
    if it.focus_x is not None and it.focus_y is not None:
        meta["focus"] = {"x": it.focus_x, "y": it.focus_y}
    return meta


def _size(width: int | None, height: int | None) -> dict[str, Any] | None:
    if not width or not height:
        return None
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


def _clock(seconds: float) -> str:
    """
    >>> _clock(88.654)
    '0:01:28.65'
    """
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02}:{rest:05.2f}"
