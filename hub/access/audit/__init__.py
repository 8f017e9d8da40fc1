"""The access log and the audit chain: what was read and what was changed, so that nobody can take it back unseen (trust rules, section i).

chain     what links one row to the one before it
log       the group committer: access-log rows are durable before the answers leave
events    ``audited``: what an operator changed, with old and new values
heads     the last row of every chain, read and signed
publish   signed heads leave the database: a file, or whatever implements the port
rows      the rows of a chain as they are stored
verify    every chain against itself and against what was published
diagnose  what is wrong with the first row that does not hold
trim      old rows leave from the beginning, and the rest still holds
reads     who read what, for the person concerned
"""

from hub.access.audit.chain import ChainKeys
from hub.access.audit.events import audited
from hub.access.audit.log import AccessLog
from hub.access.audit.reads import reads_of
from hub.access.audit.trim import trim, trim_old

__all__ = ["AccessLog", "ChainKeys", "audited", "reads_of", "trim", "trim_old"]
