"""How much of a conversation is here: a field of ours beside those of Context."""

from social.completeness import Completeness
from web.api import shapes
from web.api.entities.account import moment


def completeness(state: Completeness) -> shapes.Completeness:
    return {
        "known": state.known,
        "expected": state.said,
        "asked_at": moment(state.asked_at),
        "running": state.running,
        "silent_hosts": list(state.silent),
    }
