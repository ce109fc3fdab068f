"""Why a file is there: which installed package owns it, and whether it is still what the package brought."""
