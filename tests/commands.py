"""`connectme WORDS` in this process: to start another one takes a second, most of it for imports."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from click.testing import CliRunner, Result

from connectme.cli import main
from connectme.demo import Instance


def run(*words: object, **more: Any) -> Result:
    """With its exit_code, stdout and stderr.  Logging is afterwards as it was."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        return CliRunner().invoke(main, [str(word) for word in words], **more)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(False)


class Near(Instance):
    """Its server is a process of its own as ever; commands run here, in a thread: this one may have a loop already."""

    def command(self, *words: str) -> str:
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(run, *words, env=self.environment).result()
        if done.exit_code:
            raise RuntimeError(f"connectme {' '.join(words)}: {done.output}") from done.exception
        return done.stdout.strip()
