"""``make bench-dispatch``: thousands of connections due in the same second, and a platform that hangs for ever beside one that works."""
