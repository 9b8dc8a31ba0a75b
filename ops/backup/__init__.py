"""Backups: made while the server runs, and worth what was proved of them.

a backup = a folder (or a prefix of a bucket) of parts, and manifest.json, which is written last
create → E1 written · verify → E2 read back · E3 restored · E4 booted · restore → a new folder · swap → in its place
"""
