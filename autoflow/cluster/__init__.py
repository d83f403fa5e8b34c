"""Runs carried out on the machines of a Ray cluster.

wire        what crosses between machines: JSON texts, checked on arrival; errors cross as data and arrive as ours
placing     how many carriers a node has room for
sharing     which runs are to do, which are under way, and what becomes of those that were lost
carrier     the process on a node that opens suite, tools and model once and carries out runs
ray_cluster what is asked of Ray; the only file that imports it
evaluator   the evaluator over carriers
opening     a cluster for the runs of one study or one command
"""
