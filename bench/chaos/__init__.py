"""``make chaos``: the real engine under kill -9, frozen workers and a database that stops, against a platform that misbehaves (trust rules, tests T30, T31, T32, T34).

``truth`` says what the platform serves, ``platform`` serves it badly, ``connector`` speaks to it, ``worker`` is the hub's worker process, ``fleet`` keeps two of them
running, ``world`` is the store, ``phases`` disturb, ``auditor`` compares the store with the truth, ``report`` prints the figures. ``sabotage`` breaks a guard on
purpose: then the auditor must find it.
"""
