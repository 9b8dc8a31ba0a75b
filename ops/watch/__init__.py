"""The supervisor's own look at the server: it needs neither the database nor the rest of the code, and stays small.

asking   one HTTP request to ourselves         samples  what was seen, in a file of its own
looks    disk, files, processes, /metrics      monitor  all of it, every ten seconds
probes   streams, media, search, as members use them
errands  a short-lived child that says it to others
"""
