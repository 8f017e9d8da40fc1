"""The mutations, one per file. Each declares the scope it needs, calls one service and answers with success or a named problem."""
