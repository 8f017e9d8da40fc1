"""Consent: what is asked (terms), what was given (grants), to whom it may be handed (handing), how it becomes less (narrowing, clock), what may be done with it (gate)."""
