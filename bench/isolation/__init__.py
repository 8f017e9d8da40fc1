"""``make isolation``: two partners with different customers through a pooler in transaction mode, 100,000 requests, three in ten cancelled at random moments.

Reads go by the real Reader, mutations by the real services, both under the role hub_app, 32 at a time over a handful of server connections that pgbouncer hands from one
transaction to the next. What an answer may hold is known beforehand: each partner's sessions carry its name. Beside it a probe asks again and again, in a transaction that
says nobody, whether somebody's setting is still there; and the superuser looks whether a transaction was left open.

settings   what is asked          world    the store and its two partners       attack   the requests, the cancelling, what is counted
pooler     pgbouncer              watch    the probe and the superuser's look   sabotage a plain SET in place of the transaction's own settings
"""
