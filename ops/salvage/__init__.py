"""What a damaged SQLite file still has, into the database that was restored from a backup: `connectme db salvage`.

pages (the file, and the log beside it) → trees (rows out of pages) → reading (which rows of which table, into a scratch
file) → merging (one transaction of the restored database).  SQLite itself is never asked to read the damaged file: it
gives up at the first page that it cannot believe.
"""
