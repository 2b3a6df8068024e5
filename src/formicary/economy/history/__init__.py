"""A team's own history: files that a mapping describes, as parties, transfers and facts in order of time.

::

    mapping_file -> mapping        what the columns mean (YAML, checked)
    sources      -> rows           files in batches -> typed columns, and every rejected row with its reason
    plan         -> replay         requests in order of time -> what the engine answered
    report                         rejected rows as CSV, and sums
"""
