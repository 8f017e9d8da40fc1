"""The types of the contract, one per file. The kinds of fact are derived from their declarations (:mod:`schema.types.facts`)."""
