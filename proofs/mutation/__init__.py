"""Is the ledger really tested? Break its kernels a thousand ways and count how often a test notices.

``python -m proofs.mutation`` makes one small change at a time to the kernels of a forked process (never to
the source tree), runs the ledger's tests that execute it as plain Python, the quickest first, and prints
the share of changes that some test noticed, with those that none did. Ready-made tools skip decorated
functions, and a kernel is a decorated function.
"""
