"""Webhooks in: what platforms push (trust rules, section k).

endpoint  ``POST /webhooks/{connector}``: bounds, the raw body, the connector's verifier, the platform's receipt
inbound   one transaction: the event is kept once, the connections it is about become due

A push is a hint to fetch. Nothing of its body becomes a fact, nothing of it is kept but keyed hashes and the days it named.
"""
