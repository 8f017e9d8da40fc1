"""Scenario credit enhancement (场景增信): one engine, a dated policy per scenario.

inputs       named inputs of expressions that are no features     gate     are the required sources usable
eligibility  hard exclusions and rules: PASS, FAIL, UNKNOWN       limit    legs, uplifts, caps, price, term
reasons      codes, their order, and what the customer sees
"""
