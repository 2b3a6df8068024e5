"""What is done every night over a whole base of parties, part by part, between everybody else's requests.

::

    parties ─▶ features ─▶ champion ─▶ limit and price ─▶ what own funds and cash carry ─▶ standing offers
"""
