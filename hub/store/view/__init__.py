"""The view compiler: one GraphQL operation, one SQL statement (design, idea 4).

A selection (:mod:`hub.domain.selection`) is compiled against the catalogue, which says of each type of the contract where its columns and
relations are found. Consent, masking, paging and time travel are part of the statement.

catalogue      what a type, a column and a relation are
customers, evaluations, facts   the declarations (facts: derived from :mod:`hub.domain.facts`)
models         what the six models say
lending        loans, warnings about them, hints
profile        what kind of customer, and customers chosen by it
sources        the access block
reference      features and scenarios, whoever the customer
merged         customers that are one
paging         a connection: its page, its count, its sums
watching       the declarations for operators: how fetching goes
clients        the declarations for admins: who may ask
policies       likewise: what is decided by, and drafts with their trials
reference_versions   what the lender knows, with versions, and what an evaluation was made by
disputes       objections, with what they are about
gate           the read gate: consent as conditions
compiler       selection -> statement
binding        arguments -> bound values; cursors and ids
environment    who asks, for whom and what, what time it is
looking        looks once a period for all who watch something
pulse          says when something changed in a sync that is watched live
profiles       says when something of a customer changed: each change once
basis          under which consents it was answered
reader         runs it; the answer waits until the access log has it
"""

from hub.store.view.catalogue import Catalogue
from hub.store.view.clients import CLIENT_TYPES
from hub.store.view.concentration import CONCENTRATION_TYPES
from hub.store.view.customers import CUSTOMER_TYPES
from hub.store.view.disputes import DISPUTE_TYPES
from hub.store.view.environment import ViewSettings
from hub.store.view.evaluations import EVALUATION_TYPES
from hub.store.view.facts import fact_types
from hub.store.view.fairness import FAIRNESS_TYPES
from hub.store.view.lending import LENDING_TYPES
from hub.store.view.policies import POLICY_TYPES
from hub.store.view.portfolios import PORTFOLIO_TYPES
from hub.store.view.products import PRODUCT_TYPES
from hub.store.view.profiles import PROFILE_TYPES
from hub.store.view.pulse import Pulse
from hub.store.view.reader import Reader
from hub.store.view.reference_versions import REFERENCE_VERSION_TYPES
from hub.store.view.watching import WATCHING_TYPES

CATALOGUE: Catalogue = {
    view.name: view
    for view in (
        *CUSTOMER_TYPES,
        *EVALUATION_TYPES,
        *LENDING_TYPES,
        *WATCHING_TYPES,
        *CLIENT_TYPES,
        *POLICY_TYPES,
        *PORTFOLIO_TYPES,
        *PRODUCT_TYPES,
        *PROFILE_TYPES,
        *REFERENCE_VERSION_TYPES,
        *FAIRNESS_TYPES,
        *CONCENTRATION_TYPES,
        *DISPUTE_TYPES,
        *fact_types(),
    )
}
"""Every type of the contract that is read from the store."""

__all__ = ["CATALOGUE", "Pulse", "Reader", "ViewSettings"]
