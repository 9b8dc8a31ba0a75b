"""Is what the database says true?  `connectme db check`: in bounded pieces, so that a running server is not held up.

counts.py has the counters, rows.py what points at nothing; each is a unit that looks at a stretch of rows, and one that
repairs it where nothing can be lost.
"""
