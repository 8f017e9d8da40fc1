"""From an operation to its selection: the part of idea 4 that knows GraphQL (the other part, ``hub.store.view``, knows PostgreSQL).

documents    parse, measure, validate; remembered by the text of the document
limits       the demand control of one memoised measuring pass
prices       how many rows lists and counts have, usually and at most
cost         what an operation costs under its variables, and how many rows it may read
selecting    operation -> selection tree with slots for its arguments
rules        which scope each coordinate of the contract needs
extension    hangs all of it into Strawberry: a stored read is answered by the plan instead of resolvers
"""
