"""The book as a whole: vintages, roll rates, default curves, yield, cost of risk, return on capital.

Pure functions over columns of loans and of days. A loan is in one row, in the order of its columns; times are
nanoseconds since 1970 and months those of UTC.
"""
