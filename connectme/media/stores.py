"""Where files are kept, as the settings say."""

from collections.abc import Callable

from connectme.errors import Failure
from connectme.media.cache import LARGEST, Cache, everything
from connectme.settings import Settings
from federation.client import Client
from store.blobs import Blobs, Folder
from store.bucket import Bucket, Place


def open_store(settings: Settings) -> Blobs:
    """Raises: Failure, for a bucket without what reads it."""
    bucket = settings.bucket
    if bucket is None:
        return Folder(settings.data_dir / "media")
    place = Place(
        *bucket,
        settings.s3_endpoint,
        settings.s3_region,
        settings.s3_access_key_id,
        settings.s3_secret_access_key,
    )
    try:
        return Bucket(place)
    except ImportError as error:
        raise Failure("media_store is a bucket, and obstore is not installed: pip install 'connectme[s3]'") from error


def open_cache(settings: Settings, client: Client | None = None, shows: Callable[[str], bool] = everything) -> Cache:
    """client: None, where nothing is fetched."""
    folder, limit, reserve = settings.data_dir / "cache", settings.media_cache_mb << 20, settings.disk_reserve_mb << 20
    return Cache(folder, client, limit, settings.media_cache_days, shows, reserve and reserve + LARGEST)
