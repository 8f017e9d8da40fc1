"""`make bench-ingest`: how fast the engine ingests, side by side with two peers on the same loopback platform and the same PostgreSQL.

``api`` serves orders, in a process of its own. Three contestants read them all, in turn, round after round, each in a fresh process: ``ours``
(the real engine: claim, plan, fetch gate, quota ledger, sealed raw page, facts with lineage and versions, checkpoint), ``with_dlt`` (dlt's rest_api source merged by
primary key, in an environment of its own) and ``bare`` (httpx, orjson, COPY, a commit per page; nothing kept but the rows).
"""
