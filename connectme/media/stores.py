"""Where files are kept, as the settings say."""

from connectme.settings import Settings
from store.blobs import Blobs, Folder


def open_store(settings: Settings) -> Blobs:
    return Folder(settings.data_dir / "media")
