"""The engine: claims a connection, plans windows, fetches pages, commits them whole, and says by arithmetic how it ended.

engine    one run of one connection         claim     who may write (epoch, lease)
plan      which windows are to be read      reader    one window, page by page
calls     sign, send, wait, repeat          grants    refresh tokens, exactly one exchange
quota     what a platform allows (ledger)    desk      where calls queue for it
breaker   a platform that does not work is left alone
evidence  what is kept of an answer       linking   authorisation, for the link pages
journal   what went wrong on the way      remedies  what a fault means for a request
hints     what a platform pushes: due now, days read again
dispatch  wakes workers; reconciler       received  records that a partner app sends by itself
"""
