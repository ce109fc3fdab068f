"""The documentation, and the programs that make its reference (`docs.generate`) and its pictures (`docs.pictures`)."""
