"""Lives of a consent, thousands of them, against the real store: nothing may be fetched or read outside.

model     what the consents allow, written once more in plain Python: the judge
platform  the platform and its connector, in this process; it tells the judge whatever it is asked for
world     a real store, a real engine, the real reader; customers come and go
machine   hypothesis makes up the lives: asked, given, narrowed, paused, resumed, renewed, withdrawn, run out, synced meanwhile, read
run       many of them, in processes side by side
"""
