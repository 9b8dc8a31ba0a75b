"""Where files are kept, as the settings say."""

from connectme.media.cache import Cache
from connectme.settings import Settings
from federation.client import Client
from store.blobs import Blobs, Folder


def open_store(settings: Settings) -> Blobs:
    return Folder(settings.data_dir / "media")


def open_cache(settings: Settings, client: Client | None = None) -> Cache:
    """client: None, where nothing is fetched."""
    return Cache(settings.data_dir / "cache", client, settings.media_cache_mb << 20, settings.media_cache_days)
