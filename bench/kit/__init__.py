"""What every benchmark is made with.

figures   what was wanted and what was seen      command   the command line's end: bar, table or JSON, exit code
growing   many customers by SQL
show      how far it is                          ground    a store, and customers with connections in it
process   the processes beside this one          speaking  what their connectors have in common
"""
