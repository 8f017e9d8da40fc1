"""The kit that simulated platforms are made with: personas, their expansion into single records, and the servers."""
