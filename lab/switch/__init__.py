"""A software switch: authenticates its ports by MAB, obeys CoA, moves ports between VLANs. Its RADIUS codec is scapy's."""
