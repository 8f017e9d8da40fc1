"""Consent: what is asked (terms), what was given (grants), what may be done with it (gate)."""
