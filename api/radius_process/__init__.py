"""The RADIUS process: the shell around `radius_policy.radius` and `radius_policy.coa`, with sockets, files and the clock.

It decides nothing. It answers from the snapshot, sends the orders that the API's transactions planned, and books what the
network said. It runs on while the API process or the database is away.
"""
