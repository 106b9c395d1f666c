"""Words of the steps of an extraction by which the estimate of another one tells them apart.

Its own work begins with the plan. Steps that begin with the other two words are not repeated by a process that has imported,
or on a machine that has fetched, already.
"""

PLANNING, IMPORTING, FETCHING = "Planning tiles", "Importing", "Fetching"
