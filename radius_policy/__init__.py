"""The policy service's core: verdicts, posture, access, enforcement, and the RADIUS server and CoA client that carry them out."""
