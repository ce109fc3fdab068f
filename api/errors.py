"""What an admin's deed may be refused for: sentences for people, the same on the command line, in REST and console."""


class Refused(Exception):
    """The deed does not make sense as asked; the message says what is wrong and what to do."""


class NotFound(Refused):
    """What was named does not exist."""


class Conflict(Refused):
    """It does not fit what is there already."""
