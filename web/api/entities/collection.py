"""Collection: https://docs.joinmastodon.org/entities/Collection/"""

from collections.abc import Sequence

from federation.origin import Origin
from social.collections.views import CollectionView
from social.known import Known
from social.text import normalise_tag
from store.tables import CollectionItem
from web.api import shapes
from web.api.entities.account import known, moment


def collection(view: CollectionView, origin: Origin) -> shapes.Collection:
    it = view.collection
    return {
        "id": str(it.id),
        "account_id": str(it.account_id),
        "uri": it.uri,
        "url": it.url,
        "name": it.name,
        "description": it.description,
        "language": it.language,
        "local": it.local,
        "sensitive": it.sensitive,
        "discoverable": it.discoverable,
        "tag": {"name": it.tag, "url": origin.tag(normalise_tag(it.tag))} if it.tag else None,
        "item_count": len(view.items),
        "items": [item(one) for one in view.items],
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def item(it: CollectionItem) -> shapes.CollectionItem:
    """CollectionItem: https://docs.joinmastodon.org/entities/CollectionItem/"""
    return {
        "id": str(it.id),
        "account_id": str(it.account_id),
        "state": it.state,
        "created_at": moment(it.created_at),
    }


def with_accounts(view: CollectionView, people: Sequence[Known], origin: Origin) -> shapes.CollectionWithAccounts:
    """CollectionWithAccounts: https://docs.joinmastodon.org/entities/CollectionWithAccounts/"""
    return {"accounts": [known(one, origin) for one in people], "collection": collection(view, origin)}
