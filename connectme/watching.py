"""The monitor of ops/watch, with what it must know of the settings, in a thread beside what runs.  Light."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from connectme.schema import newest
from connectme.settings import Settings
from connectme.values import host_of
from ops.doctor import often
from ops.status import Site
from ops.watch.looks import Every
from ops.watch.monitor import Monitor, Process, Watched

OF_FOLDER, OF_BUCKET = 20.0, 60.0  # seconds between two small files; who keeps a bucket may ask money for each


def site_of(settings: Settings) -> Site:
    return Site(settings.title, settings.domain, settings.base_url, settings.status_dir)


def watched(settings: Settings) -> Watched:
    sender = settings.smtp_from or f"{settings.title} <no-reply@{host_of(settings.domain)}>"
    return Watched(
        bind=settings.bind,
        data_dir=settings.data_dir,
        database=settings.sqlite_file,
        title=settings.title,
        domain=settings.domain,
        base_url=settings.base_url,
        ca_file=str(settings.ca_file or ""),
        webhook=settings.alert_webhook_url,
        ntfy=settings.alert_ntfy_url,
        email={
            "url": settings.smtp_url,
            "sender": sender,
            "to": list(settings.alert_email),
            "domain": host_of(settings.domain),
        }
        if settings.alert_email
        else None,
        deadman=settings.deadman_url,
        smtp=settings.smtp_url if settings.outgoing else "",
        status_dir=settings.status_dir,
        every=float(settings.watch_every),
        serves=settings.web_processes > 0,
        media_every=OF_BUCKET if settings.bucket else OF_FOLDER,
        by_itself=Every(
            timedelta(hours=settings.backup_every_hours),
            timedelta(days=settings.drill_every_days),
            timedelta(days=settings.check_every_days),
        ),
    )


@contextmanager
def watching(settings: Settings, processes: Callable[[], Sequence[tuple[str, int | None, int]]]) -> Iterator[None]:
    """Watches until the block ends.  processes: name, id and restarts of each."""
    stop = threading.Event()
    code = newest()  # of this process, whatever is installed meanwhile
    monitor = Monitor(
        watched(settings),
        lambda: [Process(*one) for one in processes()],
        examine=lambda now: often.look_and_keep(settings, code, now),
    )
    thread = threading.Thread(target=monitor.run, args=[stop], name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2.0)
