"""``hub connectors check``: is this connector fit to be trusted with a customer's data?

The connector's simulated platform runs as a real HTTP server on loopback and serves a persona that has a record of every kind. The connector is driven as
the sync engine would drive it, without a database, and every answer it gives is held against what it promised.

``trial`` the platform, the customer and the engine's part; ``reading`` every stream to its end; then the checks: ``papers`` manifest and documents,
``authorising`` consent and tokens, ``planning`` windows and cursors, ``reading_checks`` and ``facts`` what came, ``books`` whether its money is the
persona's, ``signing`` what the platform notices, ``pushing`` what it tells by itself, ``failing`` bad answers. :data:`CHECKS` names them all.
"""

from hub.cli.certify.run import CHECKS, Line, certify
from hub.cli.certify.trial import Candidate

__all__ = ["CHECKS", "Candidate", "Line", "certify"]
