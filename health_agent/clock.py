"""What must be added to this endpoint's clock to get the service's.

Guarantees: an answer changes the offset only by what its exchange can tell (half its round trip is doubt), so that a slow
answer never spoils a good one. One thread learns, any may read.
"""


class ServiceClock:
    """`offset_us` is what the agent believes; 0 until it learned better."""

    def __init__(self, offset_us: int = 0) -> None:
        self.offset_us = offset_us

    def learn(self, sent_us: int, received_us: int, service_us: int) -> bool:
        """Take the service's clock, as it was between our sending and receiving; whether that changed the offset."""
        doubt = max(received_us - sent_us, 0) // 2
        offset = service_us - (sent_us + doubt)
        if abs(offset - self.offset_us) <= doubt:
            return False
        self.offset_us = offset
        return True
