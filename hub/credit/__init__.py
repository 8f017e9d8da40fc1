"""What follows from the facts: series, features, cross-validation, score, scenarios. Policies are dated documents, not code."""
