"""GoToSocial's interaction policies, of posts (FEP-044f) and of actors (FEP-7aa9)."""

from typing import Any

from federation.reading import values
from federation.reading.values import JSON

LIMIT = 64  # addresses in one part of a policy

_KINDS = ("canQuote", "canReply", "canLike", "canAnnounce", "canFeature")


def read_policy(doc: JSON) -> JSON | None:
    """{"canQuote": {"automaticApproval": [uri], "manualApproval": [uri]}, …}: two generations of names made one."""
    found = doc.get("interactionPolicy")
    if not isinstance(found, dict):
        return None
    policy: dict[str, Any] = {}
    for name in _KINDS:
        rule = found.get(name)
        if isinstance(rule, dict):
            policy[name] = {
                "automaticApproval": _approved(rule, "automaticApproval", "always"),
                "manualApproval": _approved(rule, "manualApproval", "approvalRequired"),
            }
    return policy or None


def _approved(rule: JSON, field: str, older: str) -> list[str]:
    return list(values.web_uris(rule, field if field in rule else older)[:LIMIT])
