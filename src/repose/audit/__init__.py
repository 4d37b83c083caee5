"""Reading results back: is it true, what differs, how to publish it."""
