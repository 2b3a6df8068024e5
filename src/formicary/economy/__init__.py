"""Worlds that ask the factory for things: real data sets turned into requests, and small invented ones.

A customer like any other: nothing here decides or books, it only says what is wanted and when.
"""
