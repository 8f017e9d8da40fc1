"""Consent: what is asked (terms), what was given (grants), how it becomes less (narrowing, clock), what may be done with it (gate)."""
