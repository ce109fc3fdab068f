"""What others ask about endpoints and about the service itself."""
