"""What runs on the lab's endpoints, and what watches them: the ping loop, new programs, a tap on the cable."""
