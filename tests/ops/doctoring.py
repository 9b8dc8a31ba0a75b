"""A server to look at: a data folder, its settings, and what the doctor says."""

import asyncio
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

from connectme import schema, waiting
from connectme.settings import Settings
from ops import identity
from ops.doctor import fixing, often, whole
from ops.doctor.case import Case
from tests.people import OURS
from tests.test_house import ROOT


def settings(folder, **more: str) -> Settings:
    named = {"DOMAIN": "ours.test", "BASE_URL": OURS, "DATA_DIR": str(folder), **more}
    environ = {f"CONNECTME_{name}": value for name, value in named.items()}
    return Settings.load(environ={"CONNECTME_CONFIG": "/dev/null", **environ})


class Patient:
    """`ill()` are the findings that are not well, by id."""

    def __init__(self, folder, **more: str) -> None:
        self.folder = folder
        self.settings = settings(folder, **more)
        self.file = self.settings.sqlite_file
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)

    def look(self):
        return asyncio.run(whole.look(self.settings, schema.newest()))

    def ill(self):
        return {one.id: one for one in self.look() if one.severity != "ok"}

    def minute(self):
        return {one.id: one for one in often.look(self.settings, schema.newest()) if one.severity != "ok"}

    def fix(self):
        return asyncio.run(fixing.fix(Case(self.settings, schema.newest(), datetime.now(UTC)), self.look()))

    def refuses(self):
        """Why a server does not start here; empty when it does."""
        try:
            asyncio.run(waiting._fit(self.settings))
        except schema.CannotUse as refusal:
            return str(refusal)
        return ""

    def serves(self):
        """What `connectme serve` says before it ends; it must not serve."""
        words = [sys.executable, "-m", "connectme", "serve"]
        named = {"PATH": os.environ["PATH"], **self.settings.environment(), "CONNECTME_BIND": "127.0.0.1:0"}
        done = subprocess.run(words, env=named, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 1, done.stderr
        return done.stderr


async def claimed(db, folder, origin, keys) -> None:
    """The database is ours, has keys, and the folder knows it."""
    from social import accounts  # noqa: PLC0415

    await db.write(identity.claim, origin)
    await db.write(accounts.create_instance_actor, origin, keys, datetime.now(UTC))
    await identity.remember(db, folder)


def copied(template, file) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(template, file)
