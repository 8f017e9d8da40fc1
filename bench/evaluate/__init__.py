"""How fast customers are evaluated anew: one core, a portfolio on several, and beside DuckDB over the same tables.

settings   what a run is asked for, and the targets      growing   the store of a run, made by SQL
ours       a process that evaluates a share of it        peer      DuckDB, in an environment of its own
run        the contest, and what is compared             cpu       what a part costs, with the database's share
"""
