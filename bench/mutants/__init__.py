"""How many small changes of the code that guards tokens, consents, leases, masks and keys the tests notice (mutation testing, with mutmut).

What is changed stands in pyproject.toml under ``tool.mutmut``. A change that no test notices survives; the wording of what a person is told is not changed.
"""
