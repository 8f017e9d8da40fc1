"""``make canary``: made persons go the demo's whole way, everything that went wrong is provoked as well; then 10,000 names, numbers, tokens and secrets are looked for.

Whatever the hub hashes or seals as personal or secret is a canary by that: it is noted as it passes, and so is what browsers and clients send as credentials. Looked for
in several encodings, in everything the hub leaves behind: the dump, the data directory with its WAL and the server's log, the hub's own log, answers with errors in them,
temporary files and the home. Key material is where keys are; what stands in plain text by intention is listed in :data:`bench.canary.allowed.PLAIN`, with its reason.

settings   what is asked            personas  made persons and their shops       walk     the way, in a process of its own
noting     what is a canary         provoke   bad input and bad platforms        search   encodings, places, hits
allowed    what is plain, and why   run       all of it, and the figures
"""
