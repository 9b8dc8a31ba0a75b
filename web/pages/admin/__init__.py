"""Pages for those who run or moderate this server; those of staff.py and health.py are older and belong to them."""

from web.pages.admin import (
    accounts,
    announcing,
    emoji,
    hashtags,
    lists,
    log,
    overview,
    servers,
    signups,
    trending,
    words,
)

FILES = (overview, accounts, signups, servers, lists, words, announcing, emoji, hashtags, trending, log)
