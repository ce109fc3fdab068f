"""What admins do: one function per deed, shared by the REST API, the console and the command line."""
