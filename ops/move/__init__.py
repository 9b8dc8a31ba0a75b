"""From SQLite to PostgreSQL and back: the same rows in the other kind of database.

refused? → tables made → rows copied → indexes and foreign keys → read back and compared → COMMIT
                                 one transaction of the target
"""
