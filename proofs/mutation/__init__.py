"""Is the ledger really tested? Break its kernels a thousand ways and count how often a test notices.

``python -m proofs.mutation`` makes one small change at a time to a copy of the package (never to
the source tree), runs a fast part of the ledger's tests against it as plain Python, and prints the
share of changes that some test noticed, with those that none did. Ready-made tools skip decorated
functions, and a kernel is a decorated function.
"""
