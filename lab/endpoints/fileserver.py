"""The file server of the port table: answers every frame with itself. (With network namespaces, the kernel answers pings.)"""

import socket
import sys


def main() -> None:
    """`python -m lab.endpoints.fileserver PORT`: echo datagrams on loopback until ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", int(sys.argv[1])))
        while True:
            data, source = server.recvfrom(2048)
            server.sendto(data, source)


if __name__ == "__main__":
    main()
