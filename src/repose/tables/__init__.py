"""Tables over datasets, methods and protocols."""
