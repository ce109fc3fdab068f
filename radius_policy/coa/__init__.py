"""Change of authorization (RFC 5176): the client's sans-IO core and its sockets."""
