"""Pages for those who run or moderate this server; those of staff.py and health.py are older and belong to them."""

from web.pages.admin import accounts, lists, overview, servers

FILES = (overview, accounts, servers, lists)
