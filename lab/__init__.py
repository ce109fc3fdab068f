"""A small site to see the product work: a software switch, endpoints, a fleet simulator and the stories that run on them."""
