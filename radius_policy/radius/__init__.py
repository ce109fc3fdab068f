"""RADIUS: our own codec for the hot path, the server's sans-IO core, and what they need to know of attributes."""
