"""Changing the database: plan, rehearse, upgrade, roll back, move, and a clone to try things.

All of it blocks: call it from a command, a thread or a process of its own.
"""
