"""Check, compare and trace finished results."""
