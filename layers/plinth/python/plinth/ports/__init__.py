"""What Plinth needs from the outside, said in its own words; adapters say how.

Every method raises only errors of `plinth.errors`. Everything tenant-bound takes a `Tenant` or a `Run`, never a string.
"""
