"""Who asks, and what they may do: passwords, console logins, API tokens and roles."""
