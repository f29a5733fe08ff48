"""What stands beside Ringfence in a scorecard: what people do without it.

=====================  =====================================================================
``shared_identifiers``  connected components over shared cards, devices and addresses
``leiden``              modularity communities of the same graph
``co_action``           same content within a minute, repeatedly (CooRTweet)
``synchronous``         same addresses in the same hours (SynchroTrap)
``tree_own``            boosted trees on each account's own columns
``tree_neighbours``     the same with the columns of who shares an entity (XGBGraph)
=====================  =====================================================================

The first two come twice: at the usual setting of tutorials, and at the best one from tuning worlds.
"""
