"""What people do not want to read.

keeping.py   filters as their owner makes, changes and removes them
loading.py   those of one reader, or of many
matching.py  which of them a post meets: a pure function of its words
"""
