"""Hostile callers of the API: whatever is sent, the answer is documented and never an error of the server."""
