"""People, groups and bots, ours and remote: finding, making, remembering, changing, and letting go of them."""

from social.accounts.create import NewAccount, check_username, create_instance_actor, create_local
from social.accounts.find import (
    by_handle,
    by_id,
    by_ids,
    by_uri,
    find_by_handle,
    find_by_uri,
    hold,
    keys_of,
    local,
    normalise_handle,
)
from social.accounts.leave import delete_local, forget, suspend, unsuspend
from social.accounts.profile import ProfileChanges, set_aliases, update_profile
from social.accounts.remember import Around, Newcomer, add, remember

__all__ = [
    "Around",
    "NewAccount",
    "Newcomer",
    "ProfileChanges",
    "add",
    "by_handle",
    "by_id",
    "by_ids",
    "by_uri",
    "check_username",
    "create_instance_actor",
    "create_local",
    "delete_local",
    "find_by_handle",
    "find_by_uri",
    "forget",
    "hold",
    "keys_of",
    "local",
    "normalise_handle",
    "remember",
    "set_aliases",
    "suspend",
    "unsuspend",
    "update_profile",
]
