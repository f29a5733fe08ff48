"""From rings to actions: casebook, audit log, policy, outbox and sinks.

People are banned on what this stage sends: nothing is lost, nothing is applied twice, every line has a reason
and a way back. Whatever belongs together (a verdict, the orders that follow, what is to be sent, the audit
entries) is written in one transaction of one SQLite file.
"""
