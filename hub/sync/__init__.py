"""The engine: claims a connection, plans windows, fetches pages, commits them whole, and says by arithmetic how it ended.

One run
engine    one run of one connection              claim     who may write (epoch, lease), when it is due again
plan      which windows are to be read           scope     what was asked, as a hash on the window
reader    one window, page by page               writing   the last page is committed while the next is fetched
evidence  what is kept of an answer              passes    whether a list stood still while it was read; what is gone
remedies  what a fault means for a request       journal   what went wrong on the way
shapes    what records look like; drift          context   what a connector may know

Calls
calls     sign, send, wait                       desk      where calls queue for the ledger
quota     what a platform allows (ledger)        breaker   a platform that does not work is left alone

Grants
grants    exactly one exchange                   credentials  the row: lock, clock and memory
keeping   looks after grants, synced or not      revoking  ends connections, tells their platforms
linking   authorisation, for the link pages

Work
dispatch  wakes workers; the reconciler          compartments  each platform has its own
halting   told to stop: pages in hand are kept   settings  how patient all this is
hints     what a platform pushes                 received  records that a partner app sends by itself

Again
replay    reads the kept pages with today's connectors    replays  its own record and filters
fold      what comes of all pages of a key       kept      opens kept pages
mending   records in quarantine, read again      backfill  a past range, asked again
aside     holds a connection beside its runs       resuming  an operator lets a parked platform be asked again
"""
