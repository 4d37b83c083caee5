"""Open bodies, animals and rendered people, made from a seed."""
