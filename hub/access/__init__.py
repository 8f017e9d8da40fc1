"""The partners' OAuth 2.0 server and the guard of the API (trust rules, section b).

jose       opening signed tokens strictly; the only place that touches joserfc for foreign tokens
clients    who may ask: registration, keys, scopes by audience
client_life  what is done to a client afterwards: changes, keys, its end and its return
keys       the hub's own signing keys, sealed at rest, rotated
replay     identifiers that are used once: assertions, proofs, revoked tokens
nonces     DPoP nonces: an HMAC of the five-minute slot, nothing stored
assertions a client proves itself (RFC 7523)
proofs     a client proves its key with each request (RFC 9449)
tokens     access tokens: made, opened (RFC 9068)
server     /oauth/* and the metadata (RFC 6749, 7009, 7662, 8414, 9728)
forms, refusals   how they read a request, and how they refuse one
guard      request -> Caller
meter      what a client's operations may cost in one minute, over all processes
documents  which documents a client may ask by their digest
challenges what a refused request is told (RFC 6750, 9449)
idempotency  one key, one effect
caller     the client's side, as a partner's app would write it
"""
