"""``make tokens``: fifty workers refresh the same grants at the same moments, and workers are ended with kill -9 between a platform's rotation and the hub's commit.

The platform rotates refresh tokens and revokes the whole family when one is used twice, so that every mistake costs a grant. The workers are asyncio tasks spread over
processes, each process with a pool of database connections of its own; the kills are kill -9 of processes. What is counted is counted by the platform.
"""
