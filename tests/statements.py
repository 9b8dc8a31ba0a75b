"""Statements, compiled once for each run of the tests: each opens databases of its own, and compiling takes long."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Dialect, Engine

_KEPT: dict[str, tuple[Dialect, dict[Any, Any]]] = {}


def keep_compiled(patch: pytest.MonkeyPatch) -> None:
    """Whatever the server opens speaks the dialect of the first database of its kind, and knows what that one knew."""
    from store import postgresql, sqlite  # noqa: PLC0415

    patch.setattr(sqlite, "create_engine", _keeping(sqlite.create_engine))
    patch.setattr(postgresql, "create_async_engine", _keeping(postgresql.create_async_engine))


def _keeping(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_and_share(*what: Any, **more: Any) -> Any:
        made = create(*what, **more)
        _share(getattr(made, "sync_engine", made))
        return made

    return create_and_share


def _share(engine: Engine) -> None:
    known = _KEPT.get(engine.name)
    if known is None or known[0].server_version_info is None:  # it has not talked with its database yet
        _KEPT[engine.name] = engine.dialect, {}
        known = _KEPT[engine.name]
    engine.dialect, engine._compiled_cache = known
