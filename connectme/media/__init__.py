"""Pictures, films and sounds: made safe, small and known before anybody sees them.

What comes from outside is decoded in processes of its own (child.py, limits.py), which may fail without harm.
"""
