"""Is this server fit to run?  Checks by subject; each stands alone, none writes, none needs the server.

words.py has what each finding says and what to do about it; docs/admin/runbook.md is made of the same texts.
"""
