"""The core: what is known of a customer, by which consent, and what follows from it. No GraphQL, no vendor names."""
