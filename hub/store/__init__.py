"""The store: tables derived from facts, the hand-written tables, repositories, and the view compiler (selection -> one SQL statement)."""
