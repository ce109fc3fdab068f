"""What agents send: enrolment, reports of executions, heartbeats and inventories.

Refused evidence changes nobody's posture: it is counted, told and answered with its reason.
"""
