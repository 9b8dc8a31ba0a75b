"""What is being answered here, known to all layers: web/request_id.py sets it, connectme/logging.py tells it."""

from contextvars import ContextVar

#: The id of the request; empty elsewhere.
REQUEST: ContextVar[str] = ContextVar("request", default="")
