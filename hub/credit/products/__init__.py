"""The product catalogue (产品库): what the lender offers, loans and what goes with them, and what others offer that can be compared. Pure.

catalogue   the documents as values, and the one that comes with this version of the hub
checking    what a catalogue may say: every fault with its place, what is wrong, and the remedy
matching    which products fit a customer, by which criterion, and how others' differ from what is offered

A catalogue is a reference document: ``products`` the lender's own, ``peer_products`` those of others. Nothing is decided by it.
"""
