"""The published judges of fashion images: known networks whose weights a user brings."""
